"""Matrices of distances: the same back from every format, equal bytes, and clear refusals."""

import csv
import importlib.util
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from gwtransfer.errors import ReadError, UsageError, WriteError
from gwtransfer.io.matrix import EXTENSIONS, DistanceMatrix, read_matrix, write_matrix

NAMES = ("a.ply", "b, “two”.off", 'c"3".obj', "sub folder/ü\n☃.stl")


def square() -> DistanceMatrix:
    values = np.random.default_rng(1).random((4, 4)) / 3
    values = values + values.T
    np.fill_diagonal(values, 0)
    return DistanceMatrix(distances=values, names=NAMES)


def oblong() -> DistanceMatrix:
    values = np.random.default_rng(2).random((4, 2)) * 1e-17
    return DistanceMatrix(distances=values, names=NAMES, against=("x.ply", "a.ply"))


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("make", [square, oblong])
def test_what_is_written_is_read_again(tmp_path: Path, extension: str, make: object) -> None:
    """Bit for bit, names with commas, quotes and newlines too; written twice, the same bytes."""
    matrix = make()  # type: ignore[operator]
    paths = [tmp_path / f"{word}{extension}" for word in ("one", "two")]
    for path in paths:
        write_matrix(matrix, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    again = read_matrix(paths[0])
    np.testing.assert_array_equal(again.distances, matrix.distances)
    assert (again.names, again.against) == (matrix.names, matrix.against)
    assert not again.distances.flags.writeable


def test_csv_is_what_a_spreadsheet_expects(tmp_path: Path) -> None:
    """A first row of names, a row for each file, and the shortest numbers that read the same."""
    values = np.array([[0, 0.1], [0.1, 0]])
    write_matrix(DistanceMatrix(distances=values, names=("a", "b,c")), tmp_path / "m.csv")
    assert (tmp_path / "m.csv").read_bytes() == b'name,a,"b,c"\na,0.0,0.1\n"b,c",0.1,0.0\n'


def test_npz_needs_no_pickle(tmp_path: Path) -> None:
    """NumPy reads it with pickles forbidden: `distances`, `names`, and `against` for others."""
    write_matrix(oblong(), tmp_path / "m.npz")
    with np.load(tmp_path / "m.npz", allow_pickle=False) as arrays:
        assert sorted(arrays) == ["against", "distances", "names"]
        assert tuple(arrays["names"]) == NAMES
        np.testing.assert_array_equal(arrays["distances"], oblong().distances)
    write_matrix(square(), tmp_path / "s.npz")
    with np.load(tmp_path / "s.npz", allow_pickle=False) as arrays:
        assert sorted(arrays) == ["distances", "names"]


def test_parquet_is_a_table_of_named_columns(tmp_path: Path) -> None:
    """A column of names and one of doubles for each file."""
    parquet = pytest.importorskip("pyarrow.parquet")
    write_matrix(oblong(), tmp_path / "m.parquet")
    table = parquet.read_table(tmp_path / "m.parquet")
    assert table.column_names == ["name", "x.ply", "a.ply"]
    assert [str(field.type) for field in table.schema] == ["string", "double", "double"]


def test_matrices_of_others_are_read(tmp_path: Path) -> None:
    """A byte-order mark, integers, another corner, blank lines, and a compressed archive."""
    text = "\ufeff;,a,b\r\na,0,2\r\n\r\nb,2,0\r\n"
    (tmp_path / "m.csv").write_bytes(text.encode())
    assert read_matrix(tmp_path / "m.csv").distances.tolist() == [[0, 2], [2, 0]]
    values = np.array([[0, 2], [2, 0]])
    np.savez_compressed(tmp_path / "m.npz", distances=values, names=np.array(["a", "b"]))
    assert read_matrix(tmp_path / "m.npz").names == ("a", "b")


def test_equal_names_on_both_sides_are_not_taken_for_one_side(tmp_path: Path) -> None:
    """Two folders may hold files of the same names; their matrix is not symmetric."""
    values = np.array([[0.5, 1], [2, 0.25]])
    write_matrix(
        DistanceMatrix(distances=values, names=("a", "b"), against=("a", "b")), tmp_path / "m.csv"
    )
    assert read_matrix(tmp_path / "m.csv").against == ("a", "b")


def test_a_name_that_is_no_text_keeps_its_bytes(tmp_path: Path) -> None:
    """In CSV and NPZ; Parquet refuses it."""
    names = (b"\xff.ply".decode("utf-8", "surrogateescape"), "b.ply")
    matrix = DistanceMatrix(distances=np.zeros((2, 2)), names=names)
    for name in ("m.csv", "m.npz"):
        write_matrix(matrix, tmp_path / name)
        assert read_matrix(tmp_path / name).names == names
    with pytest.raises(WriteError, match=r"m\.parquet: Parquet cannot hold"):
        write_matrix(matrix, tmp_path / "m.parquet")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\n", "a first row of names"),
        ("hello\n", "a first row of names"),
        ("name,a,b\n", "expected distances of (0, 2)"),
        ("name,a,b\na,0,1\nb,1\n", "expected 3 cells in every row"),
        ("name,a,b\na,0,x\nb,1,0\n", "expected numbers in the row of 'a'"),
        ("name,a,b\na,0,nan\nb,1,0\n", "found nan between 'a' and 'b'"),
        ("name,a,b\na,0,1\nb,-1,0\n", "found -1.0 between 'b' and 'a'"),
        ("name,a,b\na,0,inf\nb,1,0\n", "found inf between 'a' and 'b'"),
        ("name,a,a\na,0,1\nb,1,0\n", "found 'a' twice"),
        ('name,a,b\na,0,"1\nb,1,0\n', "expected a table of distances"),
    ],
)
def test_broken_tables_are_refused(tmp_path: Path, text: str, words: str) -> None:
    """With the file, and where in it."""
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(ReadError) as caught:
        read_matrix(tmp_path / "m.csv")
    assert str(caught.value).startswith(f"{tmp_path / 'm.csv'}: ")
    assert words in str(caught.value)


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    """Truncated, changed, pickled, without the arrays, of another extension, or missing."""
    for extension in (".npz", ".parquet"):
        path = tmp_path / f"m{extension}"
        write_matrix(square(), path)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(ReadError, match="truncated"):
            read_matrix(path)
    np.savez(tmp_path / "p.npz", distances=np.array([["a", None]], dtype=object), names=["a"])
    with pytest.raises(ReadError, match="plain arrays"):
        read_matrix(tmp_path / "p.npz")
    np.savez(tmp_path / "q.npz", names=np.array(["a"]))
    with pytest.raises(ReadError, match="expected an array distances"):
        read_matrix(tmp_path / "q.npz")
    for name in ("m.txt", "m"):
        with pytest.raises(UsageError, match=r"\.csv, \.npz or \.parquet"):
            write_matrix(square(), tmp_path / name)
    with pytest.raises(ReadError, match="no such file"):
        read_matrix(tmp_path / "none.csv")
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["name", "a", "b"], ["a", 0, 1], ["b", 2, 0]])
    matrix = read_matrix(tmp_path / "t.csv")
    with pytest.raises(ReadError, match=r"symmetric matrix, found 1\.0 and 2\.0"):
        DistanceMatrix(distances=matrix.distances, names=matrix.names)


def deflated(path: Path, **arrays: np.ndarray) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def test_tables_that_swell_cost_no_memory(tmp_path: Path) -> None:
    """Few bytes that become very many are refused before: zeros, runs, rows without cells."""
    names = np.array([f"{place:05}" for place in range(6_000)])
    paths = [
        deflated(tmp_path / "z.npz", distances=np.zeros((6_000, 6_000), np.int8), names=names),
        tmp_path / "c.csv",
    ]
    paths[1].write_text("name" + "," * 100_000 + "\n" + "a\n" * 100_000)
    if importlib.util.find_spec("pyarrow"):
        import pyarrow as pa
        from pyarrow import parquet

        runs = pa.array(np.zeros(8_000_000, np.int32))
        table = pa.table({"name": pa.DictionaryArray.from_arrays(runs, ["a" * 1000]), "a": runs})
        parquet.write_table(table, tmp_path / "p.parquet", compression="zstd")
        paths.append(tmp_path / "p.parquet")
        longs = pa.table({"name": ["a" * 2**20] * 150, "a": np.zeros(150)})
        parquet.write_table(longs, tmp_path / "l.parquet", compression="zstd")
        paths.append(tmp_path / "l.parquet")
    tracemalloc.start()
    try:
        for path in paths:
            assert path.stat().st_size < 1_000_000
            with pytest.raises(ReadError) as caught:
                read_matrix(path)
            assert str(caught.value).startswith(f"{path}: ")
            assert len(str(caught.value)) < 400
        assert tracemalloc.get_traced_memory()[1] < 300_000_000
    finally:
        tracemalloc.stop()


def test_many_names_are_compared_in_one_pass(tmp_path: Path) -> None:
    """Each against each would take hours; a long name is not said whole."""
    many = ",".join(map(str, range(30_000)))
    (tmp_path / "m.csv").write_text(f"name,{many},29999\n" + "a" + ",0" * 30_001 + "\n")
    begun = time.process_time()
    with pytest.raises(ReadError, match="found '29999' twice"):
        read_matrix(tmp_path / "m.csv")
    assert time.process_time() - begun < 5
    (tmp_path / "l.csv").write_text(f"name,{'x' * 100_000},{'x' * 100_000}\na,0,0\n")
    with pytest.raises(ReadError) as caught:
        read_matrix(tmp_path / "l.csv")
    assert len(str(caught.value)) < 300
