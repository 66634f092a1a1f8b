"""The colour report: what it holds, and what it does in a browser."""

import base64
import hashlib
import html
import io
import json
import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gwtransfer.core.colorspace import from_coordinates, to_coordinates
from gwtransfer.core.raster import Film
from gwtransfer.core.types import GaussianMixture, Space, TransportPlan
from gwtransfer.diagnosing import diagnose
from gwtransfer.diagnosing.values import Pair, Split
from gwtransfer.errors import DataError
from gwtransfer.io import store
from gwtransfer.io.layout import array_raster
from gwtransfer.jobs import load_plan
from gwtransfer.judging import judge_files
from gwtransfer.map.mean import Mean
from gwtransfer.opening import Opening, open_rasters
from gwtransfer.pipeline import map_of
from gwtransfer.report import color, color_run, color_words, flows, job, page
from gwtransfer.report.inlined import MOST_BYTES
from gwtransfer.report.page import Page
from gwtransfer.report.shares import percent
from gwtransfer.transport import apply_plan
from gwtransfer_cli.app import main

from .browser import Visit, Visiting
from .screens import is_as_it_was

EVIL = "<img src=x onerror=alert(1)>.png"
"""A palette's name, which a page must show and not obey."""

QUICK = ("-k", "4", "--set", "plan.random=4", "--set", "plan.waves=0", "-q")
ROWS, COLUMNS = 60, 80


@dataclass
class Parsed(HTMLParser):
    """What a page says, section by section."""

    text: dict[str, str] = field(default_factory=dict)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    data: str = ""
    title: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._within: list[str] = []
        self._in = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag, and which section begins."""
        self.tags.append((tag, dict(attrs)))
        self._in = str(dict(attrs).get("id")) if tag == "script" else tag
        if tag == "section":
            self._within.append(str(dict(attrs)["id"]))
            self.text[self._within[-1]] = ""

    def handle_endtag(self, tag: str) -> None:
        """Note where a section ends."""
        self._in = ""
        if tag == "section":
            self._within.pop()

    def handle_data(self, data: str) -> None:
        """Keep words with their section."""
        if self._in == "data":
            self.data += data
        if self._in == "title" and not self.title:
            self.title = data
        for name in self._within:
            self.text[name] += data


def parsed(path: Path) -> Parsed:
    """Read a page."""
    found = Parsed()
    found.feed(path.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Colour a cube with holes and a picture, each with its page."""
    folder = tmp_path_factory.mktemp("made")
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0:ROWS, 0:COLUMNS] / COLUMNS
    waves = np.linspace(0, 1, 6)
    cube = np.sin(4 * x[..., None] + 2 * waves) + y[..., None] * waves + 2
    cube = (cube + rng.normal(0, 0.03, cube.shape)).astype(np.float32)
    cube[:8, :10] = np.nan
    np.save(folder / "cube.npy", cube)
    colours = np.stack([0.2 + 0.7 * y, x**2, 0.3 * (x + y)], axis=-1)
    colours = np.clip(255 * colours + rng.normal(0, 6, colours.shape), 0, 255).astype(np.uint8)
    Image.fromarray(colours).save(folder / EVIL)
    Image.fromarray(colours[::-1, ::-1, [2, 0, 1]]).save(folder / "photo.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        told = ("--save-plan", "cube.npz", "--report", "cube.html")
        assert main(["color", "cube.npy", EVIL, "-o", "cube.png", *told, *QUICK]) == 0
        told = ("--save-plan", "photo.npz")
        assert main(["color", "photo.png", EVIL, "-o", "out.png", *told, "-k", "3", "-q"]) == 0
        files = ("photo.npz", "photo.png", EVIL, "out.png")
        assert main(["report", *files, "-o", "photo.html", "-q"]) == 0
        assert main(["report", "photo.npz", "-o", "alone.html", "-q"]) == 0
        assert main(["report", "cube.npz", "-o", "of-plan.html", "-q"]) == 0
    return folder


def plan_of(folder: Path, name: str) -> TransportPlan:
    """Return a stored plan."""
    return load_plan(folder / name)[0]


def test_every_section_is_there_and_says_something(made: Path) -> None:
    """All ten for a cube, from the first screen to the recipe, each with words of its own."""
    sections = parsed(made / "cube.html").text
    assert list(sections) == [
        "result", "sides", "places", "mixtures", "flow", "clouds", "measures", "trust",
        "diagnosis", "recipe",
    ]  # fmt: skip
    short = {name for name, text in sections.items() if len(text.split()) < 10}
    assert not short
    assert (made / "cube.html").stat().st_size < 1_000_000


def test_figures_are_those_of_the_plan(made: Path) -> None:
    """Coupling, weights, value, bound and starts of the page are the plan's."""
    plan, found = plan_of(made, "cube.npz"), parsed(made / "cube.html")
    data = json.loads(found.data)
    coupling = np.zeros_like(plan.coupling)
    for row, pairs in enumerate(data["coupling"]):
        for column, mass in pairs:
            coupling[row, column] = mass
    assert np.abs(coupling - plan.coupling).max() < 1e-8
    assert sum(map(len, data["coupling"])) == np.count_nonzero(plan.coupling.round(9))
    order = np.argsort(-plan.source.weights, kind="stable")
    named = [data["names"]["source"][index] for index in order]
    assert named == [str(index + 1) for index in order]
    shares = [percent(float(w)) for w in plan.source.weights[order]]
    said = [
        attributes["aria-label"]
        for tag, attributes in found.tags
        if tag == "button" and attributes.get("data-side") == "source"
    ]
    assert said == [
        f"Source group {name}, {share} of the picture"
        for name, share in zip(named, shares, strict=True)
    ]
    assert plan.bound is not None
    for value in (plan.value, plan.distance, plan.bound):
        assert f"{value:#.3g}" in found.text["trust"]
    assert f"{plan.reached} of {plan.starts}" in found.text["trust"]


def test_measures_are_those_of_measure(made: Path) -> None:
    """To the digits shown, with what each means beside it."""
    judged = judge_files(
        made / "photo.png", made / "out.png", palette=made / EVIL, opening=Opening()
    )
    text = parsed(made / "photo.html").text["measures"]
    for figure in judged.figures:
        name = color_words.MEASURES[figure.key]
        shown = "—" if np.isnan(figure.value) else f"{figure.value:.3f}"
        assert re.search(rf"{name}\s*{re.escape(shown)}", text), (name, shown)
    assert set(color_words.MEASURES) == {figure.key for figure in judged.figures}


def test_names_are_shown_and_not_obeyed(made: Path) -> None:
    """A file called like a tag is a text."""
    found = parsed(made / "cube.html")
    assert found.title == f"cube.npy in the colours of {EVIL}"
    assert not [attributes for _, attributes in found.tags if "onerror" in attributes]
    assert "://" not in (made / "cube.html").read_text(encoding="utf-8")


def test_a_plan_alone_makes_a_page_that_says_what_is_missing(made: Path) -> None:
    """Mixtures, flow, clouds and figures need no files; nothing is left empty."""
    found = parsed(made / "alone.html")
    assert list(found.text) == [
        "result",
        "mixtures",
        "flow",
        "clouds",
        "trust",
        "diagnosis",
        "recipe",
    ]
    assert "made of the plan alone" in found.text["result"]
    assert "gwtransfer report photo.npz SOURCE TARGET RESULT" in found.text["result"]
    assert not [tag for tag, _ in found.tags if tag == "img"]


def test_holes_are_seen_as_holes(made: Path) -> None:
    """Where the cube has no data its picture and the result are clear, and no group sits there."""
    found = parsed(made / "cube.html")
    sources = {
        attributes.get("id"): attributes["src"]
        for tag, attributes in found.tags
        if tag == "img" and attributes.get("id") in ("after", "gray", "colours")
    }
    assert len(sources) == 3
    for address in sources.values():
        content = base64.b64decode(str(address).partition(",")[2])
        alpha = np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))[..., 3]
        assert (alpha[:8, :10].max(), alpha[8:].min()) == (0, 255)
    place = json.loads(found.data)["places"]["source"]
    labels = np.frombuffer(base64.b64decode(place["labels"]["data"]), np.uint8)
    labels = labels.reshape(place["rows"], place["columns"])
    hole = labels == place["count"]
    assert (hole[:8, :10].all(), hole.sum()) == (True, 80)


def small_plan(**changes: object) -> TransportPlan:
    """Return a plan of two colours each, made by hand."""
    space = Space(origin=np.zeros(3), axes=np.eye(3), unit=1.0, coordinates="oklab")
    sides = [
        GaussianMixture(
            weights=np.array([0.5, 0.5]),
            means=np.array([[0.3, 0.0, 0.0], [0.8, 0.05, shift]]),
            covariances=np.stack([np.eye(3) * 1e-3] * 2),
            space=space,
        )
        for shift in (0.0, 0.1)
    ]
    told = {
        "source": sides[0],
        "target": sides[1],
        "coupling": np.array([[0.5, 0.0], [0.0, 0.5]]),
        "embedding": None,
        "solver": "mw2",
        "value": 0.25,
        "bound": 0.25,
        "starts": 1,
        "reached": 1,
        "converged": True,
        "history": np.array([0.25]),
    }
    return TransportPlan(**{**told, **changes})  # type: ignore[arg-type]


def pictures_of(text: str) -> list[str]:
    """Return the pictures that a page holds, as they stand in it."""
    return re.findall(r"data:image/webp;base64,[\w+/=]+", text)


def test_a_picture_stands_in_the_page_once(made: Path, visit: Visiting) -> None:
    """Result, source, its grays and palette; wherever else one is shown, it is taken from there."""
    held = pictures_of((made / "photo.html").read_text(encoding="utf-8"))
    assert len(held) == len(set(held)) == 4
    one = visit(made / "photo.html")
    one.settle()
    shown = one.page.evaluate("[...document.images].map(one => [one.src, one.naturalWidth])")
    assert len(shown) == 7
    assert {src for src, _ in shown} == set(held)
    assert {width for _, width in shown} == {COLUMNS}


def noise(count: int, side: int, *, spread: bool) -> tuple[TransportPlan, color.Sides]:
    """Return a plan between pictures of noise, of many groups each."""
    rng = np.random.default_rng(0)
    space = Space(origin=np.zeros(3), axes=np.eye(3), unit=1.0, coordinates="oklab")
    weights = rng.dirichlet(np.full(count, 9.0))
    mixtures = [
        GaussianMixture(
            weights=weights,
            means=to_coordinates(rng.random((count, 3)), "oklab"),
            covariances=np.stack([np.eye(3) * 1e-2] * count),
            space=space,
        )
        for _ in range(2)
    ]
    coupling = np.outer(weights, weights) if spread else np.diag(weights)
    plan = small_plan(source=mixtures[0], target=mixtures[1], coupling=coupling)
    pictures = (
        array_raster(rng.random((side, side, 3)), name=f"{name}.png", kind="picture")
        for name in ("source", "target", "result")
    )
    return plan, color.Sides(**dict(zip(("source", "target", "result"), pictures, strict=True)))


def test_the_largest_pages_are_small_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """300 groups on either side: pictures of noise leave room, and take less where there is none.

    Bytes of pictures are counted as if each took all it may, since small ones do not.
    """
    diagnosis = diagnose(small_plan())
    monkeypatch.setattr(color, "diagnose", lambda *_, **__: diagnosis)  # is long of 300 groups
    plan, sides = noise(300, 96, spread=False)
    text = color.page(plan, {}, sides, name="p.npz").text
    held = pictures_of(text)
    assert len(held) == len(set(held)) == 4
    rest = len(text.encode()) - sum(map(len, held))
    places = 2 * 4 / 3 * 2 * (440**2 - 96**2)  # of maps of places as large as they can be
    assert rest + places + 4 * 4 / 3 * MOST_BYTES < page.MOST_BYTES
    plan, _ = noise(300, 1, spread=True)
    alone = len(color.page(plan, {}, color.Sides(), name="p.npz").text.encode())
    assert alone + places + 4 * 4 / 3 * color.PICTURES[-1] < page.MOST_BYTES
    plan, sides = noise(3, 300, spread=False)
    whole = len(color.page(plan, {}, sides, name="p.npz").text.encode())
    monkeypatch.setattr(page, "MOST_BYTES", whole - 1)
    monkeypatch.setattr(color, "PICTURES", (MOST_BYTES, 40_000))
    less = color.page(plan, {}, sides, name="p.npz").text
    assert len(pictures_of(less)) == 4
    assert len(less.encode()) < whole - 50_000


def test_only_the_scripts_of_the_page_may_run(made: Path) -> None:
    """The page allows those whose hashes it names, which are those it holds, and nothing else."""
    for name in ("photo.html", "alone.html"):
        text = (made / name).read_text(encoding="utf-8")
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
        assert policy is not None
        allowed = dict(one.split(" ", 1) for one in html.unescape(policy[1]).split("; "))
        scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
        digests = [hashlib.sha256(one.encode()).digest() for one in scripts]
        hashes = [f"'sha256-{base64.b64encode(one).decode()}'" for one in digests]
        assert (len(hashes), allowed.pop("script-src").split(" ")) == (3, hashes)
        assert allowed == {
            "default-src": "'none'",
            "img-src": "data: blob:",
            "style-src": "'unsafe-inline'",
            "base-uri": "'none'",
            "form-action": "'none'",
        }
        assert len(re.findall("<script", text)) == 4  # and the data


TILE = re.compile(
    r'data-side="source" data-index="(\d+)" aria-pressed.*?'
    r'class="tile" style="background:#(\w{6})"><span style="background:#(\w{6})"',
    re.DOTALL,
)


def tiles(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the colours of the source's groups and what they became, (K, 3) each."""
    found = sorted((int(index), own, became) for index, became, own in TILE.findall(text))
    own, became = ([list(bytes.fromhex(one[at])) for one in found] for at in (1, 2))
    return np.array(own), np.array(became)


@pytest.mark.parametrize("restored", [True, False])
def test_what_a_group_became_is_what_the_map_makes_of_it(made: Path, restored: bool) -> None:
    """Of a plan alone, with the plan's own options of the map, to a step of 8 bits."""
    plan = plan_of(made, "photo.npz")
    provenance = {"recipe": {"map": {"restored": restored}}}
    own, became = tiles(color.page(plan, provenance, color.Sides(), name="p.npz").text)
    means = plan.source.space.to_raw(plan.source.means)
    images = map_of(Mean(restored=restored), plan)(means, np.arange(len(means)))
    for found, coordinates, space in (
        (own, means, plan.source.space),
        (became, images, plan.target.space),
    ):
        expected = 255 * np.clip(from_coordinates(coordinates, space.coordinates), 0, 1)
        assert np.abs(found - expected).max() < 1
    other = map_of(Mean(restored=not restored), plan)(means, np.arange(len(means)))
    otherwise = from_coordinates(other, plan.target.space.coordinates)
    assert np.abs(became - 255 * np.clip(otherwise, 0, 1)).max() > 1.5


def test_what_a_group_became_is_seen_in_the_result(made: Path) -> None:
    """Of a page with its pictures: the mean colour of the result where the group sits."""
    text = (made / "photo.html").read_text(encoding="utf-8")
    place = json.loads(parsed(made / "photo.html").data)["places"]["source"]
    labels = np.frombuffer(base64.b64decode(place["labels"]["data"]), np.uint8)
    pixels = np.asarray(Image.open(made / "out.png").convert("RGB")).reshape(-1, 3)
    _, became = tiles(text)
    expected = [pixels[labels == group].mean(axis=0) for group in range(len(became))]
    assert np.abs(became - expected).max() < 8  # a mean of light is not quite a mean of bytes
    assert np.abs(np.diff(expected, axis=0)).max() > 40


def test_ribbons_tile_their_swatches() -> None:
    """The bands of a swatch stand one upon another and fill its weight, on either side."""
    rng = np.random.default_rng(0)
    coupling = rng.dirichlet(np.ones(12)).reshape(3, 4)
    grays = np.full((4, 3), 128, np.uint8)
    sides = [
        flows.Side(weights=one, used=one, colours=grays[: len(one)], became=grays[: len(one)])
        for one in (coupling.sum(axis=1), coupling.sum(axis=0))
    ]
    drawn = flows.diagram(coupling, *sides)
    numbers = {
        (one.source, one.target): [float(at) for at in re.findall(r"[\d.]+", one.path)]
        for one in drawn.ribbons
    }
    for swatches, side, top, bottom in ((drawn.left, 0, 1, -1), (drawn.right, 1, 7, 8)):
        for swatch in swatches:
            own = [found for ends, found in numbers.items() if ends[side] == swatch.index]
            spans = sorted((found[top], found[bottom]) for found in own)
            middle, half = swatch.y + swatch.height / 2, flows.ALL * swatch.used / 2
            assert spans[0][0] == pytest.approx(middle - half, abs=1.3)
            assert spans[-1][1] == pytest.approx(middle + half, abs=1.3)
            for (_, end), (begin, _) in pairwise(spans):
                assert begin == pytest.approx(end, abs=1.3)


ODD: tuple[dict[str, Any], ...] = (
    {"source": "x"},
    {"recipe": "x"},
    {"recipe": {"map": "mean"}},
    {"source": {"input": None}},
    {"source": {"pooled": 3}},
    {"target": {"pooled": [None]}},
    {"recipe": {"keep": None}},
    {"recipe": {"a": [{"b": None}]}},
    {"recipe": {"keep": ["luminance"]}},
    {"recipe": {"strength": "all"}},
    {"source": {"input": {"sha256": "0"}}},
    {"source": {"input": {"name": 3}}},
    {"source": {"recipe": {"map": 1}}},
    {"target": {"opening": "x"}},
    {"target": {"opening": {"options": "x"}}},
    {"target": {"opening": {"bands": 7}}},
    {"gwtransfer": None, "recipe": {}},
)


@pytest.mark.parametrize("provenance", ODD, ids=str)
def test_a_provenance_that_is_not_ours_is_none(
    tmp_path: Path, made: Path, provenance: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is that of a plan of which nobody knows where it comes from."""
    monkeypatch.setattr(color, "page", asked := Asked())
    for name, held in (("odd.npz", provenance), ("none.npz", {})):
        store.save_plan(small_plan(), tmp_path / name, held)
        job.report(
            tmp_path / name,
            job.Shown(source=made / "photo.png", target=made / EVIL),
            output=tmp_path / f"{name}.html",
        )
    assert asked.provenances == [{}, {}]
    assert color_words.recipes({}) == []


class Asked:
    """Stands for `color.page`, and notes what it is asked for."""

    def __init__(self) -> None:
        self.provenances: list[Any] = []
        self.seeds: list[int] = []

    def __call__(self, plan: Any, provenance: Any, *_: Any, seed: int = 0, **__: Any) -> Page:
        """Note it; make nothing."""
        self.provenances.append(provenance)
        self.seeds.append(seed)
        return Page(kind="color", text="", sections=())


def test_a_provenance_of_ours_is_kept(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `color` stored is what the page is made with."""
    monkeypatch.setattr(color, "page", asked := Asked())
    job.report(made / "cube.npz", job.Shown(), output=made / "kept.html")
    assert asked.provenances == [load_plan(made / "cube.npz")[1]]
    assert asked.provenances[0]["recipe"]["command"] == "color"


def test_a_run_is_measured_with_its_seed(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`color --seed 5 --report` draws by 5, as `measure --seed 5` does."""
    monkeypatch.setattr(color_run, "page", asked := Asked())
    monkeypatch.chdir(made)
    told = ("-o", str(tmp_path / "o.png"), "--report", str(tmp_path / "o.html"))
    assert main(["color", "photo.png", EVIL, *told, "--seed", "5", *QUICK[:2]]) == 0
    assert asked.seeds == [5]


def test_a_preview_is_made_with_the_plans_own_options(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a result that was not given: what `apply` makes by the options the plan has."""
    plan = plan_of(made, "photo.npz")
    (source,) = open_rasters(Opening(), made / "photo.png")
    pages = [
        pictures_of(color.page(plan, one, color.Sides(source=source), name="p.npz").text)[0]
        for one in ({}, {"recipe": {"map": {"restored": False}}})
    ]
    for address, restored in zip(pages, (True, False), strict=True):
        content = base64.b64decode(address.partition(",")[2])
        shown = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).reshape(-1, 3)
        expected = next(iter(apply_plan(source, plan, Mean(restored=restored)).blocks())).points
        assert np.abs(shown - 255 * np.clip(expected, 0, 1)[: len(shown)]).max() < 1


def test_a_relaxed_plan_shows_both_proportions() -> None:
    """What the palette has and what the result uses, wherever a share of it is told."""
    coupling = np.array([[0.5, 0.0], [0.3, 0.2]])
    plan = small_plan(coupling=coupling, attained=np.array([0.8, 0.2]), bound=None)
    text = color.page(plan, {}, color.Sides(), name="soft.npz").text
    shares = re.findall(r"<b>[AB]</b> (.*?)</span>", text)
    assert sorted(shares) == ["50\u00a0% → 20\u00a0%", "50\u00a0% → 80\u00a0%"]
    assert "in other proportions than its own" in text
    assert "more or less than the palette has of them" in text
    hard = color.page(small_plan(), {}, color.Sides(), name="hard.npz")
    assert "→ 20" not in hard.text
    assert hard.sections[-1] == "diagnosis"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "It is proved that no other matching of these groups fits better: none costs less"),
        ({"bound": 0.247}, "proved that no other matching of these groups costs 1.2\u00a0% less"),
        ({"bound": None}, "how much less another could cost is not known"),
        (
            {"bound": 0.1, "starts": 50, "reached": 40},
            "40 of 50 searches from different beginnings ended at this same matching, so a better "
            "one is unlikely. Its cost is 0.250, where 0 is a perfect fit; it is proved that none "
            "costs less than 0.100.",
        ),
        ({"bound": None, "starts": 50, "reached": 1}, "Only 1 of 50 searches"),
        ({"bound": None, "starts": 50, "reached": 3}, "a better one may exist"),
        ({"bound": 0.0, "starts": 50, "reached": 9}, "the others at worse ones"),
        ({"bound": 0.0, "converged": False}, "The search was stopped before it came to rest."),
    ],
)
def test_trust_is_said_as_it_is(changes: dict[str, object], said: str) -> None:
    """What is proved is called proved, and what only many searches suggest is not."""
    words = color_words.trust(small_plan(**changes))
    assert said in words
    assert words.count("proved") == ("proved" in said or changes.get("bound") is not None)


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({}, []),
        ({"strength": 1.0, "map": {"stage": "mean"}}, []),
        ({"strength": 0.3}, ["Only 30\u00a0% of that change was made (--strength)."]),
        ({"keep": "luminance"}, ["kept how bright each pixel is"]),
        ({"keep": "chroma"}, ["kept its own colours"]),
        ({"mask": "sky.png"}, ["Only what is white in sky.png was changed (--mask);"]),
    ],
)
def test_what_was_not_carried_out_is_said(recipe: dict[str, object], said: list[str]) -> None:
    """A picture that is not all of the map's is not called so, nor are its blends counted."""
    provenance = {"recipe": recipe}
    found = color_words.partly(provenance)
    assert len(found) == len(said)
    assert all(words in sentence for words, sentence in zip(said, found, strict=True))
    split = Split(
        component=0, weight=1.0, parts=(), pairs=(), mean=0.1, rand=0.0, around=0.1, target=0.0
    )
    ends = {"first": 0, "second": 1, "names": ("a", "b"), "width": 1.0, "slab": {}}
    gap = {"mean": 0.15, "rand": 0.05, "target": 0.07}
    met = Pair(**ends, gap=gap, expected_99=0.0, expected=0.0)
    diagnosis = replace(diagnose(small_plan()), splits=(split,), meeting=met)
    words = color_words.between(diagnosis, provenance)
    assert ("About 18\u00a0% of the picture" in words) == (not said)
    assert (words == "") == bool(said)


def test_one_group_and_a_gray_picture_are_not_called_many(tmp_path: Path) -> None:
    """What the page says went in is what it shows, and one group is no groups."""
    rng = np.random.default_rng(5)
    for name, shape in (("gray.png", (30, 40)), ("colour.png", (30, 40, 3))):
        Image.fromarray(rng.integers(0, 255, shape, dtype=np.uint8)).save(tmp_path / name)
    page = tmp_path / "one.html"
    files = [str(tmp_path / name) for name in ("gray.png", "colour.png", "out.png")]
    told = ["--report", str(page), "-k", "1", "-q"]
    assert main(["color", *files[:2], "-o", files[2], *told]) == 0
    text = parsed(page).text
    assert "The source in its own colours, and the picture whose colours it took." in text["sides"]
    assert (
        "All pixels of the source are one group, and all colours of the palette are"
        in (text["mixtures"])
    )
    assert "1 groups" not in page.read_text(encoding="utf-8")
    assert "source group 1 to palette group A" in text["result"]


def test_films_have_no_page() -> None:
    """And it is said before any work."""
    film = array_raster(np.zeros((8, 4, 3)), name="a.mp4", kind="picture")
    with pytest.raises(DataError, match=r"a\.mp4: reports are of pictures and cubes, found a film"):
        color.check_still(replace(film, film=Film(frames=2, rate=Fraction(25))))


def test_the_recipe_makes_the_picture_again(made: Path, tmp_path: Path) -> None:
    """What a reader copies from the page is a recipe of `gwtransfer run`."""
    text = (made / "cube.html").read_text(encoding="utf-8")
    recipe = html.unescape(re.search(r'<pre id="recipe-1"[^>]*>(.*?)</pre>', text, re.S)[1])  # type: ignore[index]
    (tmp_path / "color.toml").write_text(recipe, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        again = tmp_path / "again.png"
        assert main(["run", str(tmp_path / "color.toml"), "-o", str(again), "-q"]) == 0
    assert again.read_bytes() == (made / "cube.png").read_bytes()


def test_same_inputs_same_page(made: Path, tmp_path: Path) -> None:
    """Byte for byte."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        page = tmp_path / "photo.html"
        assert (
            main(["report", "photo.npz", "photo.png", EVIL, "out.png", "-o", str(page), "-q"]) == 0
        )
    assert page.read_bytes() == (made / "photo.html").read_bytes()
    of_run, of_plan = (
        re.findall(r'<pre id="recipe-1".*?</pre>', (made / name).read_text("utf-8"), re.S)
        for name in ("cube.html", "of-plan.html")
    )
    assert (len(of_run), of_run) == (1, of_plan)


def test_picture_to_cube_and_without_a_result(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cube that was made is shown by bands; a result that was not given is previewed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        gray = np.asarray(Image.open("photo.png").convert("L"))
        Image.fromarray(gray).save(tmp_path / "gray.png")
        page = tmp_path / "up.html"
        told = ("--report", str(page), "--save-plan", str(tmp_path / "up.npz"))
        up = ["color", str(tmp_path / "gray.png"), "cube.npy", "-o", str(tmp_path / "up.tif")]
        assert main([*up, *told, *QUICK]) == 0
        part = ["report", str(tmp_path / "up.npz"), str(tmp_path / "gray.png")]
        assert main([*part, "-o", str(tmp_path / "part.html"), "--json"]) == 0
    assert "its bands 5, 3, 2 as red, green and blue" in page.read_text(encoding="utf-8")
    told_json = json.loads(capsys.readouterr().out)
    assert "measures" not in told_json["sections"]
    assert told_json["bytes"] == (tmp_path / "part.html").stat().st_size
    found = parsed(tmp_path / "part.html").text["result"]
    assert "made without TARGET and RESULT" in found
    assert "RESULT was not given" in found


def test_a_line_of_pixels_and_several_palettes(made: Path, tmp_path: Path) -> None:
    """The least picture has a page; of pooled palettes there is no picture, but all the rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        line = np.asarray(Image.open("photo.png"))[:1]
        Image.fromarray(line).save(tmp_path / "line.png")
        Image.fromarray(line[:, ::-1]).save(tmp_path / "other.png")
        told = ("--palette", str(tmp_path / "other.png"), "--report", str(tmp_path / "line.html"))
        out = ("-o", str(tmp_path / "out.png"), "-k", "2", "-q")
        assert main(["color", str(tmp_path / "line.png"), EVIL, *out, *told]) == 0
    found = parsed(tmp_path / "line.html")
    assert found.title == f"line.png in the colours of {EVIL} and 1 more"
    data = json.loads(found.data)
    assert (data["places"]["source"]["rows"], data["places"]["target"]) == (1, None)
    assert {"places", "clouds", "measures"} <= set(found.text)


WRONG = {
    ("photo.png", "-o", "r.html"): (1, "photo.png: expected a plan (.npz), a folder of"),
    ("m.npz", "-o", "r.html"): (1, "m.npz: expected a plan of `gwtransfer plan`, found a mixture"),
    (".", "-o", "r.html"): (1, ".: expected a folder of `gwtransfer match` with match.json"),
    ("photo.npz", "-o", "r.pdf"): (2, "r.pdf: expected a name that ends in .html, found .pdf"),
    ("photo.npz", "-o", "photo.html"): (1, "photo.html: already exists; add --overwrite"),
    ("photo.npz", "-o", "r.html", "--labels", "from-folder"): (2, "--labels: of no use to"),
    ("photo.npz", "cube.npy", "-o", "r.html"): (
        1,
        "cube.npy: expected the plan's source, a picture in colour, found a cube of 6 bands",
    ),
    ("photo.npz", "photo.png", EVIL, "small.png", "-o", "r.html"): (
        1,
        "small.png: expected 60 × 80 pixels as photo.png has, found 10 × 10",
    ),
    ("no.npz", "-o", "r.html"): (1, "no.npz: no such file"),
}


@pytest.mark.parametrize("arguments", WRONG)
def test_what_no_page_can_be_made_of_is_refused(
    made: Path, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """One line that says what was expected; no page appears."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        if "m.npz" in arguments:
            assert main(["fit", "photo.png", "-k", "2", "-o", "m.npz", "-q", "--overwrite"]) == 0
        Image.new("RGB", (10, 10)).save("small.png")
        code, words = WRONG[arguments]
        assert main(["report", *arguments]) == code
        err = capsys.readouterr().err
        assert (words in err, err.count("\n")) == (True, 1), err
        assert not Path("r.html").exists()


def test_a_page_of_color_is_refused_before_any_work(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither picture nor page appears where the page cannot."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        line = ["color", "photo.png", EVIL, "-o", "new.png", "--report"]
        assert main([*line, "new.txt"]) == 2
        assert main([*line, "photo.png"]) == 2
        assert main([*line, "alone.html"]) == 1
        words = capsys.readouterr().err.splitlines()
        assert [line.partition(": ")[2].partition(",")[0] for line in words] == [
            "new.txt: expected a name that ends in .html",
            "photo.png: expected a name that ends in .html",
            "alone.html: already exists; add --overwrite to replace it",
        ]
        assert not Path("new.png").exists()


def lit(visit: Visit) -> np.ndarray:
    """Return what the map of places shows."""
    visit.settle()
    return visit.pixels("#where").astype(int)[..., :3]


def test_the_line_is_dragged_and_moved_by_keys(visit: Visiting, made: Path) -> None:
    """What is clipped follows the pointer and the arrows, and readers of screens are told."""
    one = visit(made / "cube.html")
    page, handle = one.page, one.page.locator("#handle")
    box = page.locator("#compare").bounding_box()
    assert handle.get_attribute("aria-valuenow") == "50"
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 40, steps=3)
    page.mouse.up()
    assert handle.get_attribute("aria-valuenow") == "25"
    clip = "getComputedStyle(document.getElementById('before')).clipPath"
    assert page.evaluate(clip) in ("inset(0px 75% 0px 0px)", "inset(0px calc(75%) 0px 0px)")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageUp")
    assert handle.get_attribute("aria-valuenow") == "47"
    page.keyboard.press("End")
    assert handle.get_attribute("aria-valuetext") == "100 % source, 0 % result"
    before = page.locator("#before").get_attribute("src")
    page.locator("button[data-before=colours]").click()
    assert page.locator("#before").get_attribute("src") != before


def test_the_first_screen_shows_the_pictures_where_they_belong(visit: Visiting, made: Path) -> None:
    """Left of the line the source's grays, right of it the result, both upright."""
    one = visit(made / "photo.html")
    one.page.locator("#handle").evaluate("handle => handle.style.visibility = 'hidden'")
    one.page.locator(".tag").evaluate_all("tags => tags.forEach(tag => tag.hidden = true)")
    seen = Image.fromarray(one.seen("#compare"))
    small = np.asarray(seen.resize((16, 12), Image.Resampling.BOX)).astype(float)
    sides = [
        np.asarray(Image.open(made / name).convert("RGB").resize((16, 12), Image.Resampling.BOX))
        for name in ("photo.png", "out.png")
    ]
    expected = np.concatenate([sides[0][:, :8], sides[1][:, 8:]], axis=1).astype(float)
    inner = (slice(1, -1), [1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14])
    assert np.abs(small - expected)[inner].max() < 12


def test_a_swatch_lights_up_its_pixels(visit: Visiting, made: Path) -> None:
    """Of the chosen group the pixels keep their colour, all others turn gray; a tap keeps it so."""
    one = visit(made / "cube.html")
    page = one.page
    whole = lit(one)
    page.locator(".swatch[data-side=source]").first.hover()
    changed = np.abs(lit(one) - whole).max(axis=2) > 8
    plan = plan_of(made, "cube.npz")
    holes = 80 / (ROWS * COLUMNS)
    shown = 1 - changed.mean()
    heaviest = float(plan.source.weights.max()) * (1 - holes)
    assert heaviest - 0.08 < shown < heaviest + 0.2
    assert (
        page.locator("#chosen")
        .inner_text()
        .startswith(f"Source group {plan.source.weights.argmax() + 1}, ")
    )
    page.mouse.move(5, 5)
    assert np.array_equal(lit(one), whole)
    page.locator(".flow .node[data-side=target]").nth(1).focus()
    page.keyboard.press("Enter")
    page.mouse.move(5, 5)
    assert np.abs(lit(one) - whole).max() > 8
    kept = page.locator(".node[aria-pressed=true]")
    assert (kept.count(), kept.get_attribute("data-side")) == (1, "target")
    page.keyboard.press("Escape")
    assert np.array_equal(lit(one), whole)


def test_clouds_turn(visit: Visiting, made: Path) -> None:
    """By drag and by arrow keys, all three together; a double click begins again."""
    one = visit(made / "alone.html")
    page = one.page
    page.locator("#cloud-source").scroll_into_view_if_needed()
    one.until("document.getElementById('cloud-palette').width > 300")
    one.settle()
    names = ("#cloud-source", "#cloud-palette")
    begin = [one.pixels(name) for name in names]
    assert all((picture[..., 3] > 0).mean() > 0.01 for picture in begin)
    box = page.locator("#cloud-source").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 120, steps=2)
    page.mouse.up()
    one.settle()
    turned = [one.pixels(name) for name in names]
    assert all((a != b).any() for a, b in zip(begin, turned, strict=True))
    page.locator("#cloud-palette").dblclick(position={"x": 20, "y": 20})
    one.settle()
    assert np.array_equal(one.pixels("#cloud-source"), begin[0])
    page.locator("#cloud-result").press("ArrowLeft")
    one.settle()
    assert (one.pixels("#cloud-source") != begin[0]).any()


def test_clouds_turn_by_themselves_until_they_are_stopped(visit: Visiting, made: Path) -> None:
    """Where the reader did not ask for less motion; one button stops all three."""
    one = visit(made / "alone.html", moving=True)
    one.page.locator("#cloud-source").scroll_into_view_if_needed()
    one.settle()
    begin = one.pixels("#cloud-palette")
    one.page.wait_for_timeout(150)
    assert (one.pixels("#cloud-palette") != begin).any()
    stop = one.page.locator("#cloud-result + button")
    assert stop.inner_text() == "Stop"
    stop.click()
    one.settle()
    still = one.pixels("#cloud-palette")
    one.page.wait_for_timeout(150)
    assert np.array_equal(one.pixels("#cloud-palette"), still)
    assert one.page.locator(".turning button").all_inner_texts() == ["Turn"] * 3


def test_a_recipe_is_copied(visit: Visiting, made: Path) -> None:
    """The button puts the text into the clipboard, or selects it, and says which."""
    one = visit(made / "photo.html")
    button = one.page.locator("button[data-copy]").first
    button.click()
    one.until("document.querySelector('button[data-copy]').textContent !== 'Copy'")
    assert button.inner_text() in ("Copied", "Selected: press Ctrl+C")


CONTRAST = """() => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).map(Number)
      .map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  return ['h1', '.lead', '.story p', 'figcaption', '#trust dd.said', '.story a', '.swatch .words']
    .map((name) => light(getComputedStyle(document.querySelector(name)).color))
    .map((ink) => (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05));
}"""


def test_a_dark_page_is_printed_black_on_white(visit: Visiting, made: Path) -> None:
    """By either way to be dark; and the swatches, which are buttons, are on paper too."""
    for dark in (False, True):
        one = visit(made / "photo.html", dark=dark)
        if not dark:
            one.page.locator("#scheme").click()
        one.page.emulate_media(media="print")
        colours = one.page.evaluate(
            "['color', 'backgroundColor'].map((of) => getComputedStyle(document.body)[of])"
        )
        assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
        assert one.page.locator(".swatch").first.is_visible()
        assert not one.page.locator("#scheme").is_visible()


def test_without_scripts_the_result_is_seen_whole(chromium: Any, made: Path) -> None:
    """What only scripts can do is hidden and said; words, figures and diagrams are there."""
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((made / "photo.html").as_uri())
    hidden = ["#before", "#handle", "#compare + figcaption", "#places", "#sides [data-as=palette]"]
    assert [page.locator(one).is_visible() for one in hidden] == [False] * 5
    shown = ("#after", "#colours", "#palette", "#gray", ".flow", "noscript p")
    assert [page.locator(one).is_visible() for one in shown] == [True] * 6
    empty = "[...document.images].filter(one => one.checkVisibility() && !one.naturalWidth).length"
    assert page.evaluate(empty) == 0
    context.close()


def test_light_and_dark_are_both_read_easily(visit: Visiting, made: Path) -> None:
    """As the system has it, and by the button; contrasts are those of WCAG AA in both."""
    for dark in (False, True):
        one = visit(made / "cube.html", dark=dark)
        body = "getComputedStyle(document.body).backgroundColor"
        paper = one.page.evaluate(body)
        assert (paper == "rgb(20, 20, 20)") == dark
        assert min(one.page.evaluate(CONTRAST)) >= 4.5
        one.page.locator("#scheme").click()
        assert (one.page.evaluate(body) == "rgb(20, 20, 20)") != dark


@pytest.mark.parametrize("name", ["cube.html", "photo.html", "alone.html"])
def test_a_phone_never_scrolls_sideways(visit: Visiting, made: Path, name: str) -> None:
    """At 360 pixels, closed and with every table open."""
    one = visit(made / name, width=360, height=740, touch=True)
    assert one.overflow() == 0
    one.page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert one.overflow() == 0
    small = one.page.locator("button:visible").evaluate_all(
        "all => all.filter(b => b.getBoundingClientRect().height < 36).length"
    )
    assert small == 0


def test_the_first_screen_is_as_it_was(visit: Visiting, made: Path) -> None:
    """As stored but for the font; a page without pictures or without style is told from it."""
    is_as_it_was(visit, made / "photo.html", "colours")
