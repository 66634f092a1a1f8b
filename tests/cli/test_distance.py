"""`gwtransfer distance`: one number, the same whichever is named first, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from gwtransfer import jobs
from gwtransfer.core.types import GaussianMixture
from gwtransfer.io import store
from gwtransfer.opening import Opening
from gwtransfer.plan.mgw2 import MGW2
from gwtransfer.recipe import Recipe

from .conftest import QUICK, Run

FEW = ("-k", "6", "--sample", "800", *QUICK)
FLOAT64, SIX_DIGITS = 1e-6, 1e-2
"""How far a moved copy may be, as a share of the root of the constant (MATHS 9)."""


def blob(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return vertices and faces of a closed surface without symmetry."""
    rng = np.random.default_rng(seed)
    theta, phi = np.meshgrid(np.linspace(0, np.pi, 16), np.arange(24) * np.pi / 12, indexing="ij")
    radius = 1.0 + sum(
        rng.uniform(0.1, 0.3) * np.sin(a * theta) * np.cos(b * phi + rng.uniform(0, 6))
        for a, b in ((1, 1), (2, 1), (1, 2), (3, 2))
    )
    vertices = np.stack(
        [
            1.9 * radius * np.sin(theta) * np.cos(phi),
            1.2 * radius * np.sin(theta) * np.sin(phi),
            radius * np.cos(theta),
        ],
        axis=-1,
    ).reshape(-1, 3)
    number = np.arange(16 * 24).reshape(16, 24)
    a, b = number[:-1], np.roll(number, -1, axis=1)[:-1]
    c, d = number[1:], np.roll(number, -1, axis=1)[1:]
    faces = np.concatenate([np.stack([a, c, b], -1), np.stack([b, c, d], -1)]).reshape(-1, 3)
    return vertices, faces


def write_obj(path: str, vertices: np.ndarray, faces: np.ndarray, digits: int) -> None:
    lines = ["v " + " ".join(f"{x:.{digits}f}" for x in row) for row in vertices]
    lines += ["f " + " ".join(str(i + 1) for i in row) for row in faces]
    Path(path).write_text("\n".join(lines) + "\n")


def write_ply(path: str, vertices: np.ndarray, faces: np.ndarray, word: str) -> None:
    kind = {"float": "<f4", "double": "<f8"}[word]
    head = (
        f"ply\nformat binary_little_endian 1.0\nelement vertex {len(vertices)}\n"
        + "".join(f"property {word} {axis}\n" for axis in "xyz")
        + f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    rows = np.empty(len(faces), dtype=[("n", "u1"), ("i", "<i4", 3)])
    rows["n"], rows["i"] = 3, faces
    Path(path).write_bytes(head.encode() + vertices.astype(kind).tobytes() + rows.tobytes())


def turned(vertices: np.ndarray) -> np.ndarray:
    return Rotation.random(random_state=3).apply(vertices) + np.array([3.0, -2.0, 0.7])


@pytest.fixture
def shapes(folder: Path) -> Path:
    """Write two shapes and copies of the first, moved and turned, of several precisions."""
    first, faces = blob(0)
    write_ply("a.ply", first, faces, "double")
    write_ply("turned.ply", turned(first), faces, "double")
    write_ply("float.ply", turned(first), faces, "float")
    write_obj("six.obj", turned(first), faces, 6)
    write_ply("mirror.ply", first * [1, 1, -1], faces, "double")
    write_ply("large.ply", 2 * first, faces, "double")
    write_ply("b.ply", blob(1)[0], faces, "double")
    return folder


def number(result: object) -> float:
    return float(result.out)  # type: ignore[attr-defined]


def constant(plan: object) -> float:
    """Return the root of the part of the solver's objective that no coupling changes."""
    sides = (plan.source, plan.target)  # type: ignore[attr-defined]
    if plan.solver == "mgw2":  # type: ignore[attr-defined]
        own = [MGW2().own(side) for side in sides]
        return float(
            np.sqrt(sum(s.weights @ d**2 @ s.weights for s, d in zip(sides, own, strict=True)))
        )
    return float(np.sqrt(sum(np.trace(side.covariance) for side in sides)))


@pytest.mark.parametrize("solver", ["mgw2", "mew2"])
@pytest.mark.parametrize("prepare", ["xyz", "spectral"])
def test_the_order_does_not_matter(run: Run, shapes: Path, solver: str, prepare: str) -> None:
    """The same digits both ways, above zero for other shapes and exactly zero for the same file."""
    chosen = ("--solver", solver, "--prepare", prepare, *FEW)
    one, other = (
        run("distance", *pair, *chosen) for pair in (("a.ply", "b.ply"), ("b.ply", "a.ply"))
    )
    assert (one.code, one.err, one.out) == (0, "", other.out)
    assert number(one) > 0.01
    assert 0 <= number(run("distance", "a.ply", "a.ply", *chosen)) < 1e-7


@pytest.mark.parametrize("prepare", ["xyz", "spectral"])
@pytest.mark.parametrize("solver", ["mgw2", "mew2"])
@pytest.mark.parametrize(
    ("copy", "most"),
    [("turned.ply", FLOAT64), ("float.ply", SIX_DIGITS), ("six.obj", SIX_DIGITS)],
)
def test_a_moved_copy_is_at_no_distance(
    shapes: Path, copy: str, most: float, solver: str, prepare: str
) -> None:
    """In double precision up to rounding, in float32 and six digits up to theirs."""
    quick = {"prepare": {"sample": 2000}, "plan": {"random": 5, "waves": 0}}
    recipe = Recipe(stages={"plan": solver, "prepare": prepare}, options=quick)
    found = jobs.distance(Path("a.ply"), Path(copy), recipe, opening=Opening())
    assert 0 <= found.plan.distance <= most * constant(found.plan)
    other = jobs.distance(Path("a.ply"), Path("b.ply"), recipe, opening=Opening())
    assert other.plan.distance > 0.05 * constant(other.plan)


@pytest.mark.parametrize("solver", ["mgw2", "mew2"])
def test_a_moved_mixture_is_at_no_distance(done: Run, shapes: Path, solver: str) -> None:
    """A stored mixture and its image by an isometry, components in another order."""
    done("fit", "a.ply", "-o", "a.npz", "-k", "6")
    mixture, provenance = store.load_artefact(Path("a.npz"))
    assert isinstance(mixture, GaussianMixture)
    turn = Rotation.random(random_state=5).as_matrix()
    order = np.random.default_rng(0).permutation(mixture.count)
    moved = GaussianMixture(
        weights=mixture.weights[order],
        means=mixture.means[order] @ turn.T + [1.0, 2.0, 3.0],
        covariances=turn @ mixture.covariances[order] @ turn.T,
        space=mixture.space,
        seed=9,
    )
    store.save_mixture(moved, Path("b.npz"), provenance)
    pair = (Path("a.npz"), Path("b.npz"))
    recipe = Recipe(stages={"plan": solver}, options={"plan": {"random": 5, "waves": 0}})
    found, back = (jobs.distance(*paths, recipe, opening=Opening()) for paths in (pair, pair[::-1]))
    assert found.plan.value == back.plan.value
    assert 0 <= found.plan.distance <= FLOAT64 * constant(found.plan)


def test_size_and_mirror_images_are_seen_when_asked(done: Run, shapes: Path) -> None:
    """Without --keep-size a double is at distance 0, as is a mirror image without rotations."""
    assert number(done("distance", "a.ply", "large.ply", *FEW)) < 1e-6
    assert number(done("distance", "a.ply", "large.ply", "--keep-size", *FEW)) > 0.5
    assert number(done("distance", "a.ply", "mirror.ply", *FEW)) < 1e-6
    mew2 = ("--solver", "mew2", *FEW)
    assert number(done("distance", "a.ply", "mirror.ply", *mew2)) < 1e-6
    proper = ("--set", "plan.rotation=proper")
    assert number(done("distance", "a.ply", "mirror.ply", *mew2, *proper)) > 0.01


def test_restarts_print_the_median_and_say_the_spread(run: Run, shapes: Path) -> None:
    """Each restart is the distance of its seed; of four the second smallest is printed."""
    each = [
        float(run("distance", "a.ply", "b.ply", "--seed", seed, *FEW).out) for seed in range(2, 6)
    ]
    result = run("distance", "a.ply", "b.ply", "--seed", 2, "--restarts", 4, *FEW)
    assert result.code == 0
    assert number(result) == sorted(each)[1]
    assert f"from {min(each):.6g} to {max(each):.6g}" in result.err
    told = json.loads(
        run("distance", "b.ply", "a.ply", "--seed", 2, "--restarts", 4, "--json", *FEW).out
    )
    assert told["seeds"] == [2, 3, 4, 5]
    np.testing.assert_allclose(told["roots"], each, rtol=1e-11)
    assert (told["least"], told["most"]) == (min(told["roots"]), max(told["roots"]))


def test_shapes_are_halved_and_pictures_fitted(run: Run, done: Run, shapes: Path) -> None:
    """Each by the fit that suits it unless told; stored mixtures say which made them, and two
    shapes that different fits made are compared with a note.
    """
    done("fit", "a.ply", "-o", "halved.npz")
    done("fit", "a.ply", "-o", "em.npz", "--set", "fit=gmm", "--set", "fit.iterations=5")
    done("fit", "photo.png", "-o", "photo.npz", "-k", "2")
    fits = [
        store.load_artefact(Path(f"{name}.npz"))[1]["fit"] for name in ("halved", "em", "photo")
    ]
    assert [fit["stage"] for fit in fits] == ["halving", "gmm", "gmm"]
    assert number(done("distance", "a.ply", "halved.npz", *QUICK)) < 1e-6
    result = run("distance", "halved.npz", "em.npz", *QUICK)
    assert result.code == 0
    assert "fitted by gmm, the other by halving" in result.err
    result = run("distance", "a.ply", "b.ply", "--set", "fit.iterations=5")
    assert result.code == 2
    assert "fit stage halving has no option 'iterations'" in result.err


def test_json_says_how_the_number_came_about(done: Run, shapes: Path) -> None:
    """One line, one object: root, value, bound, starts, and both sides in the order named."""
    first = done("distance", "b.ply", "a.ply", "--json", *FEW).out
    assert first == done("distance", "b.ply", "a.ply", "--json", *FEW).out
    assert first.count("\n") == 1
    told = json.loads(first)
    assert told["root"] == pytest.approx(np.sqrt(told["value"]), rel=1e-15)
    assert 0 <= told["bound"] <= told["value"]
    assert 1 <= told["reached"] <= told["starts"]
    assert (told["solver"], told["converged"]) == ("mgw2", True)
    assert [side["file"] for side in told["sides"]] == ["b.ply", "a.ply"]
    for side in told["sides"]:
        assert (side["components"], side["dimension"], side["coordinates"]) == (6, 3, "xyz")
        assert side["prepare"]["sample"] == 800
        assert (side["fit"]["stage"], side["fit"]["components"]) == ("halving", 6)
        assert side["seed"] == 0


@pytest.fixture
def refused(run: Run, shapes: Path, done: Run) -> Callable[..., str]:
    """Fit stored mixtures; then run, expect an exit code and one line."""
    done("fit", "a.ply", "-o", "a.npz", *FEW[:4])
    done("fit", "b.ply", "-o", "sized.npz", "--set", "prepare.size=true", *FEW[:4])
    done("fit", "b.ply", "-o", "s.npz", "--set", "prepare=spectral", *FEW[:4])
    done("fit", "photo.png", "-o", "p.npz", "-k", "2")

    def call(code: int, *arguments: object) -> str:
        result = run("distance", *arguments)
        assert (result.code, result.out, result.err.count("\n")) == (code, "", 1), result
        return result.err

    return call


def test_unlike_things_are_not_compared(refused: Callable[..., str]) -> None:
    """A shape and a picture, coordinates of two kinds, sizes kept on one side only."""
    for pair in (("a.ply", "photo.png"), ("photo.png", "a.npz"), ("p.npz", "a.npz")):
        words = refused(1, *pair, *QUICK)
        assert "a shape in xyz coordinates" in words
        assert "a picture or cube (oklab)" in words
    words = refused(1, "a.npz", "s.npz")
    assert words.startswith("gwtransfer: s.npz: ")
    assert "a shape in spectral coordinates" in words
    assert "size=True and not False" in refused(1, "a.npz", "sized.npz")
    assert "kind=biharmonic and not commute" in refused(
        1, "s.npz", "a.ply", "--prepare", "spectral", "--set", "prepare.kind=biharmonic"
    )


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (("-k", "3"), "components"),
        (("--sample", "9"), "sample"),
        (("--seed", "4"), "seed"),
        (("--keep-size",), "size"),
        (("--prepare", "spectral"), "prepare"),
        (("--restarts", "2"), "restarts"),
        (("--bands", "1-2"), "bands"),
    ],
)
def test_stored_mixtures_are_not_fitted_again(
    refused: Callable[..., str], given: tuple[str, ...], word: str
) -> None:
    """An option of a fit is refused where both sides are fitted, instead of being ignored."""
    assert f"found {word};" in refused(2, "a.npz", "a.npz", *given)


def test_one_fit_at_least(refused: Callable[..., str]) -> None:
    """No restarts at all is no request."""
    assert "at least 1" in refused(2, "a.ply", "b.ply", "--restarts", "0")


def test_too_few_components_are_said(run: Run, shapes: Path) -> None:
    """One component has no mutual distance: 0 to everything, with a note."""
    result = run("distance", "a.ply", "b.ply", "-k", "1", *QUICK)
    assert number(result) == 0
    assert "use more --components" in result.err
