"""The Python functions: arrays are as good as files, nothing is left behind, words are checked."""

import doctest
import inspect
import pickle
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest
from PIL import Image
from threadpoolctl import threadpool_info

import gwtransfer as gw
from gwtransfer.api import words
from gwtransfer.api.messages import in_python
from gwtransfer.errors import (
    DataError,
    MissingError,
    ReadError,
    ShapeError,
    UnknownStageError,
    UsageError,
)
from gwtransfer.matching.job import Result
from gwtransfer_cli import calls
from gwtransfer_cli.app import main
from gwtransfer_cli.commands import apply, color, distance, fit, match, plan

FEW = {"components": 2, "starts": "few"}


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    """Small inputs: a cube with holes, a picture and a gray one, points, and a mask."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:24, 0:20] / 24
    waves = np.linspace(0, 1, 6)
    cube = np.sin(3 * x[..., None] + 2 * waves) + y[..., None] * waves + 2
    cube = (cube + rng.normal(0, 0.05, cube.shape)).astype(np.float32)
    cube[7, 3:9] = np.nan
    photo = np.stack([x, (x + y) / 2, 1 - y], axis=-1) * 255
    photo = np.clip(photo + rng.normal(0, 12, photo.shape), 0, 255).astype(np.uint8)
    return {
        "cube": cube,
        "photo": photo,
        "palette": (rng.random((12, 12, 3)) ** [1, 2, 3] * 255).astype(np.uint8),
        "gray": (np.clip((x + y) / 2, 0, 1) * 255).astype(np.uint8),
        "points": rng.normal(size=(400, 3)) * [3, 2, 1],
    }


@pytest.fixture
def folder(arrays: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a fresh folder that holds the inputs as files."""
    monkeypatch.chdir(tmp_path)
    for name in ("cube", "points"):
        np.save(f"{name}.npy", arrays[name])
    for name in ("photo", "palette", "gray"):
        Image.fromarray(arrays[name]).save(f"{name}.png")
    return tmp_path


def test_import_loads_nothing() -> None:
    """`import gwtransfer` loads neither NumPy nor typer, and yet shows all its names."""
    code = (
        "import sys, gwtransfer as gw; assert {*gw.__all__} <= {*dir(gw)}; "
        "print([name for name in ('numpy', 'typer', 'sklearn') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_names() -> None:
    """Every public name is there; another is refused as by any module."""
    assert all(getattr(gw, name) is not None for name in gw.__all__)
    with pytest.raises(AttributeError, match="no attribute 'trasnfer'"):
        gw.trasnfer  # noqa: B018


@pytest.mark.parametrize(
    ("command", "function", "hints"),
    [
        (color.color, gw.transfer, words.TransferWords),
        (apply.apply, gw.apply, words.ApplyWords),
        (distance.distance, gw.distance, words.DistanceWords),
        (match.match, gw.match, words.MatchWords),
        (fit.fit, gw.fit_mixture, words.FitMixtureWords),
        (plan.plan, gw.plan_between, words.PlanWords),
    ],
)
def test_names_of_keywords(
    command: Callable[..., int], function: Callable[..., object], hints: type
) -> None:
    """Editors and type checkers know every option of a command that means something in Python."""
    elsewhere = {"ctx", "recipe_file", *calls.COMMON, *calls.WRITERS, "extension", "scheduler"}
    options = {
        calls.key_of(name, one.annotation)
        for name, one in inspect.signature(command).parameters.items()
        if name not in elsewhere
    }
    known = {*get_type_hints(hints), *inspect.signature(function).parameters}
    if function is gw.fit_mixture:
        options -= {"file", "output", "overwrite"}
    if function is gw.plan_between:
        options -= {"output", "overwrite"}
    assert options - known - {"set", "sources"} == set()


@pytest.mark.parametrize(
    ("source", "palette", "keywords"),
    [
        ("cube.npy", "palette.png", {}),
        ("photo.png", "palette.png", {"mask": "gray.png", "feather": 2.0}),
        ("gray.png", "palette.png", {"palette_mask": None, "map": "nearest"}),
        ("palette.png", "cube.npy", {"pair": None, "bands": "2-3"}),
        ("cube.npy", ["palette.png", "photo.png"], {"palette_weights": [1, 3], "preview": True}),
    ],
)
def test_arrays_are_files(
    source: str,
    palette: str | list[str],
    keywords: dict[str, object],
    arrays: dict[str, np.ndarray],
    folder: Path,
) -> None:
    """Arrays, or some of them, give the image of their files, bit by bit, written or kept."""

    def array(name: object) -> object:
        if isinstance(name, list):
            return [array(one) for one in name]
        return arrays.get(str(name).partition(".")[0], name)

    values = {name: array(value) for name, value in keywords.items()}
    written = gw.transfer(source, palette, "out.npy", **FEW, **keywords)
    kept = gw.transfer(array(source), array(palette), **FEW, **values)
    assert np.load("out.npy").tobytes() == kept.image.astype("<f4").tobytes()
    assert kept.order == written.order
    mixed = gw.transfer(source, array(palette), "mixed.npy", **FEW, **values)
    assert Path("mixed.npy").read_bytes() == Path("out.npy").read_bytes()
    assert mixed.image.tobytes() == written.image.tobytes()


@pytest.mark.parametrize(
    ("source", "keywords"), [("cube", {"strength": 0.5}), ("photo", {"map": "nearest"})]
)
def test_plans_applied(
    source: str, keywords: dict[str, object], arrays: dict[str, np.ndarray], folder: Path
) -> None:
    """A plan at hand, or stored, gives its source the image it was made with, whatever it reads."""
    made = gw.transfer(arrays[source], arrays["palette"], **FEW, **keywords)
    gw.save(made.plan, "plan.npz")
    palette = {"palette": arrays["palette"]} if "map" in keywords else {}
    for at_hand in (made.plan, "plan.npz"):
        again = gw.apply(at_hand, arrays[source], **palette, **keywords)
        assert again.image.tobytes() == made.image.tobytes()
    gw.apply("plan.npz", arrays[source], "out.npy", **palette, **keywords)
    assert np.load("out.npy").tobytes() == made.image.astype("<f4").tobytes()


def test_image_of_a_file(folder: Path) -> None:
    """The image of what was written is what the file holds; holes stay holes."""
    result = gw.transfer("cube.npy", "palette.png", "out.tif", **FEW)
    assert result.image.shape == (24, 20, 3)
    holes = np.isnan(result.image).all(axis=2)
    assert np.flatnonzero(holes).tolist() == [7 * 20 + column for column in range(3, 9)]
    opened = gw.load("out.tif")
    assert isinstance(opened, gw.Raster)
    assert gw.values(opened).tobytes() == result.image.tobytes()


def test_kinds_of_arrays(arrays: dict[str, np.ndarray], folder: Path) -> None:
    """An array is what its .npy file is, unless it is told."""
    for array in (arrays["photo"], arrays["gray"], arrays["cube"], arrays["photo"] / 255.0,
                  arrays["photo"].astype(np.uint16), arrays["photo"] / 254.0):  # fmt: skip
        np.save("one.npy", array)
        stored, held = gw.load("one.npy"), gw.raster(array)
        assert isinstance(stored, gw.Raster)
        assert (held.kind, held.dtype, held.bands) == (stored.kind, stored.dtype, stored.bands)
        assert gw.values(held).tobytes() == gw.values(stored).tobytes()
    deep = gw.raster(np.array([[0, 65535]], dtype=np.uint16), kind="picture")
    assert gw.values(deep).ravel().tolist() == [0.0, 1.0]


def test_numbers_of_numpy(arrays: dict[str, np.ndarray]) -> None:
    """Keywords may be NumPy's numbers, as loops over arrays yield them."""
    sides = (arrays["photo"], arrays["palette"])
    made = gw.transfer(*sides, seed=np.int64(3), strength=np.float32(0.5), components=np.int32(2))
    same = gw.transfer(*sides, seed=3, strength=0.5, fit={"components": np.int64(2)})
    assert made.image.tobytes() == same.image.tobytes()
    points = arrays["points"]
    assert gw.MixtureTransport(np.int64(2)).fit(points, points).plan_.source.count == 2


def test_distances(arrays: dict[str, np.ndarray], folder: Path) -> None:
    """A distance is one number, whatever form its sides have and whichever comes first."""
    other = arrays["points"] ** 2
    np.save("other.npy", other)
    found = gw.distance("points.npy", "other.npy", components=4)
    mixtures = [gw.fit_mixture(side, components=4) for side in (arrays["points"], other)]
    gw.save(mixtures[1], "other.npz")
    assert found > 0.1
    assert found == gw.distance(other, arrays["points"], components=4)
    assert found == gw.distance(*mixtures)
    assert found == gw.distance(mixtures[0], "other.npz")
    assert found == gw.distance(arrays["points"], mixtures[1], components=4)
    assert found.plan.value == pytest.approx(found**2, rel=1e-12)
    again = pickle.loads(pickle.dumps(found))
    assert again == found
    assert again.plan.solver == "mgw2"
    spread = gw.distance(arrays["photo"], arrays["palette"], components=2, restarts=3)
    assert sorted(one.distance for one in spread.plans)[1] == spread


def test_match(arrays: dict[str, np.ndarray], folder: Path) -> None:
    """Shuffled and moved points are found again, from files and arrays, and written alike."""
    points = arrays["points"][:120]
    order = np.random.default_rng(1).permutation(120)
    moved = points[order] @ [[0, -1, 0], [1, 0, 0], [0, 0, 1]] + 5
    np.save("a.npy", points)
    np.save("b.npy", moved)
    asked = {"prepare": "xyz", "plan": {"starts": "few"}, "components": 8}
    held = gw.match(points, gw.Cloud(name="b", vertices=moved), "held.csv", **asked)
    gw.match("a.npy", "b.npy", "files.csv", **asked)
    assert isinstance(held, Result)
    assert (order[held.matched.index] == np.arange(120)).all()
    assert Path("held.csv").read_bytes() == Path("files.csv").read_bytes()


def test_stored_values(arrays: dict[str, np.ndarray], folder: Path) -> None:
    """What is saved is loaded again bit by bit, and serves the commands."""
    plan = gw.transfer(arrays["photo"], arrays["palette"], components=2).plan
    gw.save(plan, "plan.npz")
    again = gw.load("plan.npz")
    assert isinstance(again, gw.TransportPlan)
    assert again.coupling.tobytes() == plan.coupling.tobytes()
    assert main(["apply", "plan.npz", "photo.png", "-o", "out.png", "-q"]) == 0
    image = gw.apply(plan, arrays["photo"]).image
    assert np.array_equal(np.asarray(Image.open("out.png")), np.round(image * 255))
    gw.save(gw.raster(image, kind="picture"), "whole.exr")
    with pytest.raises(OSError, match="already exists"):
        gw.save(plan, "plan.npz")


def test_nothing_is_left_behind(
    arrays: dict[str, np.ndarray], folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """No function prints, or changes threads, warnings, random state or the arrays it is given."""

    def state() -> object:
        threads = {one["filepath"]: one["num_threads"] for one in threadpool_info()}
        return threads, list(warnings.filters), np.random.get_state()[1].tolist(), np.geterr()

    gw.transfer(arrays["cube"], arrays["palette"], **FEW)  # loads all
    before, values = state(), {name: array.copy() for name, array in arrays.items()}
    gw.transfer(arrays["cube"], arrays["palette"], "out.png", **FEW)
    gw.match(arrays["points"], arrays["points"], prepare="xyz", plan={"starts": "few"})
    gw.MixtureTransport(2, seed=1).fit(arrays["points"], arrays["points"]).transform([[0, 0, 0]])
    with pytest.raises(gw.GwTransferError):
        gw.transfer(arrays["cube"], arrays["palette"], "out.png")
    assert state() == before
    assert all(np.array_equal(arrays[name], values[name], equal_nan=True) for name in values)
    assert capfd.readouterr() == ("", "")


NOTHING = np.zeros((0, 3))
REFUSALS: list[tuple[Callable[[dict[str, np.ndarray]], object], type[Exception], str]] = [
    (lambda a: gw.transfer(), UsageError, "color: expected source, got none"),
    (lambda a: gw.transfer(5, a["palette"]), UsageError, "source: expected a path, an array or"),
    (lambda a: gw.transfer(a["cube"], []), UsageError, "expected a palette"),
    (lambda a: gw.transfer(a["cube"], a["palette"], "-"), UsageError, "expected a file, got -"),
    (lambda a: gw.transfer(a["cube"], a["palette"], depth=8), UsageError, "depth: expected an out"),
    (lambda a: gw.transfer(a["cube"], a["palette"], "o.png", depth=9), UsageError, "8, 16, float"),
    (lambda a: gw.transfer(a["cube"], a["palette"], load="npy"), UsageError, "is no file"),
    (lambda a: gw.transfer(a["cube"], a["palette"], variable="x"), UsageError, "expected a file"),
    (lambda a: gw.transfer(a["cube"], a["palette"], bands="9"), DataError, "expected bands 1 … 6"),
    (lambda a: gw.transfer(a["photo"], a["palette"], bands="1"), UsageError, "among a cube's"),
    (lambda a: gw.transfer(a["cube"], a["palette"], mask=a["photo"][:3]), DataError, "24 × 20"),
    (lambda a: gw.transfer(a["cube"], a["palette"], feather=1), UsageError, "give one"),
    (lambda a: gw.transfer(a["cube"], a["palette"], pair=5), UsageError, "a list of texts"),
    (lambda a: gw.transfer(a["cube"], a["palette"], "o.png", save_plan="p.npz"), UsageError,
     "gw.save"),
    (lambda a: gw.transfer(a["cube"], a["palette"], recipe=5), UsageError, "recipe: expected a"),
    (lambda a: gw.transfer(a["cube"], a["palette"], recipe={"command": "fit"}), UsageError,
     "expected command = \"color\", found 'fit'"),
    (lambda a: gw.transfer(a["cube"] * 1j, a["palette"]), DataError, "expected real numbers"),
    (lambda a: gw.transfer(NOTHING, a["palette"]), ShapeError, "source: expected (rows, columns)"),
    (lambda a: gw.raster(a["cube"], kind="film"), UsageError, "picture or cube, got 'film'"),
    (lambda a: gw.raster(a["cube"], wavelengths=np.ones(3)), ShapeError, "6 wavelengths"),
    (lambda a: gw.apply("no.npz", a["cube"]), ReadError, "no such file"),
    (lambda a: gw.apply(5, a["cube"]), UsageError, "plan: expected a plan or a path, got int"),
    (lambda a: gw.distance(a["points"], a["photo"]), DataError, "expected a shape"),
    (lambda a: gw.distance(gw.fit_mixture(a["points"]), a["photo"]), DataError, "of one kind"),
    (lambda a: gw.distance(gw.fit_mixture(a["points"]), gw.fit_mixture(a["points"]), sample=9),
     UsageError, "prepare: expected no options"),
    (lambda a: gw.distance(a["points"], a["points"], anchor=1.0), UnknownStageError, "'anchor'"),
    (lambda a: gw.match(a["points"], a["photo"]), DataError, "target: expected a shape"),
    (lambda a: gw.match((a["points"], [[0, 1, 999]]), a["points"]), ShapeError, "expected faces"),
    (lambda a: gw.fit_mixture(NOTHING), ReadError, "expected points, found none"),
    (lambda a: gw.stage("fit", "gmm", componets=2), UnknownStageError, "did you mean components?"),
    (lambda a: gw.load("nothing.png"), OSError, "no such file"),
    (lambda a: gw.save(gw.raster(a["cube"]), "cube.doc"), UsageError, "nothing writes .doc"),
    (lambda a: gw.save(3, "x.npz"), UsageError, "expected a mixture, plan or Raster, got int"),
    (lambda a: gw.fit_mixture(a["points"][:50].reshape(30, 5)), ShapeError, "found (30, 5); for p"),
    (lambda a: gw.distance(a["points"], a["gray"]), ShapeError, "second: expected points (n, 3)"),
    (lambda a: gw.transfer(a["photo"], a["palette"], pair="1,2"), UsageError, "pair 1,2: expected"),
    (lambda a: gw.transfer(a["photo"], a["palette"], palette_weights=[1, 2]), UsageError,
     "palette_weights: expected 1 numbers"),
    (lambda a: gw.transfer(a["cube"], a["palette"], solver="mw2"), DataError, "use solver mew2"),
    (lambda a: gw.transfer(a["cube"], a["palette"], seed="x"), UsageError, "seed: expected an int"),
    (lambda a: gw.transfer(a["cube"], a["palette"], preview=3), UsageError, "preview: expected tr"),
    (lambda a: gw.match(a["points"], a["points"], rigid=True, refine=False), UsageError,
     "refine=False leaves nothing of rigid"),
    (lambda a: gw.MixtureTransport(9).fit(a["points"][:3], a["points"]), DataError,
     "use components 3 or fewer"),
    (lambda a: gw.transfer("photo.png", "palette.png", "gray.png"), OSError,
     "say overwrite=True to replace it"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "said"), REFUSALS)
def test_refusals(
    call: Callable[[dict[str, np.ndarray]], object], error: type[Exception], said: str,
    arrays: dict[str, np.ndarray], folder: Path,
) -> None:  # fmt: skip
    """What cannot be done is refused in one line by an error of ours, and nothing is written."""
    before = sorted(folder.iterdir())
    with pytest.raises(error) as caught:
        call(arrays)
    assert isinstance(caught.value, gw.GwTransferError)
    message = str(caught.value)
    assert said in message
    assert not re.search(r"--\w|^option |of a recipe|\n", message)
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("a--mask.png: no such file; see --mask", "a--mask.png: no such file; see mask"),
        ("a --mask b.png: add --rigid", "a --mask b.png: add rigid"),
        ("--pair 1,2: expected X,Y", "pair 1,2: expected X,Y"),
        ("x: give --set map.precision=double, or", 'x: give map={"precision": "double"}, or'),
        ("x: --set fit.passes=20, or", 'x: fit={"passes": 20}, or'),
        ("name a folder with -o", "name a folder with output"),
        ("pip install --force-reinstall av", "pip install --force-reinstall av"),
    ],
)
def test_messages(message: str, said: str) -> None:
    """Options become keywords, once; names of files and options of others stay."""
    assert in_python(message) == said
    assert in_python(said) == said


def test_message_of_an_import_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing library is told in keywords too, whose message is no argument to Python."""

    def refuse(*_: object) -> None:
        raise MissingError("--device cuda needs PyTorch; leave out --device")

    monkeypatch.setattr("gwtransfer.api.steps.registry.build", refuse)
    with pytest.raises(MissingError, match=r"^device cuda needs PyTorch; leave out device$") as one:
        gw.stage("map", "mean", device="cuda")
    assert [entry.name for entry in one.traceback][-1] == "refuse"


@pytest.mark.parametrize(
    ("function", "hints"),
    [
        (gw.transfer, words.TransferWords),
        (gw.apply, words.ApplyWords),
        (gw.distance, words.DistanceWords),
        (gw.match, words.MatchWords),
        (gw.fit_mixture, words.FitMixtureWords),
        (gw.plan_between, words.PlanWords),
        (gw.load, words.ReadWords),
    ],
)
def test_help_lists_the_keywords(function: Callable[..., object], hints: type) -> None:
    """`help` names every keyword a type checker knows, no other, and says what comes back."""
    doc = inspect.getdoc(function) or ""
    keywords, returned = doc.partition("**keywords")[2].split("\nReturns\n")
    assert set(re.findall(r"``(\w+)``", keywords)) == set(hints.__annotations__)
    assert returned.strip("- \n")


def test_short_reprs(arrays: dict[str, np.ndarray]) -> None:
    """Mixtures, plans and spaces show in a line what they are, and no arrays."""
    plan = gw.transfer(arrays["photo"], arrays["palette"], components=2).plan
    assert repr(plan.source) == "GaussianMixture(count=2, dimension=3, coordinates='oklab')"
    assert repr(plan).startswith("TransportPlan(solver='mw2', coupling=(2, 2), dimensions=(3, 3), ")
    space = gw.Space(origin=np.zeros(4), axes=np.eye(4)[:, :2], unit=2.5)
    assert repr(space) == "Space(coordinates='raw', raw_dimension=4, dimension=2, unit=2.5)"


def test_transformer_undoes_an_isometry() -> None:
    """Points carried into another dimension by an isometry and a scale are found again."""
    rng = np.random.default_rng(0)
    cells = [rng.normal(size=(150, 2)) * [1, 0.5] + mean for mean in ([0, 0], [5, 1], [1, 4])]
    points = np.concatenate(cells)
    embedding = np.linalg.qr(rng.normal(size=(4, 2)))[0]
    images = 3 * points @ embedding.T + [1, 2, 3, 4]
    model = gw.MixtureTransport(components=3).fit(points, images)
    assert abs(model.distance_**2 - 2e-4) < 1e-9  # the floor of the fit, on two axes more
    assert np.abs(model.transform(points) - images).max() < 0.01 * np.ptp(images)
    same = gw.MixtureTransport(components=3, solver="mw2", map="nearest").fit(points, points + 7)
    assert np.array_equal(same.transform(points), points + 7)


def test_transformer_of_gaussians() -> None:
    """With one component the map is the optimal one between Gaussians, in closed form."""
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(500, 1)), 3 * rng.normal(size=(400, 1)) + 10
    model = gw.MixtureTransport(components=1, solver="mw2", options={"fit": {"floor": 0.0}})
    line = (source - source.mean()) * target.std() / source.std() + target.mean()
    assert np.abs(model.fit(source, target.ravel()).transform(source) - line).max() < 1e-9


def test_transformer_among_others() -> None:
    """scikit-learn's own checks pass, but for one that needs another library's switch."""
    from sklearn.utils.estimator_checks import check_estimator

    quick = {"plan": {"starts": "few", "signs": 1, "random": 1}}
    model = gw.MixtureTransport(components=2, options=quick)
    results = check_estimator(model, on_fail=None, on_skip=None)
    assert len(results) > 40
    unlike = {one["check_name"]: one["status"] for one in results if one["status"] != "passed"}
    assert unlike == {"check_array_api_input": "skipped"}
    with pytest.raises(UsageError, match="expected tables of options by kind"):
        gw.MixtureTransport(options={"plan": 5}).fit([[0.0], [1.0]], [[0.0], [1.0]])
    with pytest.raises(UnknownStageError, match="no plan stage is called 'mw3'"):
        gw.MixtureTransport(solver="mw3").fit([[0.0], [1.0]], [[0.0], [1.0]])


SCRIPT = """
from pathlib import Path

import numpy as np

import gwtransfer as gw

result = gw.transfer(Path("a.npy"), ["b.png", np.zeros((3, 3, 3))], plan={"starts": "few"})
plan: gw.TransportPlan = gw.apply(result.plan, result.image, "o.png", overwrite=True).plan
number: float = gw.distance("a.ply", (np.zeros((3, 3)), np.zeros((1, 3), int)), restarts=3)
index = gw.match("a.ply", "b.ply", rigid=True).matched.index
model = gw.MixtureTransport(3).fit([[0.0]], [[1.0]]).transform([[0.0]])
gw.save(gw.plan_between(gw.fit_mixture("a.ply"), "b.npz", starts="few"), "a.npz")
gw.transfer("a", "b", componets=3)
gw.transfer("a", "b", components="3")
gw.trasnfer("a", "b")
"""


@pytest.mark.slow
def test_types(tmp_path: Path) -> None:
    """A strict type checker accepts what the functions take, and finds what they do not."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, "utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=cache"]
    said = subprocess.run(
        [*command, script.name], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    lines = said.stdout.splitlines()
    found = [line for line in lines if ": error: " in line]
    assert [line.partition(": ")[0] for line in found] == [f"script.py:{n}" for n in (14, 15, 16)]
    assert "componets" in found[0]


MODULES = ("applying", "coloring", "comparing", "estimator", "items", "steps")


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings(name: str) -> None:
    """The examples of the functions do what they say."""
    module, runner = import_module(f"gwtransfer.api.{name}"), doctest.DocTestRunner()
    values = [
        one for one in vars(module).values() if inspect.isroutine(one) or inspect.isclass(one)
    ]
    own = [one for one in map(inspect.unwrap, values) if one.__module__ == module.__name__]
    for test in (test for one in own for test in doctest.DocTestFinder().find(one, module=module)):
        runner.run(test)
    assert runner.tries > 0
    assert runner.failures == 0


def test_examples_of_the_page() -> None:
    """The examples of docs/python.md do what they say."""
    page = Path(__file__).parent.parent / "docs" / "python.md"
    flags = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    found = doctest.testfile(str(page), module_relative=False, optionflags=flags)
    assert found.attempted > 30
    assert found.failed == 0
