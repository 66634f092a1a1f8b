"""`gwtransfer match`: what it prints and writes, in whose numbering, and what it refuses."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.test_matching import body, twisted

from gwtransfer.matching import spectral

from .conftest import QUICK, Run

COUNT = 114
"""Vertices of a body of seven rings."""

IN_SPACE = ("--prepare", "xyz", "-k", "4", "--sample", "500", *QUICK)
"""The fastest match there is, for what does not depend on how it was found."""


def write_obj(path: str, vertices: np.ndarray, faces: np.ndarray) -> None:
    lines = ["v " + " ".join(repr(float(x)) for x in row) for row in vertices]
    lines += ["f " + " ".join(str(i + 1) for i in row) for row in faces]
    Path(path).write_text("\n".join(lines) + "\n")


def write_pcd(path: str, points: np.ndarray) -> None:
    head = (
        "VERSION .7\nFIELDS x y z\nSIZE 8 8 8\nTYPE F F F\nCOUNT 1 1 1\n"
        f"WIDTH {len(points)}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\n"
        f"POINTS {len(points)}\nDATA ascii\n"
    )
    rows = [" ".join("nan" if np.isnan(x) else repr(float(x)) for x in row) for row in points]
    Path(path).write_text(head + "\n".join(rows) + "\n")


def write_stl(path: str, vertices: np.ndarray, faces: np.ndarray) -> None:
    rows = np.zeros(len(faces), dtype=[("n", "<f4", 3), ("v", "<f4", (3, 3)), ("a", "<u2")])
    rows["v"] = vertices[faces]
    Path(path).write_bytes(bytes(80) + np.uint32(len(faces)).tobytes() + rows.tobytes())


@pytest.fixture
def shapes(folder: Path) -> Path:
    """Write a body, another pose of it in the same order and one in another, and a twin."""
    vertices, faces = body(rings=7)
    order = np.random.default_rng(0).permutation(len(vertices))
    write_obj("a.obj", vertices, faces)
    write_obj("pose.obj", twisted(vertices), faces)
    write_obj("shuffled.obj", twisted(vertices)[order], np.argsort(order)[faces])
    np.savetxt("truth.txt", np.argsort(order), fmt="%d")
    write_obj("few.obj", *body(rings=4))
    return folder


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search little: the body has few optima."""
    for name, value in (("SIGNS", 16), ("RANDOM", 10), ("CANDIDATES", 8), ("FINALISTS", 3)):
        monkeypatch.setattr(spectral, name, value)


def table(path: str) -> tuple[list[str], np.ndarray]:
    lines = Path(path).read_text().splitlines()
    return lines[0].split(","), np.array([line.split(",") for line in lines[1:]], dtype=float)


def ply(path: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return vertices, colours of 8 bits and faces, as another library reads them."""
    import trimesh

    mesh = trimesh.load(path, process=False)
    return np.asarray(mesh.vertices), np.asarray(mesh.visual.vertex_colors)[:, :3], mesh.faces


@pytest.mark.usefixtures("quick")
def test_a_pose_is_matched_and_everything_about_it_written(run: Run, shapes: Path) -> None:
    """A folder holds table, arrays, both coloured shapes, errors, labels and a summary."""
    labels = np.arange(len(body(rings=7)[0])) % 5
    np.save("labels.npy", labels)
    result = run(
        "match", "a.obj", "shuffled.obj", "-o", "out", "--truth", "truth.txt",
        "--transfer", "labels.npy", "--sample", "2000",
    )  # fmt: skip
    assert result.code == 0
    truth = np.loadtxt("truth.txt", dtype=int)
    names, rows = table("out/match.csv")
    assert names == ["source", "target", "distance"]
    np.testing.assert_array_equal(rows[:, 0], np.arange(len(truth)))
    assert (rows[:, 1] == truth).mean() > 0.9
    with np.load("out/match.npz", allow_pickle=False) as held:
        target, embedding = held["target"], held["embedding"]
        np.testing.assert_array_equal(rows[:, 1], target)
        np.testing.assert_allclose(embedding @ embedding.T, np.eye(len(embedding)), atol=1e-9)
    vertices, colours, faces = ply("out/source.ply")
    np.testing.assert_array_equal(vertices, body(rings=7)[0])
    np.testing.assert_array_equal(faces, body(rings=7)[1])
    np.testing.assert_array_equal(colours, ply("out/target.ply")[1][target])
    np.testing.assert_array_equal(np.load("out/transferred.npy"), labels[target])
    summary = json.loads(Path("out/match.json").read_text())
    assert summary["error"]["mean"] < 0.01
    assert summary["score"] > (summary["runner_up"] or 0)
    errors = np.loadtxt("out/errors.csv", delimiter=",", skiprows=1)
    np.testing.assert_allclose(errors[:, 1], summary["error"]["share"], atol=1e-6)
    assert errors[-1].tolist() == [0.25, 1.0]
    words = dict(line.split(maxsplit=1) for line in result.out.splitlines())
    assert f"score {summary['score']:.3f}" in words["match"]
    assert words["error"].startswith(f"mean {summary['error']['mean']:.4f} of √area over {COUNT}")


def test_the_same_run_gives_the_same_bytes(run: Run, shapes: Path) -> None:
    """Every file of a folder, and both kinds of table, are the same again."""
    for out in ("one", "two"):
        for name in (out, f"{out}.csv", f"{out}.npz"):
            assert run("match", "a.obj", "pose.obj", *IN_SPACE, "-o", name).code == 0
    for one in (shapes / "one").iterdir():
        assert one.read_bytes() == (shapes / "two" / one.name).read_bytes()
    assert Path("one.csv").read_bytes() == Path("two.csv").read_bytes()
    assert Path("one.npz").read_bytes() == Path("two.npz").read_bytes()
    assert Path("one.csv").read_bytes() == Path("one/match.csv").read_bytes()


def test_only_results_are_on_stdout(done: Run, run: Run, shapes: Path) -> None:
    """Plain runs are silent on stderr; --json is one object; --rigid prints its matrix alone."""
    assert done("match", "a.obj", "pose.obj", *IN_SPACE).out.splitlines()[-1].startswith("result")
    summary = json.loads(done("match", "a.obj", "pose.obj", *IN_SPACE, "--json").out)
    assert summary["method"] == "xyz"
    assert summary["source"] == {"file": "a.obj", "vertices": COUNT}
    rigid = run("match", "a.obj", "pose.obj", "--rigid", "-o", "rigid")
    assert rigid.code == 0
    matrix = np.array([line.split() for line in rigid.out.splitlines()], dtype=float)
    assert matrix.shape == (4, 4)
    np.testing.assert_array_equal(np.loadtxt("rigid/transform.txt"), matrix)
    with np.load("rigid/match.npz") as held:
        np.testing.assert_array_equal(held["motion"], matrix)
    assert all(line.startswith("note: ") for line in rigid.err.splitlines())


def test_a_moved_copy_is_laid_on_its_original(run: Run, shapes: Path) -> None:
    """The matrix of --rigid --icp takes each vertex to its copy, and the table says so."""
    pytest.importorskip("open3d")
    vertices, faces = body(rings=7)
    turn = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0.0]])
    write_obj("moved.obj", vertices @ turn.T + [5, -1, 2], faces)
    result = run("match", "a.obj", "moved.obj", "--rigid", "--icp", "-o", "m.csv")
    matrix = np.array([line.split() for line in result.out.splitlines()], dtype=float)
    np.testing.assert_allclose(matrix[:3, :3], turn, atol=1e-6)
    np.testing.assert_allclose(matrix[:3, 3], [5, -1, 2], atol=1e-6)
    rows = table("m.csv")[1]
    np.testing.assert_array_equal(rows[:, 0], rows[:, 1])
    assert rows[:, 2].max() < 1e-6


def test_each_vertex_of_the_file_is_answered(run: Run, shapes: Path) -> None:
    """Every corner of an STL has a row, and twins have one answer; so have unused vertices."""
    vertices, faces = body(rings=7)
    write_stl("soup.stl", vertices, faces)
    assert run("match", "soup.stl", "pose.obj", *IN_SPACE, "-o", "soup.csv").code == 0
    rows = table("soup.csv")[1]
    np.testing.assert_array_equal(rows[:, 0], np.arange(3 * len(faces)))
    for corner in range(0, len(vertices), 9):
        assert len(set(rows[faces.ravel() == corner, 1])) == 1
    write_obj("unused.obj", np.concatenate([[[9, 9, 9]], vertices, [[-9, 0, 0]]]), faces + 1)
    assert run("match", "unused.obj", "unused.obj", *IN_SPACE, "-o", "unused.csv").code == 0
    rows = table("unused.csv")[1]
    np.testing.assert_array_equal(rows[:, 1], np.arange(COUNT + 2))


def test_numbers_are_those_of_the_file(run: Run, shapes: Path) -> None:
    """Points that are not numbers have no row, are nobody's match, and shift no other number."""
    pytest.importorskip("open3d")
    points = body(rings=7)[0].copy()
    write_pcd("full.pcd", points)
    points[[0, 5, COUNT - 1]] = np.nan
    write_pcd("gaps.pcd", points)
    np.savetxt("all.txt", np.arange(COUNT) * 0.5)
    kept = np.setdiff1d(np.arange(COUNT), [0, 5, COUNT - 1])
    np.savetxt("kept.txt", kept * 0.5)
    assert run("match", "gaps.pcd", "full.pcd", *IN_SPACE, "-o", "there.csv").code == 0
    rows = table("there.csv")[1]
    np.testing.assert_array_equal(rows[:, 0], kept)
    np.testing.assert_array_equal(rows[:, 1], kept)
    for values in ("all.txt", "kept.txt"):
        result = run(
            "match", "a.obj", "gaps.pcd", *IN_SPACE, "-o", "back", "--overwrite",
            "--transfer", values, "--truth", "same-index", "--json",
        )  # fmt: skip
        assert result.code == 0
        assert json.loads(result.out)["error"]["judged"] == COUNT - 3
        target = table("back/match.csv")[1][:, 1]
        assert not {0, 5, COUNT - 1} & set(target)
        np.testing.assert_array_equal(np.loadtxt("back/transferred.csv"), 0.5 * target)


def test_choices_come_with_weights(run: Run, shapes: Path) -> None:
    """--top 3 gives three different vertices each, nearest first, with weights that sum to 1."""
    assert run("match", "a.obj", "pose.obj", *IN_SPACE, "--top", "3", "-o", "m.csv").code == 0
    names, rows = table("m.csv")
    assert names == ["source", "target", "distance", "weight"]
    rows = rows.reshape(COUNT, 3, 4)
    assert all(len(set(targets)) == 3 for targets in rows[:, :, 1])
    assert (np.diff(rows[:, :, 2], axis=1) >= 0).all()
    np.testing.assert_allclose(rows[:, :, 3].sum(axis=1), 1, atol=1e-12)


def test_labels_are_carried_as_they_are_written(run: Run, shapes: Path) -> None:
    """Words stay words, in the order of the source."""
    words = [f"part {i % 7}, é" for i in range(COUNT)]
    Path("labels.txt").write_text("\n".join(words) + "\n", "utf-8")
    out = ("-o", "out", "--transfer", "labels.txt")
    assert run("match", "few.obj", "a.obj", *IN_SPACE, *out).code == 0
    target = table("out/match.csv")[1][:, 1].astype(int)
    carried = Path("out/transferred.csv").read_text("utf-8").splitlines()
    assert carried == [words[vertex] for vertex in target]


@pytest.mark.usefixtures("quick")
def test_pairs_decide_between_the_sides_of_a_box(run: Run, folder: Path) -> None:
    """A box looks alike from four sides; the runner-up is stated, pairs choose one."""
    corners = np.array([[x, y, z] for x in (0, 3) for y in (0, 2) for z in (0, 1)], float)
    faces = np.array(
        [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
         [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]
    )  # fmt: skip
    write_obj("box.obj", corners, faces)
    turns = {  # half turns about two axes
        ("--pair", "0=3", "--pair", "1=2"): [3, 2, 1, 0, 7, 6, 5, 4],
        ("--pair", "0=6", "--pair", "3=5"): [6, 7, 4, 5, 2, 3, 0, 1],
    }
    result = run("match", "box.obj", "box.obj", "--sample", "2000")
    assert ", next best 0.9" in result.out
    for pairs, turned in turns.items():
        result = run(
            "match", "box.obj", "box.obj", "--sample", "2000", *pairs, "-o", "m.csv", "--overwrite"
        )
        assert result.code == 0
        np.testing.assert_array_equal(table("m.csv")[1][:, 1], turned)


REFUSED = {
    ("-o", "m.txt"): (2, "m.txt: expected a name that ends in .csv or .npz"),
    ("-o", "none/m.csv"): (1, "none/m.csv: there is no folder none"),
    ("-o", "there.csv"): (1, "there.csv: already exists; add --overwrite"),
    ("-o", "."): (1, ".: expected an empty folder or an earlier match"),
    ("-o", "truth.csv", "--overwrite", "--truth", "truth.csv"): (2, "the output is the input"),
    ("--top", "0"): (2, "--top 0: expected at least 1"),
    ("--top", "115"): (1, "pose.obj: expected at least 115 points for as many choices, found 114"),
    ("--icp",): (2, "--icp refines a motion; add --rigid"),
    ("--rigid", "--no-refine"): (2, "--no-refine leaves nothing of --rigid"),
    ("--rigid", "--pair", "1=2"): (2, "--pair needs --prepare spectral"),
    ("--pair", "1"): (2, "--pair 1: expected I=J"),
    ("--pair", "1=114"): (1, "pose.obj: expected vertex numbers from 0 to 113, found 114"),
    ("--pair", "1=2", "--pair", "1=3"): (2, "vertex 1 of the source is given twice"),
    ("--rotation", "left"): (2, "--rotation: expected proper or any"),
    ("--truth", "none.csv"): (1, "none.csv: no such file"),
    ("--truth", "a.obj"): (1, "a.obj: expected vertex numbers"),
    ("--transfer", "truth.csv"): (2, "--transfer writes a file beside the match"),
    ("--transfer", "there.csv", "-o", "out"): (1, "a value for each of the 114 vertices"),
    ("--transfer", "photo.png", "-o", "out"): (1, "photo.png: expected a value a line"),
    ("--transfer", "objects.npy", "-o", "out"): (1, "objects.npy: expected an array"),
    ("--prepare", "color"): (2, "--prepare color is for pictures"),
    ("--prepare", "other"): (2, "no prepare stage is called 'other'"),
    ("--set", "fit.nonsense=3"): (2, "nonsense"),
    ("--components", "0"): (2, "components: expected at least 1"),
}


@pytest.mark.parametrize("given", REFUSED, ids=" ".join)
def test_what_cannot_work_is_refused_before_any_work(
    given: tuple[str, ...], run: Run, shapes: Path
) -> None:
    """One line on stderr, none on stdout, nothing written, and no time spent."""
    Path("there.csv").write_text("1\n")
    Path("truth.csv").write_text("0\n" * COUNT)
    np.save("objects.npy", np.array([{}] * COUNT), allow_pickle=True)
    before = sorted(shapes.iterdir())
    code, words = REFUSED[given]
    result = run("match", "a.obj", "pose.obj", *given)
    assert (result.code, result.out) == (code, "")
    assert words in result.err
    assert len(result.err.splitlines()) == 1
    assert sorted(shapes.iterdir()) == before


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (("photo.png", "a.obj"), "photo.png: expected a shape, found a picture or cube"),
        (("a.obj", "cube.npy"), "cube.npy: expected a shape, found a picture or cube"),
        (("a.obj", "pose.ob"), "pose.ob: no such file; did you mean"),
        (("a.obj", "four.xyz"), "four.xyz: expected more than 7 distinct points"),
        (("a.obj", "needles.obj"), "needles.obj: expected a surface, found faces without area"),
    ],
)
def test_what_is_no_shape_is_refused(
    files: tuple[str, str], words: str, run: Run, shapes: Path
) -> None:
    """Pictures, missing files and shapes without a surface are named."""
    Path("four.xyz").write_text("0 0 0\n1 0 0\n0 2 0\n0 0 3\n")
    write_obj("needles.obj", np.eye(1, 3) * np.arange(30)[:, None], np.arange(30).reshape(10, 3))
    result = run("match", *files)
    assert (result.code, result.out) == (1, "")
    assert words in result.err
    assert len(result.err.splitlines()) == 1


STOPPED_WHILE_WRITING = """
import time
from pathlib import Path
from gwtransfer.matching import output
from gwtransfer_cli.program import run

def fill(folder, *_):
    (folder / "match.csv").write_text("half")
    Path("begun").touch()
    time.sleep(60)

output._fill = fill
run()
"""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_leaves_no_half_folder(run: Run, shapes: Path, sent: signal.Signals) -> None:
    """Interrupted or killed while it writes, OUT is as before or missing; then the run succeeds."""
    command = ["match", "a.obj", "pose.obj", *IN_SPACE, "-o", "out", "--overwrite"]
    if sent == signal.SIGINT:
        assert run(*command, "--seed", "1").code == 0
    before = {one: one.read_bytes() for one in shapes.glob("out/*")}
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED_WHILE_WRITING, *command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    end = time.monotonic() + 60
    while not Path("begun").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(sent)
    out, err = process.communicate(timeout=60)
    assert out == ""
    if sent == signal.SIGINT:
        assert (process.returncode, err) == (130, "gwtransfer: interrupted\n")
    assert {one: one.read_bytes() for one in shapes.glob("out/*")} == before
    assert run(*command).code == 0
    assert not [one for one in shapes.rglob("*") if one.name.endswith(".part")]
    assert {one.name for one in shapes.glob("out/*")} >= {"match.csv", "source.ply", "match.json"}
