"""The parts of a batch: which files, which names for fits, journals, the table, the nearest."""

from pathlib import Path

import numpy as np
import pytest

from gwtransfer.batch import journal, keys, nearest
from gwtransfer.batch.listing import listed
from gwtransfer.batch.table import Pair, PairTable
from gwtransfer.errors import ReadError, UsageError

CUBE = "8 1\n" + "\n".join(f"{x} {y} {z}" for x in (0, 1) for y in (0, 1) for z in (0, 1))


def names(folder: Path, *, recursive: bool = False, pattern: str | None = None) -> list[str]:
    found = listed(folder, recursive=recursive, pattern=pattern, leave_out=folder / "work")
    assert all(one.path == folder / one.name for one in found)
    return [one.name for one in found]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("m10.ply", "m2.OFF", "sub/m1.obj", "sub2/deep/a.stl", ".hid.ply", ".h/x.ply",
                 "notes.md", "work/w.ply", "photo.png"):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("not read here")
    return tmp_path


def test_shapes_of_a_folder_in_natural_order(folder: Path) -> None:
    """By extension in any case; hidden files, what is kept and other formats are left out."""
    assert names(folder) == ["m2.OFF", "m10.ply"]
    assert names(folder, recursive=True) == ["m2.OFF", "m10.ply", "sub/m1.obj", "sub2/deep/a.stl"]


def test_a_pattern_chooses_instead_of_the_extension(folder: Path) -> None:
    """In the folder, below it, or in one of its folders."""
    assert names(folder, pattern="*.png") == ["photo.png"]
    assert names(folder, pattern="m1*", recursive=True) == ["m10.ply", "sub/m1.obj"]
    assert names(folder, pattern="sub/*.obj") == ["sub/m1.obj"]
    for pattern in ("", "/etc/*", "../*"):
        with pytest.raises(UsageError, match="a pattern inside the folder"):
            names(folder, pattern=pattern)


def test_text_and_arrays_count_where_they_hold_points(tmp_path: Path) -> None:
    """A list of labels beside the shapes is none of them."""
    np.save(tmp_path / "points.npy", np.random.default_rng(0).random((9, 3)))
    np.save(tmp_path / "cube.npy", np.zeros((4, 5, 6)))
    (tmp_path / "labels.csv").write_text("name,label\npoints.npy,cloud\n")
    assert names(tmp_path) == ["points.npy"]


def test_a_single_file_is_a_folder_of_one(folder: Path) -> None:
    """It is named by its last part."""
    found = listed(folder / "sub/m1.obj", recursive=False, pattern=None, leave_out=folder / "work")
    assert [one.name for one in found] == ["m1.obj"]


def test_nothing_to_compare_is_said(folder: Path) -> None:
    """A missing folder, one without shapes, a pattern without matches."""
    for where, pattern, words in (
        (folder / "none", None, "expected a folder"),
        (folder / ".h" / "..", "*.glb", "that match"),
        (folder / "sub2", None, "--recursive looks"),
    ):
        with pytest.raises(ReadError, match=words):
            listed(where, recursive=False, pattern=pattern, leave_out=folder / "work")


def test_a_fit_is_known_by_content_and_options(tmp_path: Path) -> None:
    """Another content, extension, option or seed is another key; another name or time is not."""
    first, second = tmp_path / "a.xyz", tmp_path / "b.xyz"
    first.write_text(CUBE)
    second.write_text(CUBE)
    stages = {"prepare": {"stage": "xyz", "sample": 10}, "fit": {"stage": "gmm", "components": 2}}

    def key(path: Path, options: dict[str, dict[str, object]], seed: int) -> str:
        return keys.fit_key(keys.content(path), path, options, seed)

    one = key(first, stages, 0)
    assert key(second, stages, 0) == one
    other = {**stages, "fit": {"stage": "gmm", "components": 3}}
    second.write_text(CUBE + "\n0 0 0")
    (tmp_path / "a.pts").write_text(CUBE)
    others = {
        key(first, other, 0), key(first, stages, 1), key(second, stages, 0),
        key(tmp_path / "a.pts", stages, 0),
    }  # fmt: skip
    assert len(others - {one}) == 4


def test_a_gltf_is_known_with_the_buffers_it_names(tmp_path: Path) -> None:
    """They lie in files of their own, which may change while it does not."""
    gltf = tmp_path / "a.gltf"
    gltf.write_text('{"buffers": [{"uri": "a.bin"}, {"uri": "data:,x"}, {}]}')
    (tmp_path / "a.bin").write_bytes(b"one")
    before = keys.content(gltf)
    (tmp_path / "a.bin").write_bytes(b"two")
    assert keys.content(gltf) != before


PAIR = journal.Solved(
    first="a" * 32, second="b" * 32, plan="c" * 16, value=0.1 + 0.2, bound=1e-300, reached=3,
    starts=28, converged=True,
)  # fmt: skip


@pytest.mark.parametrize(
    "pair", [PAIR, PAIR._replace(bound=None, converged=False), PAIR._replace(value=0.0)]
)
def test_a_line_gives_its_pair_back(pair: journal.Solved) -> None:
    """To the last bit."""
    assert journal.parse(journal.line(pair)[:-1]) == pair


def test_a_torn_or_changed_line_counts_as_not_there(tmp_path: Path) -> None:
    """Wherever it breaks off, whatever was changed; the lines before and after it count."""
    whole = journal.line(PAIR)
    for end in range(len(whole)):
        assert journal.parse(whole[:end]) == (PAIR if end == len(whole) - 1 else None)
        changed = bytearray(whole[:-1])
        if end < len(changed):
            changed[end] ^= 1
            assert journal.parse(bytes(changed)) is None
    other = PAIR._replace(first="d" * 32)
    text = whole + whole[:50] + b"\n" + journal.line(other) + whole[:-1]
    (tmp_path / "x.pairs").write_bytes(text)
    (tmp_path / "y.pairs").write_bytes(b"\xff\x00 noise\n")
    assert list(journal.read(tmp_path)) == [PAIR, other]


def test_processes_write_into_journals_of_their_own(tmp_path: Path) -> None:
    """A journal is never opened again; runs have different ones."""
    for run in ("one", "two"):
        for count in range(3):
            journal.own(tmp_path, run).append(PAIR._replace(reached=count))
        journal.close(tmp_path, run)
        journal.close(tmp_path, run)
    journal.own(tmp_path, "one").append(PAIR)
    journal.close(tmp_path, "one")
    assert sorted(len(p.read_bytes().splitlines()) for p in tmp_path.iterdir()) == [1, 3, 3]


def test_the_table_asks_for_each_pair_once() -> None:
    """Copies share a fit, equal fits are at 0, and a pair is the same in both directions."""
    table = PairTable(["c", "a", "b", "a"], None)
    assert len(table) == 3
    assert sorted(table.missing()) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert table.put("a", "c", 2.0)
    assert not table.put("c", "a", 2.0)
    assert not table.put("a", "x", 1.0)
    assert sorted(table.missing()) == [("a", "b"), ("b", "c")]
    nan = np.nan
    expected = [[0, 2, nan, 2], [2, 0, nan, 0], [nan, nan, 0, nan], [2, 0, nan, 0]]
    np.testing.assert_array_equal(table.values, expected)


def test_the_table_of_two_sides_asks_for_each_pair_once() -> None:
    """Also where the same content is on both sides."""
    table = PairTable(["a", "b", "x"], ["b", "a", "y"])
    pairs = sorted(table.missing())
    assert pairs == [("a", "b"), ("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"), ("x", "y")]
    assert len(table) == len(pairs)
    for place, pair in enumerate(pairs):
        assert table.put(*pair, place + 1.0)
    np.testing.assert_array_equal(table.values, [[1, 0, 3], [0, 1, 5], [4, 2, 6]])


def distances(rows: int, columns: int | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return values with ties, and bounds below them, some equal."""
    rng = np.random.default_rng(seed)
    shape = (rows, rows if columns is None else columns)
    values = np.round(rng.random(shape), 1) + 0.1
    least = values * rng.choice([0.0, 0.5, 0.95, 1.0], shape)
    if columns is None:
        values, least = np.triu(values, 1), np.triu(least, 1)
        values, least = values + values.T, least + least.T
    return values, least


@pytest.mark.parametrize("columns", [None, 1, 7, 40])
@pytest.mark.parametrize("count", [1, 3, 6])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_nearest_are_those_of_all_pairs(columns: int | None, count: int, seed: int) -> None:
    """The same neighbours in the same order, ties by place, whatever was known before."""
    rows = 12
    values, least = distances(rows, columns, seed)
    count = min(count, values.shape[1] - (columns is None))
    row_keys = [f"r{row:02}" for row in range(rows)]
    column_keys = None if columns is None else [f"c{column:02}" for column in range(columns)]
    table = PairTable(row_keys, column_keys)
    at = {key: place for place, key in enumerate(row_keys)}
    at |= {key: place for place, key in enumerate(column_keys or [])}
    solved: list[Pair] = []

    def value(pair: Pair) -> float:
        row, column = pair if columns is None else (pair[1], pair[0])
        return float(values[at[row], at[column]])

    for pair in list(table.missing())[:: 5 + seed]:
        table.put(*pair, value(pair))
    known = int(np.isfinite(table.values).sum())

    def solve(pairs: list[Pair]) -> None:
        for pair in pairs:
            assert table.put(*pair, value(pair))
            solved.append(pair)

    found = nearest.search(table, least, count, itself=columns is None, solve=solve)
    everything = values.copy()
    if columns is None:
        np.fill_diagonal(everything, np.inf)
    expected = np.argsort(everything, axis=1, kind="stable")[:, :count]
    np.testing.assert_array_equal(found, expected)
    assert len(set(solved)) == len(solved)
    if count == 1 and columns != 1:
        assert np.isnan(table.values).any()
    assert known < np.isfinite(table.values).sum()


def test_copies_are_neighbours_of_each_other() -> None:
    """A file is not its own neighbour, but its copy is, at 0."""
    table = PairTable(["a", "b", "a"], None)
    table.put("a", "b", 1.0)
    found = nearest.search(table, np.zeros((3, 3)), 1, itself=True, solve=lambda pairs: None)
    assert found.tolist() == [[2], [0], [0]]


def test_shards_cover_every_pair_once_and_do_not_move() -> None:
    """Whatever other pairs there are."""
    pairs = [f"{one:032x} {other:032x}" for one in range(20) for other in range(one)]
    parts = [keys.share(pair, 8) for pair in pairs]
    assert set(parts) == set(range(8))
    assert [keys.share(pair, 8) for pair in reversed(pairs)] == parts[::-1]
