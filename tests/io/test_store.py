"""Mixtures and plans come back bit by bit, or not at all."""

import io
import struct
import tracemalloc
import zipfile
import zlib
from contextlib import suppress

import numpy as np
import pytest

from gwtransfer.core.types import GaussianMixture, Space, TransportPlan
from gwtransfer.errors import ReadError, UsageError
from gwtransfer.io.files import sha256
from gwtransfer.io.store import is_artefact, load_artefact, save_mixture, save_plan


def mixture(count: int, dimension: int, *, full: bool, seed: int = 4) -> GaussianMixture:
    rng = np.random.default_rng(seed)
    weights = rng.random(count) + 0.1
    roots = rng.normal(size=(count, dimension, dimension))
    axes = np.linalg.qr(rng.normal(size=(dimension + 2, dimension)))[0]
    return GaussianMixture(
        weights=weights / weights.sum(),
        means=rng.normal(size=(count, dimension)),
        covariances=roots @ np.swapaxes(roots, 1, 2),
        space=Space(
            origin=rng.normal(size=dimension + 2),
            axes=axes,
            unit=1 / 3,
            coordinates="bands" if full else "raw",
            wavelengths=rng.normal(size=dimension + 2) if full else None,
        ),
        noise=np.eye(dimension) / 7 if full else None,
        guide=rng.normal(size=dimension) if full else None,
        seed=seed,
    )


def plan(*, full: bool) -> TransportPlan:
    source, target = mixture(4, 3, full=full), mixture(3, 2, full=full, seed=2**40)
    return TransportPlan(
        source=source,
        target=target,
        coupling=np.outer(source.weights, target.weights),
        embedding=np.eye(3)[:, :2],
        solver="mgw2",
        value=1 / 3,
        bound=0.1 if full else None,
        starts=8,
        reached=5,
        converged=full,
        history=np.array([1.0, 0.5, 1 / 3]),
        tilt=np.full((3, 2), 1 / 7) if full else None,
    )


def same(one, two) -> None:
    """Compare two values of our types, bit by bit."""
    if isinstance(one, np.ndarray):
        assert (one.dtype, one.shape, one.tobytes()) == (two.dtype, two.shape, two.tobytes())
    elif hasattr(one, "__dataclass_fields__"):
        assert type(one) is type(two)
        for field in one.__dataclass_fields__:
            same(getattr(one, field), getattr(two, field))
    else:
        assert type(one) is type(two)
        assert one == two


PROVENANCE = {"z": [1, 2.5, None], "a": "Grüße", "seed": 3}


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("kind", ["mixture", "plan"])
def test_artefacts_come_back_bit_by_bit_and_as_the_same_bytes(tmp_path, kind, full):
    made = plan(full=full) if kind == "plan" else mixture(4, 3, full=full)
    save = save_plan if kind == "plan" else save_mixture
    for name in ("one.npz", "two.npz"):
        save(made, tmp_path / name, PROVENANCE)
    assert sha256(tmp_path / "one.npz") == sha256(tmp_path / "two.npz")
    again, provenance = load_artefact(tmp_path / "one.npz")
    same(made, again)
    assert provenance == PROVENANCE
    assert is_artefact(tmp_path / "one.npz")
    with np.load(tmp_path / "one.npz", allow_pickle=False) as archive:
        assert str(archive["format"]) == f"gwtransfer {kind}"
        assert int(archive["version"]) == 1


def rewritten(path, **changes):
    """Replace members of an artefact; None removes one; the checksum is made to fit."""
    from gwtransfer.io.store import _checksum

    with zipfile.ZipFile(path) as archive:
        raw = {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist()}
    for name, value in changes.items():
        del raw[name]
        if value is not None:
            buffer = io.BytesIO()
            np.save(buffer, np.asarray(value), allow_pickle=True)
            raw[name] = buffer.getvalue()
    if "checksum" not in changes:
        buffer = io.BytesIO()
        np.save(buffer, np.asarray(_checksum(raw)))
        raw["checksum"] = buffer.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in raw.items():
            archive.writestr(f"{name}.npy", content)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "other tool"}, "'other tool'"), ({"format": None}, "'format'"),
        ({"version": 2}, "version 1 of the format, found 2; update"),
        ({"version": "x"}, "version number"), ({"checksum": "0" * 64}, "do not match"),
        ({"checksum": None}, "'checksum'"), ({"means": None}, "'means'"),
        ({"weights": [0.5, 0.4, 0.1, 0.1]}, "no valid gwtransfer mixture"),
        ({"means": np.array([[{}]], dtype=object)}, "means cannot be read"),
        ({"space_unit": [1.0, 2.0]}, "no valid"), ({"provenance": [1]}, "no valid"),
        ({"covariances": np.full((4, 3, 3), np.nan)}, "not finite"),
    ],
)  # fmt: skip
def test_wrong_contents_are_named(tmp_path, changes, words):
    path = tmp_path / "a.npz"
    save_mixture(mixture(4, 3, full=False), path, {})
    rewritten(path)
    load_artefact(path)
    rewritten(path, **changes)
    with pytest.raises(ReadError) as caught:
        load_artefact(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_cut_and_no_flipped_bit_gives_another_artefact(tmp_path):
    path, made = tmp_path / "a.npz", mixture(2, 1, full=True)
    save_mixture(made, path, {"a": 1})
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for place in rng.integers(0, len(content), 150):
        changed = bytearray(content)
        changed[place] ^= 1 << rng.integers(8)
        path.write_bytes(changed)
        again = None
        with suppress(ReadError):
            again, provenance = load_artefact(path)
        if again is None:
            refused += 1
        else:  # dates and attributes of the archive mean nothing
            same(made, again)
            assert provenance == {"a": 1}
    assert refused > 75
    for size in np.linspace(0, len(content) - 1, 20).astype(int):
        path.write_bytes(content[:size])
        assert not is_artefact(path)
        with pytest.raises(ReadError):
            load_artefact(path)


def test_other_archives_are_not_artefacts(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.ones(3))
    np.savez_compressed(tmp_path / "b.npz", format=np.asarray("gwtransfer mixture"))
    assert not is_artefact(tmp_path / "a.npz")
    assert not is_artefact(tmp_path)
    with pytest.raises(ReadError, match="'format'"):
        load_artefact(tmp_path / "a.npz")
    with pytest.raises(ReadError, match="compressed archive"):
        load_artefact(tmp_path / "b.npz")


def test_what_json_cannot_hold_is_refused(tmp_path):
    for provenance in ({"a": object()}, {"a": float("nan")}):
        with pytest.raises(UsageError, match="provenance"):
            save_mixture(mixture(2, 1, full=False), tmp_path / "a.npz", provenance)
    assert not (tmp_path / "a.npz").exists()


def zipped(path, members, *, compression=zipfile.ZIP_STORED) -> None:
    """Write an archive of arrays' bytes."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)


def encoded(value) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(value))
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["weights2", "space", "target_means"])
def test_members_of_others_are_refused_by_name(tmp_path, name):
    """Added, or renamed, though the sum is made to fit."""
    from gwtransfer.io.store import _checksum

    path = tmp_path / "a.npz"
    save_mixture(mixture(2, 1, full=False), path, {})
    with zipfile.ZipFile(path) as archive:
        raw = {one.removesuffix(".npy"): archive.read(one) for one in archive.namelist()}
    del raw["checksum"]
    for changed, words in (
        (raw | {name: encoded(1.0)}, f"{name!r} too"),
        ({key: value for key, value in raw.items() if key != "weights"} | {name: raw["weights"]},
         f"{name!r} too"),
    ):  # fmt: skip
        zipped(path, changed | {"checksum": encoded(_checksum(changed))})
        with pytest.raises(ReadError) as caught:
            load_artefact(path)
        assert str(caught.value).startswith(f"{path}: expected the members of a gwtransfer mixture")
        assert words in str(caught.value)


@pytest.mark.parametrize(
    "provenance", [b"[]", b"3", b"[" * 100_000, b'{"a": ' * 50_000, b"\xff", b'{"a": 1e999']
)
def test_a_provenance_that_is_none_is_refused(tmp_path, provenance):
    """No object, nested without end, no text, or cut short; the sum is made to fit."""
    path = tmp_path / "a.npz"
    save_mixture(mixture(2, 1, full=False), path, {})
    rewritten(path, provenance=np.frombuffer(provenance, dtype=np.uint8))
    with pytest.raises(ReadError, match="holds no valid gwtransfer mixture"):
        load_artefact(path)


def test_numbers_no_integer_holds_are_refused(tmp_path):
    """An infinite count, for one."""
    path = tmp_path / "a.npz"
    save_plan(plan(full=False), path, {})
    rewritten(path, starts=np.inf)
    with pytest.raises(ReadError, match="holds no valid gwtransfer plan"):
        load_artefact(path)


def test_text_of_letters_that_do_not_exist_is_refused(tmp_path):
    """NumPy would raise a SystemError only when it is used."""
    path = tmp_path / "a.npz"
    save_mixture(mixture(2, 1, full=False), path, {})
    for name in ("format", "space_coordinates"):
        rewritten(path, **{name: np.frombuffer(b"\xff\xff\xff\x7f", "<U1").reshape(())})
        assert not (name == "format" and is_artefact(path))
        with pytest.raises(ReadError, match="letters that do not exist"):
            load_artefact(path)
        save_mixture(mixture(2, 1, full=False), path, {})


def overlapping(path, count: int) -> None:
    """Write an archive whose many members are all one stretch of the file."""
    body = encoded("gwtransfer mixture").ljust(100_000, b"\0")
    crc = zlib.crc32(body)
    size = len(body)
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 33, crc, size, size, 10, 0)
    local += b"format.npy" + body
    listed = b""
    for place in range(count):
        name = b"format.npy" if place == 0 else b"m%06d.npy" % place
        listed += struct.pack(
            "<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 33, crc, size, size, len(name), 0, 0, 0, 0,
            0, 0,
        ) + name  # fmt: skip
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(listed), len(local), 0)
    path.write_bytes(local + listed + end)


def test_archives_that_swell_cost_no_memory(tmp_path):
    """Members that overlap, a compressed format, and headers of arrays that are not there."""
    overlapping(tmp_path / "over.npz", 8000)
    head = io.BytesIO()
    said = {"descr": "<U50000000", "fortran_order": False, "shape": ()}
    np.lib.format.write_array_header_1_0(head, said)
    zipped(
        tmp_path / "format.npz", {"format": head.getvalue() + bytes(60_000_000)},
        compression=zipfile.ZIP_DEFLATED,
    )  # fmt: skip
    zipped(tmp_path / "short.npz", {"format": head.getvalue()})
    tracemalloc.start()
    try:
        for name, words in (
            ("over", "side by side"), ("format", "compressed archive"),
            ("short", "format cannot be read"),
        ):  # fmt: skip
            path = tmp_path / f"{name}.npz"
            is_artefact(path)
            with pytest.raises(ReadError, match=words):
                load_artefact(path)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_every_cut_of_a_plan_is_refused(tmp_path):
    """In one line that names the file; what is left is no artefact to any command."""
    path = tmp_path / "a.npz"
    save_plan(plan(full=True), path, {"a": 1})
    content = path.read_bytes()
    for size in [*range(1, len(content), 97), len(content) - 1]:
        path.write_bytes(content[:size])
        assert not is_artefact(path)
        with pytest.raises(ReadError) as caught:
            load_artefact(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)
