"""Parts of arrays that lie uncompressed in a file."""

import numpy as np
import pytest

from gwtransfer.errors import ReadError
from gwtransfer.io import rawarray
from gwtransfer.io.rawarray import RawArray, RawCube


def stored(path, array, *, offset=0, gap=0) -> RawArray:
    """Write an array with a gap of some bytes behind each place along its first axis."""
    rows = [part.tobytes() + b"?" * gap for part in array]
    path.write_bytes(b"?" * offset + b"".join(rows))
    step = array[0].nbytes + gap if gap else None
    return RawArray(
        path=path, name="a", shape=array.shape, offset=offset, stored=array.dtype, step=step
    )


@pytest.mark.parametrize("seed", range(30))
def test_any_part_is_that_of_the_array(tmp_path, monkeypatch, seed):
    """A part has the values of the same slices of the array, however its bytes lie."""
    rng = np.random.default_rng(seed)
    monkeypatch.setattr(rawarray, "LEAST_RUN", int(rng.choice([1, 40, 4096])))
    monkeypatch.setattr(rawarray, "MOST_RUN", int(rng.choice([10, 65_536])))
    monkeypatch.setattr(rawarray, "PIECE_BYTES", int(rng.choice([1, 100, 4_000_000])))
    shape = rng.integers(1, 9, size=rng.integers(2, 5))
    array = rng.integers(0, 1000, size=shape).astype(rng.choice(["<i2", ">f8", "u1", ">u4"]))
    raw = stored(tmp_path / "a", array, offset=7, gap=int(rng.choice([0, 3])))
    for _ in range(5):
        ends = [np.sort(rng.integers(0, size + 1, size=2)) for size in shape]
        index = tuple(slice(int(start), int(stop)) for start, stop in ends)
        part = raw.read(index)
        assert part.dtype == array.dtype
        np.testing.assert_array_equal(part, array[index])


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
def test_rows_of_every_interleave(tmp_path, interleave):
    """Rows come as (bands, rows, columns) whichever axis is the fastest in the file."""
    cube = np.random.default_rng(1).normal(size=(5, 4, 3)).astype(">f4")  # bands, rows, columns
    order = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}[interleave]
    (tmp_path / "a").write_bytes(b"??" + cube.transpose(order).tobytes())
    raw = RawCube(
        path=tmp_path / "a",
        name="a",
        rows=4,
        columns=3,
        bands=5,
        offset=2,
        stored=cube.dtype,
        interleave=interleave,
    )
    np.testing.assert_array_equal(raw.read(1, 3), cube[:, 1:3])
    assert raw.expected_bytes == raw.array.end == 2 + cube.nbytes


def test_a_file_that_became_shorter_is_refused(tmp_path):
    """Bytes that are no longer there are an error that says how many there should be."""
    raw = stored(tmp_path / "a", np.ones((4, 5)))
    (tmp_path / "a").write_bytes(bytes(100))
    with pytest.raises(ReadError, match="expected 160 bytes as its header says, found 100"):
        raw.read((slice(0, 4), slice(0, 5)))
