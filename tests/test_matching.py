"""Matches as values and files: truths, transfers, folders, and matching in space."""

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from gwtransfer.core.types import Cloud
from gwtransfer.errors import DataError, ReadError, UsageError, WriteError
from gwtransfer.matching import inspace, output, spectral, truth
from gwtransfer.matching.job import Request
from gwtransfer.matching.matched import Matched, shares
from gwtransfer.prepare.spectral import Spectral
from gwtransfer.recipe import Recipe

LIMBS = (((0.2, 1.5), 1.2), ((2.0, 1.2), 0.9), ((4.0, 1.9), 0.6), ((3.0, 0.5), 0.8))
"""Directions (longitude, colatitude) of a body's limbs, and how long they are."""


def body(limbs: tuple[tuple[tuple[float, float], float], ...] = LIMBS, rings: int = 9) -> tuple[
    np.ndarray, np.ndarray
]:  # fmt: skip
    """Return vertices and outward faces of a closed body with limbs, alike from no two sides."""
    around = 2 * (rings + 1)
    colatitude, longitude = np.meshgrid(
        np.linspace(0, np.pi, rings + 2)[1:-1], np.arange(around) * 2 * np.pi / around,
        indexing="ij",
    )  # fmt: skip
    rest = direction(longitude, colatitude).reshape(-1, 3)
    way = np.concatenate([[[0, 0, 1]], rest, [[0, 0, -1]]])
    number = np.arange(1, len(way) - 1).reshape(rings, around)
    a, b = number[:-1], np.roll(number, -1, axis=1)[:-1]
    c, d = number[1:], np.roll(number, -1, axis=1)[1:]
    first, last = number[0], number[-1]
    faces = [
        np.stack([a, c, b], -1).reshape(-1, 3),
        np.stack([b, c, d], -1).reshape(-1, 3),
        np.stack([np.zeros(around, int), first, np.roll(first, -1)], -1),
        np.stack([np.full(around, len(way) - 1), np.roll(last, -1), last], -1),
    ]
    radius = np.full(len(way), 0.6)
    for (phi, theta), length in limbs:
        radius += length * np.exp((way @ direction(phi, theta) - 1) / 0.06)
    return way * radius[:, None] * [1.2, 1.0, 0.8], np.concatenate(faces)


def direction(longitude: np.ndarray | float, colatitude: np.ndarray | float) -> np.ndarray:
    return np.stack(
        [
            np.sin(colatitude) * np.cos(longitude),
            np.sin(colatitude) * np.sin(longitude),
            np.cos(colatitude),
        ],
        axis=-1,
    )


def twisted(vertices: np.ndarray, turns: float = 0.3) -> np.ndarray:
    """Return another pose of a body: turned the more the higher."""
    angle = turns * vertices[:, 2]
    x, y, z = vertices.T
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([cos * x - sin * y, sin * x + cos * y, z], axis=-1)


def cloud(vertices: np.ndarray, faces: np.ndarray | None = None, **given: object) -> Cloud:
    return Cloud(name="made", vertices=vertices, faces=faces, **given)  # type: ignore[arg-type]


def a_match(source: Cloud, target: Cloud, choices: np.ndarray, **given: object) -> Matched:
    """Return a match of given choices (n, q)."""
    apart = np.sort(np.random.default_rng(0).random(choices.shape), axis=1) / 3
    values = {
        "weights": shares(apart**2), "method": "xyz", "embedding": np.eye(3), "motion": None,
        "value": 0.1, "bound": 0.0, "score": 0.9, "runner_up": None,
    } | given  # fmt: skip
    return Matched(source=source, target=target, choices=choices, apart=apart, **values)


def test_weights_of_choices_fall_with_their_distance():
    """Each row sums to 1 and falls; equal distances share equally, also where all are 0."""
    squares = np.sort(np.random.default_rng(1).random((50, 4)), axis=1)
    weights = shares(squares)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-12)
    assert (np.diff(weights, axis=1) < 0).all()
    np.testing.assert_allclose(shares(np.zeros((3, 4))), 0.25)
    np.testing.assert_allclose(shares(np.full((3, 2), 7.0)), 0.5)


# What is known: the same matches written in every way that is understood.

KNOWN = np.array([3, 0, 2, 1, 4])
LINES = "\n".join(map(str, KNOWN))
WAYS = {
    "lines.txt": LINES + "\n",
    "commented.txt": f"# matches\n{LINES}\n\n",
    "from-one.vts": "\n".join(map(str, KNOWN + 1)),
    "pairs.csv": "".join(f"{i},{j}\n" for i, j in enumerate(KNOWN)),
    "spaces.txt": "".join(f"{i}  {j}\n" for i, j in enumerate(KNOWN)),
    "named.csv": "\ufefftarget,weight,source\n3,1,0\n0,1,1\n2,1,2\n1,0.5,3\n4,1,4\n",
    "lines.npy": KNOWN,
    "bytes.npy": KNOWN.astype(np.uint8),
    "column.npy": KNOWN[:, None],
    "pairs.npy": np.column_stack([np.arange(5), KNOWN]),
    "match.npz": {"target": KNOWN},
    "numbered.npz": {"target": KNOWN[::-1], "source": np.arange(5)[::-1], "distance": np.ones(5)},
}  # fmt: skip


def put(path: Path, content: object) -> Path:
    if isinstance(content, str):
        path.write_text(content, "utf-8")
    elif isinstance(content, dict):
        np.savez(path, **content)
    else:
        np.save(path, content)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("name", WAYS)
def test_a_truth_is_understood_however_it_is_written(name, tmp_path):
    """Lines, pairs, named columns, arrays and 1-based .vts give the same pairs."""
    pairs = truth.read(put(tmp_path / name, WAYS[name]), np.arange(5))
    found = pairs[np.argsort(pairs[:, 0])]
    np.testing.assert_array_equal(found, np.column_stack([np.arange(5), KNOWN]))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", "1\n2\n", "each of 5 source vertices"),
        ("a.npy", np.arange(6), "each of 5 source vertices"),
        ("a.npy", np.arange(5.0), "expected whole numbers, found 5 of float64"),
        ("a.npy", np.zeros((0,), int), "expected whole numbers, found 0"),
        ("a.npy", "no array", "expected an array"),
        ("a.npz", {"other": KNOWN}, "expected an array"),
        ("a.npz", "no archive", "expected an array"),
        ("a.vts", "0\n1\n2\n3\n4\n", "expected numbers from 1 in a .vts, found 0"),
        ("a.txt", "1\n2\n3.5\n4\n5\n", "expected 1 whole numbers in each line"),
        ("a.txt", "1 2\n3\n", "expected 2 whole numbers in each line"),
        ("a.txt", "1 2 3\n4 5 6\n", "expected one or two numbers a line, found 3"),
        ("a.txt", "99999999999999999999\n" * 5, "expected 1 whole numbers"),
        ("a.csv", "vertex,match\n1,2\n", "columns source,target"),
        ("a.csv", "source,target\n", "expected vertex numbers, found none"),
        ("a.csv", "", "found an empty file"),
        ("missing.csv", None, "no such file"),
    ],
)
def test_a_truth_that_is_none_is_refused(name, content, words, tmp_path):
    """Whatever is no list of matches is refused in one line that names the file."""
    path = tmp_path / name
    if content is not None:
        put(path, content)
    with pytest.raises(ReadError) as caught:
        truth.read(path, np.arange(5))
    message = str(caught.value)
    assert message.startswith(str(path))
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize(("given", "words"), [("3\n0\n2\n1\n9\n", "found 9"), ("5,0\n", "found 5")])
def test_numbers_that_a_shape_does_not_have_are_refused(given, words, tmp_path):
    """A truth must stay among the vertices of both shapes."""
    path = put(tmp_path / "truth.txt", given)
    vertices, faces = body(rings=3)
    five = cloud(vertices[:5])
    with pytest.raises(DataError, match=f"expected vertex numbers from 0 to [0-9]+, {words}"):
        truth.Truth.of(five, five if "9" in given else cloud(vertices, faces), str(path))


def test_a_point_left_out_of_a_cloud_is_not_judged():
    """With the same index, points that either file lacks are skipped; naming one is refused."""
    vertices, faces = body(rings=5)
    kept = np.delete(np.arange(len(vertices)), [2, 7])
    source = cloud(vertices[kept], numbers=kept)
    known = truth.Truth.of(source, cloud(vertices, faces), "same-index")
    np.testing.assert_array_equal(kept[known.source], known.target)
    np.testing.assert_array_equal(known.target, kept)
    with pytest.raises(DataError, match="point 7 is not finite in the file"):
        truth.indices(np.array([3, 7]), kept, "made")
    with pytest.raises(DataError, match="expected files of one numbering, found 4 and"):
        truth.Truth.of(cloud(vertices[:4]), cloud(vertices, faces), "same-index")


def test_errors_are_distances_along_the_surface():
    """A perfect match has error 0 and a full curve; one wrong vertex errs by its distance."""
    vertices, faces = body(rings=5)
    shape, count = cloud(vertices, faces), len(vertices)
    known = truth.Truth.of(shape, shape, "same-index")
    perfect = known.errors(a_match(shape, shape, np.arange(count)[:, None]), seed=0)
    assert perfect.mean == 0
    np.testing.assert_array_equal(perfect.curve, np.ones(len(truth.THRESHOLDS)))
    wrong = np.arange(count)[:, None].copy()
    wrong[4, 0] = count - 1
    one = known.errors(a_match(shape, shape, wrong), seed=0)
    assert one.each[4] == known.surface.from_vertex(4)[count - 1] > 0.3
    assert abs(one.mean - one.each[4] / count) < 1e-12
    assert abs(one.curve[0] - (1 - 1 / count)) < 1e-12


# What is written.


def test_numbers_in_a_table_are_the_files(tmp_path):
    """Where points were left out, the CSV and the arrays speak of the files' own numbers."""
    vertices, _ = body(rings=2)
    source = cloud(vertices[:3], numbers=np.array([1, 4, 9]))
    target = cloud(vertices[:4], numbers=np.array([0, 5, 6, 30]))
    matched = a_match(source, target, np.array([[3, 0], [0, 1], [2, 1]]))
    for name in ("m.csv", "m.npz"):
        output.write(
            matched, tmp_path / name, overwrite=False, summary={}, errors=None, transferred=None
        )
    rows = [line.split(",") for line in (tmp_path / "m.csv").read_text().splitlines()]
    assert rows[0] == ["source", "target", "distance", "weight"]
    assert [row[:2] for row in rows[1:]] == [
        ["1", "30"], ["1", "0"], ["4", "0"], ["4", "5"], ["9", "6"], ["9", "5"],
    ]  # fmt: skip
    np.testing.assert_array_equal([float(row[2]) for row in rows[1:]], matched.apart.ravel())
    with np.load(tmp_path / "m.npz", allow_pickle=False) as held:
        assert held["source"].tolist() == [1, 4, 9]
        assert held["target"].tolist() == [30, 0, 6]
        assert held["choices"].tolist() == [[30, 0], [0, 5], [6, 5]]
        np.testing.assert_array_equal(held["weights"], matched.weights)
        np.testing.assert_array_equal(held["distance"], matched.distance)


def test_a_matrix_reads_back_exactly(tmp_path):
    """The text of a motion has every digit of it, and text and arrays agree."""
    import io

    motion = np.random.default_rng(2).normal(size=(4, 4)) * 1e-7
    again = np.loadtxt(io.StringIO(output.motion_text(motion)))
    np.testing.assert_array_equal(again, motion)


def test_colours_tell_places_apart():
    """A corner of the box is dark, the opposite one bright; a flat axis has one colour."""
    colors = output.position_colors(np.array([[0, 0, 5], [2, 10, 5], [1, 5, 5.0]]))
    np.testing.assert_allclose(colors[:, :2], [[0.1, 0.1], [0.95, 0.95], [0.525, 0.525]])
    assert np.ptp(colors[:, 2]) == 0
    assert ((colors >= 0) & (colors <= 1)).all()


def folder_of(matched: Matched, path: Path, *, overwrite: bool = False, **given: object) -> None:
    output.write(
        matched, path, overwrite=overwrite,
        **{"summary": {}, "errors": None, "transferred": None} | given,
    )  # fmt: skip


@pytest.fixture
def small() -> Matched:
    vertices, faces = body(rings=2)
    shape = cloud(vertices, faces)
    return a_match(shape, shape, np.arange(len(vertices))[:, None])


def test_a_folder_is_replaced_whole(small, tmp_path):
    """An earlier match is replaced with --overwrite: nothing of it is left, the folder stays."""
    out = tmp_path / "out"
    errors = truth.Errors(each=np.array([0.0, 0.02]))
    folder_of(small, out, errors=errors, transferred=("transferred.npy", np.arange(3)))
    place = out.stat().st_ino
    assert {"errors.csv", "transferred.npy"} < {one.name for one in out.iterdir()}
    with pytest.raises(WriteError, match="already exists; add --overwrite"):
        folder_of(small, out)
    (out / ".part").mkdir()  # as a killed run leaves it
    folder_of(small, out, overwrite=True)
    assert out.stat().st_ino == place
    assert sorted(one.name for one in out.iterdir()) == [
        "match.csv", "match.json", "match.npz", "source.ply", "target.ply",
    ]  # fmt: skip
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_a_failure_leaves_no_folder(small, tmp_path, monkeypatch):
    """When writing stops halfway, a new folder does not appear and an old one is untouched."""
    out = tmp_path / "out"
    folder_of(small, out)
    before = {one.name: one.read_bytes() for one in out.iterdir()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(output, "write_arrays", full)
    for path in (out, tmp_path / "new"):
        with pytest.raises(WriteError, match="cannot be written: No space left"):
            folder_of(small, path, overwrite=True)
    assert {one.name: one.read_bytes() for one in out.iterdir()} == before
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_outputs_that_would_hurt_are_refused(tmp_path):
    """Strangers in a folder, files in its place, and inputs inside it are left alone."""
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="expected a folder's name, found a file"):
        output.check(tmp_path / "file", overwrite=True)
    for stranger in ("mine.txt", "match.csv/inner"):
        folder = tmp_path / stranger.replace("/", "-").replace(".", "-")
        (folder / stranger).parent.mkdir(parents=True)
        (folder / stranger).touch()
        with pytest.raises(WriteError, match="expected an empty folder or an earlier match"):
            output.check(folder, overwrite=True)
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    (earlier / "source.ply").touch()
    with pytest.raises(UsageError, match="the input lies in the output"):
        output.check(earlier, overwrite=True, inputs=[earlier / "source.ply"])
    with pytest.raises(UsageError, match=r"ends in \.csv or \.npz, or a folder's name"):
        output.check(tmp_path / "match.txt", overwrite=True)
    with pytest.raises(WriteError, match="there is no folder"):
        output.check(tmp_path / "none" / "out", overwrite=True)


# Matching in space.


def in_space(source: Cloud, target: Cloud, **given: object) -> Matched:
    recipe = Recipe(
        stages={"prepare": "xyz"},
        options={"fit": {"components": 6}, "plan": {"random": 4, "waves": 0}},
        seed=0,
    )
    stages = (
        recipe.build("prepare"),
        recipe.build("fit", auto="gmm"),
        recipe.build("plan", auto="mew2"),
    )
    return inspace.match(source, target, *stages, seed=0, **given)  # type: ignore[arg-type]


def test_a_similar_copy_is_matched_by_its_similarity():
    """Every vertex and the motion of a turned, moved, enlarged and reordered copy are found."""
    vertices, faces = body(rings=6)
    order = np.random.default_rng(3).permutation(len(vertices))
    turn = Rotation.from_rotvec([0.4, -1.0, 2.0]).as_matrix()
    moved = 2.5 * vertices @ turn.T + [3.0, -2.0, 0.7]
    matched = in_space(cloud(vertices, faces), cloud(moved[order], np.argsort(order)[faces]))
    np.testing.assert_array_equal(order[matched.index], np.arange(len(vertices)))
    assert matched.motion is not None
    np.testing.assert_allclose(matched.motion[:3, :3], 2.5 * turn, atol=0.02)
    np.testing.assert_allclose(matched.motion[:3, 3], [3.0, -2.0, 0.7], atol=0.02)
    assert matched.score > 0.999


def test_without_refinement_the_maps_neighbours_are_the_match():
    """--no-refine gives choices and a score, and claims no motion."""
    vertices, faces = body(rings=6)
    matched = in_space(cloud(vertices, faces), cloud(twisted(vertices), faces), refine=False, top=3)
    assert matched.motion is None
    assert matched.choices.shape == (len(vertices), 3)
    assert all(len(set(row)) == 3 for row in matched.choices.tolist())
    assert 0.9 < matched.score <= 1


def test_one_place_cannot_be_matched_in_space():
    """Points that all coincide are refused by name."""
    with pytest.raises(DataError, match="made: expected points that differ, found one place"):
        in_space(cloud(np.ones((30, 3))), cloud(body(rings=3)[0]))


@pytest.mark.parametrize("proper", [True, False])
def test_a_rigid_copy_is_found_without_a_first_guess(proper):
    """The motion is found, also that of a mirror image where those are allowed."""
    vertices, faces = body(rings=8)
    turn = Rotation.from_rotvec([2.0, 1.0, -0.5]).as_matrix() @ np.diag([1, 1, 1 if proper else -1])
    target = cloud(vertices @ turn.T + [1, 2, 3], faces if proper else faces[:, ::-1])
    matched = inspace.match_rigid(
        cloud(vertices, faces), target, seed=0, rotation="proper" if proper else "any"
    )
    np.testing.assert_array_equal(matched.index, np.arange(len(vertices)))
    near = 1e-9 if proper else 1e-3  # faces wound the other way are sampled at other places
    np.testing.assert_allclose(matched.motion[:3, :3], turn, atol=near)
    np.testing.assert_allclose(matched.embedding, matched.motion[:3, :3].T)
    assert matched.distance.max() < near


def test_faces_without_area_are_registered_by_their_vertices():
    """A soup of needles is a cloud: its copy lies on it."""
    points = np.random.default_rng(4).normal(size=(60, 3)) * [3, 2, 1]
    faces = np.arange(60)[:, None].repeat(3, axis=1)
    matched = inspace.match_rigid(cloud(points, faces), cloud(points + 5.0, faces), seed=0)
    np.testing.assert_array_equal(matched.index, np.arange(60))


# Matching by spectral coordinates.


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search little: the bodies here have few optima."""
    for name, value in (("SIGNS", 16), ("RANDOM", 20), ("CANDIDATES", 12), ("FINALISTS", 4)):
        monkeypatch.setattr(spectral, name, value)


def by_spectrum(source: Cloud, target: Cloud, **given: object) -> Matched:
    fit = Recipe(stages={}, options={}, seed=0).build("fit", auto="gmm")
    prepare = Spectral(dimensions=6, sample=3000)
    return spectral.match(source, target, prepare, fit, seed=0, **given)  # type: ignore[arg-type]


@pytest.mark.usefixtures("quick")
def test_another_pose_is_matched_whatever_its_order_and_place():
    """A twisted, turned, enlarged and reordered copy is matched vertex by vertex."""
    vertices, faces = body()
    order = np.random.default_rng(5).permutation(len(vertices))
    pose = 7 * twisted(vertices) @ Rotation.from_rotvec([1.0, 2.0, 0.5]).as_matrix().T + 10
    target = cloud(pose[order], np.argsort(order)[faces])
    matched = by_spectrum(cloud(vertices, faces), target)
    known = truth.Truth(
        source=np.arange(len(order)), target=np.argsort(order), surface=truth.Geodesics(target)
    )
    assert known.errors(matched, seed=0).mean < 0.01
    assert matched.upright is not None
    assert matched.upright > 0.9
    assert matched.runner_up is not None
    assert matched.score > max(0.8, matched.runner_up)


@pytest.mark.usefixtures("quick")
def test_left_stays_left():
    """Of a body with a left and a right, the outside tells them apart, however faces are wound."""
    limbs = (
        ((0.6, 1.2), 1.0),
        ((-0.6, 1.2), 1.0),
        ((2.6, 1.9), 0.8),
        ((-2.6, 1.9), 0.8),
        ((0.0, 0.5), 0.9),
    )
    vertices, faces = body(limbs, rings=12)
    pose = cloud(twisted(vertices), faces[:, ::-1])
    matched = by_spectrum(cloud(vertices, faces), pose)
    far = np.abs(vertices[:, 1]) > 0.5
    sides = np.sign(vertices[matched.index[far], 1]) == np.sign(vertices[far, 1])
    assert sides.mean() > 0.95
    assert matched.mirrored is not None


@pytest.mark.usefixtures("quick")
def test_a_mirror_image_is_found_where_it_is_allowed():
    """With any, a mirrored pose is matched as it is; with proper, it is set aside."""
    vertices, faces = body()
    mirror = cloud(twisted(vertices) * [-1, 1, 1], faces[:, ::-1])
    matched = by_spectrum(cloud(vertices, faces), mirror, rotation="any")
    known = truth.Truth.of(cloud(vertices, faces), mirror, "same-index")
    assert known.errors(matched, seed=0).mean < 0.03
    assert matched.upright is not None
    assert matched.upright < -0.9
    proper = by_spectrum(cloud(vertices, faces), mirror)
    assert known.errors(proper, seed=0).mean > 0.1
    assert proper.score < matched.score
    assert proper.mirrored is not None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"rotation": "left"}, "--rotation: expected proper or any"),
        ({"top": 0}, "--top 0: expected at least 1"),
        ({"polished": True}, "--icp refines a motion; add --rigid"),
        ({"rigid": True, "refine": False}, "--no-refine leaves nothing of --rigid"),
        ({"rigid": True, "pairs": ("1=2",)}, "--pair needs --prepare spectral"),
        ({"pairs": ("1=2",), "refine": False}, "--pair acts in the refinement"),
    ],
)
def test_combinations_that_could_never_work_are_refused(given, words):
    """A request says at once, without files, what is wrong with it."""
    with pytest.raises(UsageError, match=words):
        Request(recipe=Recipe(stages={}, options={}, seed=0), **given)


def test_a_vertex_no_face_uses_does_not_fade_the_colours():
    """The box that colours are taken from is that of the surface."""
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [100, 100, 100.0]])
    colors = output.position_colors(vertices, np.array([[0, 1, 2]]))
    np.testing.assert_allclose(np.ptp(colors[:3, :2], axis=0), 0.85)
    np.testing.assert_allclose(colors[3, :2], 0.95)
