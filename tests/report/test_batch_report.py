"""The page of a table of distances: what it holds, says, and does in a browser."""

import csv
import re
import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.cli.test_match import write_obj
from tests.test_matching import body, twisted

from gwtransfer.core.scaling import Scaling
from gwtransfer.core.types import Cloud
from gwtransfer.io.matrix import DistanceMatrix, read_matrix, write_matrix
from gwtransfer.report import batches
from gwtransfer.report.batches_drawn import laid_out
from gwtransfer.report.batches_painted import SIDE, painted
from gwtransfer.report.batches_words import map_said
from gwtransfer_cli.app import main

from .browser import Visiting
from .screens import is_as_it_was
from .test_shapes_report import data_of, unpacked, words_of

EVIL = ("x/<img src=x onerror=alert(1)>.ply", "x/a&b\"'.ply", "y/<!--<script>.ply", "y/c&amp;.ply")
FAST = ("-k", "3", "--sample", "300", "-q")


def write_table(path: Path, distances: np.ndarray, names: tuple[str, ...]) -> None:
    """Write a symmetric table as `pairwise` does."""
    write_matrix(DistanceMatrix(distances=distances, names=names), path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compare six bodies of two classes, and write the table and the page together."""
    folder = tmp_path_factory.mktemp("batch")
    for kind, stretched in (("long", (1, 1, 2)), ("wide", (2, 1.6, 1))):
        (folder / "shapes" / kind).mkdir(parents=True)
        for turn in range(3):
            vertices, faces = body(rings=5)
            pose = twisted(vertices, 0.1 * turn) * stretched
            write_obj(str(folder / f"shapes/{kind}/{kind}{turn}.obj"), pose, faces)
    out = ["-o", str(folder / "d.csv"), "--report", str(folder / "d.html")]
    assert main(["pairwise", str(folder / "shapes"), "--recursive", *FAST, *out]) == 0
    return folder


def test_a_page_holds_the_table(made: Path) -> None:
    """Distances, order, nearest and classes are those that the table gives."""
    matrix = read_matrix(made / "d.csv")
    data, text = data_of(made / "d.html"), words_of(made / "d.html")
    held = unpacked(data["distances"]).reshape(6, 6)
    np.testing.assert_array_equal(held, matrix.distances.astype(np.float32))
    assert data["rows"] == ["long0", "long1", "long2", "wide0", "wide1", "wide2"]
    assert sorted(data["order"]) == list(range(6))
    apart = np.where(np.eye(6, dtype=bool), np.inf, matrix.distances)
    one, other = divmod(int(apart.argmin()), 6)
    assert f"The closest pair is {data['rows'][one]} and {data['rows'][other]}" in text
    alone = int(apart.min(axis=1).argmax())
    assert f"Most alone is {data['rows'][alone]}" in text
    assert "For 6 of 6 the nearest other is of the same class (100 %)" in text
    rows = re.findall(r'<div class="near" data-name="([^"]+)">.*?</ol>', page_text(made), re.DOTALL)
    assert rows == [matrix.names[row].lower() for row in data["order"]]
    for row in data["order"]:
        near = np.argsort(apart[row], kind="stable")[:5]
        said = " ".join(f"{data['rows'][k]} {apart[row, k]:.4g} same class" if (row < 3) == (k < 3)
                        else f"{data['rows'][k]} {apart[row, k]:.4g}" for k in near)  # fmt: skip
        assert said in text
    assert data["pictured"]["r"] == list(range(6))
    assert 'command = "pairwise"' in text


def page_text(made: Path) -> str:
    """Return the page as it is written."""
    return (made / "d.html").read_text("utf-8")


def test_report_of_the_table_is_the_same_but_for_the_recipe(made: Path) -> None:
    """A table with its folder gives the page again; without the folder, names only, and it says so.

    The last section differs, as a table holds no recipe.
    """
    pages = {}
    for given in ([str(made / "shapes")], []):
        page = made / f"again{len(given)}.html"
        assert main(["report", str(made / "d.csv"), *given, "-o", str(page), "-q"]) == 0
        pages[len(given)] = page.read_text("utf-8")
    end = '<section aria-labelledby="again-title"'
    assert pages[1].split(end)[0] == page_text(made).split(end)[0]
    assert "A table holds no recipe" in pages[1]
    assert "Name the folder of the files" in pages[0]
    assert data_of(made / "again0.html")["pictured"]["r"] == []


def test_classes_come_from_labels_where_they_are_given(made: Path) -> None:
    """A file of labels takes the place of folders, and its scores are those of `evaluate`."""
    from gwtransfer.evaluating import evaluate

    names = read_matrix(made / "d.csv").names
    with (made / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["name", "label"], *((name, f"k{place % 2}")
                                    for place, name in enumerate(names))])  # fmt: skip
    page = made / "labelled.html"
    given = ["--labels", str(made / "labels.csv"), "-o", str(page), "-q"]
    assert main(["report", str(made / "d.csv"), *given]) == 0
    scores = evaluate(made / "d.csv", str(made / "labels.csv")).overall.scores
    text = words_of(page)
    for name, score in zip(("First tier", "mAP"), (scores[1], scores[4]), strict=True):
        assert f"{name} {score:.3f}" in text


def test_names_are_shown_and_not_obeyed(tmp_path: Path, visit: Visiting) -> None:
    """Names full of markup are text everywhere; a page with them is silent."""
    rng = np.random.default_rng(0)
    points = rng.random((4, 3))
    write_table(tmp_path / "d.csv", np.linalg.norm(points[:, None] - points, axis=-1).round(6)
                + (1 - np.eye(4)), EVIL)  # fmt: skip
    page = tmp_path / "d.html"
    assert main(["report", str(tmp_path / "d.csv"), "-o", str(page), "-q"]) == 0
    assert "<img" not in page.read_text("utf-8").lower()
    one = visit(page, width=360, height=740, dark=True)
    assert one.overflow() == 0
    one.page.locator("#cells").focus()
    one.page.keyboard.press("ArrowRight")
    one.page.keyboard.press("ArrowRight")
    said = one.page.locator("#heat-readout").inner_text()
    order = data_of(page)["order"]
    assert all(Path(EVIL[place]).stem in said for place in order[:2])
    assert one.page.locator("img").count() == 0


def test_files_against_others_have_no_map(made: Path) -> None:
    """Rows and columns that differ give a heat map and the nearest, and say why no more."""
    rows, page = made / "shapes/long", made / "against.html"
    out = ["-o", str(made / "r.csv"), "--report", str(page)]
    given = ["pairwise", str(rows), "--against", str(made / "shapes/wide"), *FAST, *out]
    assert main(given) == 0
    matrix, data = read_matrix(made / "r.csv"), data_of(page)
    held = unpacked(data["distances"]).reshape(3, 3)
    np.testing.assert_array_equal(held, matrix.distances.astype(np.float32))
    assert (data["itself"], data["columns"]) == (False, ["wide0", "wide1", "wide2"])
    assert data["pictured"] == {"r": [0, 1, 2], "c": [0, 1, 2]}
    text = page.read_text("utf-8")
    assert "there is no map and no tree" in text
    assert 'id="map"' not in text
    assert 'id="tree"' not in text


def test_three_hundred_names_stay_small(tmp_path: Path) -> None:
    """A table of 300 files makes a page below 2 MB with every name and distance."""
    points = np.random.default_rng(0).normal(size=(300, 4))
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    names = tuple(f"class{place % 10}/a model with a long name {place}.obj" for place in range(300))
    write_table(tmp_path / "d.npz", (distances + distances.T) / 2, names)
    page = batches.page(tmp_path / "d.npz")
    assert len(page.text.encode()) < 2_000_000
    assert page.kind == "pairwise"
    assert page.sections == ("short", "nearest", "heat", "tree", "scores", "figures", "again")
    assert page.text.count('class="near"') == 300
    assert page.text.count("<path d=") == 299


@pytest.mark.parametrize(
    ("stress", "said"),
    [
        (0.05, "near on the map is alike."),
        (0.15, "roughly right; the heat map is exact."),
        (0.3, "trust the heat map and the tree before the map."),
    ],
)
def test_a_map_is_trusted_by_its_stress(stress: float, said: str) -> None:
    """Only the heat map, which shows the numbers themselves, is called exact."""
    words = map_said(Scaling(points=np.zeros((3, 2)), explained=0.8, stress=stress))
    assert words.endswith(said)
    assert ("exact" in words) == ("exact" in said)


def test_names_keep_their_ends_on_phones_and_paper(tmp_path: Path, visit: Visiting) -> None:
    """Long names lose their beginnings, crowded ones give way, and paper clips no list."""
    points = np.random.default_rng(2).random((32, 3))
    names = tuple(f"{'a name that is much too long ' * 3}{place:02}.ply" for place in range(32))
    write_table(tmp_path / "d.csv", np.linalg.norm(points[:, None] - points, axis=-1), names)
    page = tmp_path / "d.html"
    assert main(["report", str(tmp_path / "d.csv"), "-o", str(page), "-q"]) == 0
    one = visit(page, width=360, height=740)
    ends = one.page.evaluate(
        """() => [...document.querySelectorAll('.tree .tail')].map((tail) => {
            const seen = tail.getBoundingClientRect(), range = document.createRange();
            const text = tail.querySelector('bdi').firstChild;
            range.setStart(text, text.length - 2);
            range.setEnd(text, text.length);
            const end = range.getBoundingClientRect();
            return [end.left >= seen.left - 1 && end.right <= seen.right + 1,
              tail.scrollWidth > tail.clientWidth];
        })"""
    )
    assert ends == [[True, True]] * 32
    assert not one.page.locator(".heat .names").is_visible()
    one.page.emulate_media(media="print")
    clipped = one.page.locator(".rows").evaluate("(list) => list.scrollHeight - list.clientHeight")
    assert clipped <= 1


def test_a_painted_shape_is_lit_and_stands_free() -> None:
    """A ball is bright where the light comes from, dark below, round, and always the same bytes."""
    around, along = np.meshgrid(np.linspace(0, 2 * np.pi, 41)[:-1], np.linspace(0, np.pi, 21))
    points = np.stack(
        [np.cos(around) * np.sin(along), np.cos(along), np.sin(around) * np.sin(along)], -1
    ).reshape(-1, 3)  # fmt: skip
    corner = np.arange(20 * 40).reshape(20, 40)
    right = np.roll(corner, -1, axis=1)
    halves = ([corner, right, corner + 40], [right, right + 40, corner + 40])
    faces = np.concatenate([np.stack(half, -1).reshape(-1, 3) for half in halves])
    ball = Cloud(name="ball", vertices=points, faces=faces)
    png = painted(ball)
    assert png == painted(ball)
    assert len(png) < 6_000
    with Image.open(BytesIO(png)) as image:
        picture = np.asarray(image.convert("RGBA")).astype(float)
    assert picture.shape == (SIDE, SIDE, 4)
    covered = picture[..., 3] > 128
    assert abs(covered.mean() - np.pi * 0.46**2) < 0.02
    middle = SIDE // 2
    above, below = picture[middle // 2, middle, 0], picture[middle + middle // 2, middle, 0]
    assert above > below + 40
    assert not covered[[0, -1]].any()
    with Image.open(BytesIO(painted(Cloud(name="dust", vertices=points)))) as image:
        assert 0.1 < (np.asarray(image.convert("RGBA"))[..., 3] > 128).mean() < 0.7


def test_names_on_a_map_hide_nothing() -> None:
    """Every file has its dot, and no two names or pictures overlap."""
    rng = np.random.default_rng(0)
    names = [f"name {place}" for place in range(60)]
    drawn = laid_out(rng.normal(size=(60, 2)), names, [True] * 60)
    boxes = [(s.text_x, s.text_y, 7.4 * len(n) / 2, 8.5) for s, n in zip(drawn.spots, names,
             strict=True) if s.text_x is not None and s.text_y is not None]  # fmt: skip
    boxes += [(s.x, s.y, s.picture / 2, s.picture / 2) for s in drawn.spots if s.picture]
    x, y, wide, tall = np.array(boxes).T
    meets = (np.abs(x[:, None] - x) < wide[:, None] + wide - 0.2) & (
        np.abs(y[:, None] - y) < tall[:, None] + tall - 0.2
    )
    assert meets.sum() == len(boxes) > 30
    assert all(0 <= spot.x <= 1000 and 0 <= spot.y <= drawn.height for spot in drawn.spots)


def test_what_is_no_table_is_refused(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line each, nothing written: one file, the nearest only, parts of a table."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(made / "shapes/long", "shapes")
    write_table(Path("one.csv"), np.zeros((1, 1)), ("a.ply",))
    Path("near.csv").write_text("name,rank,neighbor,distance\na,1,b,0.5\nb,1,a,0.5\n")
    write_table(Path("two.csv"), np.array([[0, 1.0], [1, 0]]), ("a.ply", "b.ply"))
    before = sorted(tmp_path.rglob("*"))
    refused: dict[tuple[str, ...], tuple[int, str]] = {
        ("report", "one.csv"): (1, "one.csv: expected at least 2 files, found 1"),
        ("report", "near.csv"): (1, "near.csv: expected all distances, found the nearest only"),
        ("report", "two.csv", "--labels", "from-folder"): (1, "a.ply: expected a folder before"),
        ("pairwise", "shapes", "--nearest", "1"): (2, "leave out --nearest"),
        ("pairwise", "shapes", "--shard", "1/2"): (2, "leave out --shard"),
    }
    for given, (code, said) in refused.items():
        table = ["-o", "t.csv", "--report"] if given[0] == "pairwise" else ["-o"]
        assert main([*given, *table, "page.html"]) == code
        err = capsys.readouterr().err
        assert said in err
        assert len(err.splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_files_that_fail_are_left_out_of_the_page(tmp_path: Path, made: Path) -> None:
    """The exit code says that some failed; what was compared is shown."""
    shutil.copytree(made / "shapes/long", tmp_path / "shapes")
    (tmp_path / "shapes/broken.obj").write_text("v 1 2\n")
    page = tmp_path / "page.html"
    out = ["-o", str(tmp_path / "t.csv"), "--report", str(page)]
    assert main(["pairwise", str(tmp_path / "shapes"), *FAST, *out]) == 3
    assert data_of(page)["rows"] == ["long0", "long1", "long2"]


def test_map_heat_and_list_answer(made: Path, visit: Visiting) -> None:
    """Pointing at a cell says both names and the distance; the map names the nearest; finding."""
    matrix, data = read_matrix(made / "d.csv"), data_of(made / "d.html")
    one = visit(made / "d.html")
    cells = one.page.locator("#cells")
    cells.scroll_into_view_if_needed()
    box = cells.bounding_box()
    row, column = data["order"][1], data["order"][4]
    one.page.mouse.move(box["x"] + box["width"] * 4.5 / 6, box["y"] + box["height"] * 1.5 / 6)
    said = one.page.locator("#heat-readout").inner_text()
    assert data["rows"][row] in said
    assert data["rows"][column] in said
    shown = float(re.findall(r"are ([0-9.e-]+) apart", said.replace("\n", " "))[0])
    assert abs(shown / matrix.distances[row, column] - 1) < 1e-3
    cells.focus()
    one.page.keyboard.press("ArrowDown")
    assert data["rows"][data["order"][2]] in one.page.locator("#heat-readout").inner_text()
    heat = one.pixels("#cells")
    assert heat.shape == (6, 6, 4)
    light = heat[..., :3].astype(int).sum(axis=2)
    inside = matrix.distances[np.ix_(data["order"], data["order"])]
    assert np.corrcoef(light.ravel(), inside.ravel())[0, 1] > 0.9
    one.page.locator("#map").focus()
    one.page.keyboard.press("ArrowRight")
    said = one.page.locator("#map-readout").inner_text()
    first = data["order"][0]
    apart = np.where(np.arange(6) == first, np.inf, matrix.distances[first])
    assert said.startswith(data["rows"][first])
    assert f"nearest: {data['rows'][int(apart.argmin())]}" in said.replace("\n", " ")
    assert one.page.locator("#lines line").count() == 3
    one.page.locator("#find").fill("wide1")
    assert one.page.locator(".near:visible").count() == 1
    assert one.overflow() == 0
    phone = visit(made / "d.html", width=360, height=740)
    assert phone.overflow() == 0


def test_the_first_screen_is_as_it_was(visit: Visiting, made: Path) -> None:
    """As stored but for the font; a page without pictures or without style is told from it."""
    is_as_it_was(visit, made / "d.html", "table")
