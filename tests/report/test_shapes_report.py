"""The pages of matches and of plans between shapes: what they hold, say, and do in a browser."""

import base64
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cli.test_match import write_obj
from tests.test_matching import body, twisted

from gwtransfer.core.types import Cloud
from gwtransfer.report import shapes_words as words
from gwtransfer.report.shapes_fewer import fewer
from gwtransfer.report.shapes_parts import ellipsoids
from gwtransfer.report.shapes_stretch import stretch
from gwtransfer.report.shapes_views import facing_alike, standing
from gwtransfer.report.shares import percent
from gwtransfer_cli.app import main

from .browser import Visiting
from .screens import is_as_it_was

IN_SPACE = ("--prepare", "xyz", "-k", "4", "--sample", "500", "-q")
QUICK = ("--set", "plan.random=2", "--set", "plan.waves=0")


def data_of(page: Path) -> dict[str, Any]:
    """Return what scripts of a page read."""
    text = page.read_text("utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return dict(json.loads(found[1]))


def unpacked(held: dict[str, str]) -> np.ndarray:
    """Return an array of a page, as its scripts see it."""
    return np.frombuffer(base64.b64decode(held["data"]), np.dtype(held["type"]).newbyteorder("<"))


def words_of(page: Path) -> str:
    """Return what a page says, without tags, scripts and styles."""
    text = re.sub(r"<(script|style).*?</\1>", "", page.read_text("utf-8"), flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", text)))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Match a body with a pose of it, and write the folder and the page; and a plan of both."""
    folder = tmp_path_factory.mktemp("match")
    vertices, faces = body(rings=7)
    write_obj(str(folder / "a.obj"), vertices, faces)
    write_obj(str(folder / "pose.obj"), twisted(vertices), faces)
    files = [str(folder / name) for name in ("a.obj", "pose.obj")]
    out = ["-o", str(folder / "out"), "--report", str(folder / "match.html")]
    assert main(["match", *files, *IN_SPACE, *QUICK, "--truth", "same-index", *out]) == 0
    for file, name in zip(files, ("a.npz", "b.npz"), strict=True):
        assert main(["fit", file, "--prepare", "xyz", "-k", "5", "-o", str(folder / name)]) == 0
    mixtures = [str(folder / name) for name in ("a.npz", "b.npz")]
    assert main(["plan", *mixtures, "-o", str(folder / "plan.npz")]) == 0
    return folder


def test_a_page_says_what_the_match_says(made: Path) -> None:
    """Score, mean error, share within 0.05 and every file are those of match.json."""
    said = json.loads((made / "out/match.json").read_text())
    text = words_of(made / "match.html")
    assert f"Score {said['score']:.3f}" in text
    assert f"Mean error {said['error']['mean']:.4f}" in text
    near = dict(zip(said["error"]["at"], said["error"]["share"], strict=True))[0.05]
    assert f"{percent(near)} of the points lie within 5 %".replace("\u00a0", " ") in text
    rows = re.findall(r"(\d+(?:\.\d+)?) % (\d+(?:\.\d+)?) %", text.split("share of points")[-1])
    curve = [(float(at) / 100, float(share) / 100) for at, share in rows[:26]]
    np.testing.assert_allclose(curve, np.transpose([said["error"]["at"], said["error"]["share"]]),
                               atol=5e-4)  # fmt: skip
    for name in ("match.csv", "source.ply", "transform.txt", "match.json"):
        assert name in text
    assert 'command = "match"' in text
    assert "report" not in said["recipe"]


def test_report_of_the_folder_is_the_same_page(made: Path) -> None:
    """`report` makes of the folder, with or without the shapes, what --report made in memory."""
    whole = (made / "match.html").read_bytes()
    shapes = [str(made / name) for name in ("a.obj", "pose.obj")]
    for given in ([], shapes):
        page = made / f"again{len(given)}.html"
        assert main(["report", str(made / "out"), *given, "-o", str(page), "-q"]) == 0
        assert page.read_bytes() == whole


def test_matched_places_have_one_colour_and_are_linked(made: Path) -> None:
    """Each point of the first shape leads to the point of the second that match.npz names."""
    data = data_of(made / "match.html")
    first, second = data["pair"]
    places = unpacked(data["matches"]).reshape(-1, 3)
    shown = unpacked(second["points"]).reshape(-1, 3).astype(int)
    nearest = np.square(shown[None] - places[:, None]).sum(-1).argmin(1)
    assert np.abs(shown[nearest] - places).max() <= 1
    colours = [unpacked(side["colours"]).reshape(-1, 3) for side in (first, second)]
    np.testing.assert_array_equal(colours[0], colours[1][nearest])
    with np.load(made / "out/match.npz") as held:
        used = len(np.unique(held["target"]))
    assert len(np.unique(nearest)) == used > 50


def test_few_triangles_keep_the_shape() -> None:
    """A ball of 3 120 triangles becomes one of 600: of its own vertices, and hardly smaller."""
    around, along = np.meshgrid(np.linspace(0, 2 * np.pi, 41)[:-1], np.linspace(0, np.pi, 41))
    points = np.stack(
        [np.cos(around) * np.sin(along), np.cos(along), np.sin(around) * np.sin(along)], -1
    ).round(12).reshape(-1, 3)  # fmt: skip
    corner = np.arange(40 * 40).reshape(40, 40)
    right, below = np.roll(corner, -1, axis=1), corner + 40
    faces = np.concatenate([
        np.stack([corner, right, below], -1).reshape(-1, 3),
        np.stack([right, np.roll(below, -1, axis=1), below], -1).reshape(-1, 3),
    ])  # fmt: skip
    cloud = Cloud(name="ball", vertices=points, faces=faces)
    found = fewer(cloud, faces=600)
    assert found.faces is not None
    assert 560 <= len(found.faces) <= 600
    kept = cloud.vertices[found.kept]
    np.testing.assert_allclose(np.linalg.norm(kept, axis=1), 1, atol=1e-9)
    a, b, c = np.moveaxis(kept[found.faces], 1, 0)
    volume = abs(np.einsum("fi,fi->f", a, np.cross(b, c)).sum()) / 6
    assert 0.95 < volume / (4 / 3 * np.pi) < 1
    edges = np.sort(found.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    few = fewer(Cloud(name="dust", vertices=np.random.default_rng(0).random((5000, 3))), points=900)
    assert 700 < len(few.kept) <= 900


def test_stretch_tells_a_match_from_a_muddle() -> None:
    """A copy of another size keeps all neighbours at their distance; a shuffled one loses them."""
    points = np.random.default_rng(0).random((800, 3))
    source = Cloud(name="a", vertices=points)
    target = Cloud(name="b", vertices=7 * points[::-1] + 3)
    found = stretch(source, target, np.arange(800)[::-1], scale=None)
    assert found is not None
    np.testing.assert_allclose(found.ratios, 1, atol=1e-12)
    assert (found.kept, abs(found.shares.sum() - 1) < 1e-12) == (1.0, True)
    muddle = stretch(source, target, np.random.default_rng(1).permutation(800), scale=7.0)
    assert muddle is not None
    assert muddle.kept < 0.2


def test_both_shapes_are_seen_from_one_side() -> None:
    """A turned and moved copy is shown as its original is, upright, from the broad side."""
    points = np.random.default_rng(0).normal(size=(500, 3)) * [5, 2, 0.5]
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    view = standing(points)
    assert abs(np.linalg.det(view) - 1) < 1e-12
    assert view[1, 1] > 0.95
    assert abs(view[2, 2]) > 0.95
    other = facing_alike(view, points, points @ turn.T + 9)
    np.testing.assert_allclose(other @ turn, view, atol=1e-9)


SAID = {"method": "spectral", "score": 0.7, "runner_up": 0.3, "mirrored": 0.4, "upright": 0.9}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "Nothing speaks against it"),
        ({"upright": -0.5}, "do not trust it"),
        ({"mirrored": 0.75}, "A mirror image of the match fits even better (0.750 against 0.700)"),
        ({"runner_up": 0.6}, "different match fits nearly as well (0.600 against 0.700)"),
        ({"score": 0.35, "mirrored": 0.1, "runner_up": 0.1}, "expect mistakes"),
        ({"method": "rigid"}, "After the motion 70\u00a0% of both lie on one another"),
        ({"method": "rigid", "score": 0.3, "mirrored": 0.1, "runner_up": 0.1}, "That is little"),
        ({"method": "xyz"}, "One rotation explains 70\u00a0%"),
    ],
)
def test_trust_is_said_in_words(changed: dict[str, Any], expected: str) -> None:
    """Each warning of a match has a sentence, and without one nothing is held against it."""
    found = words.trust({**SAID, **changed})
    assert any(expected in sentence for sentence in found)
    assert len(found) == 1


def test_a_motion_is_said_in_words() -> None:
    """A half turn about z, doubled and moved, is told as such."""
    motion = np.diag([-2.0, -2.0, 2.0, 1.0])
    motion[:3, 3] = [1, 0, 0.5]
    assert words.motion_words(motion) == (
        "The first shape is turned by 180.0°, scaled by 2 and then moved by (1, 0, 0.5)."
    )


def test_an_ellipsoid_stands_for_each_component() -> None:
    """Its middle is the mean, and its extent the deviation along each axis."""
    from gwtransfer.core.types import GaussianMixture, Space

    means = np.array([[0.0, 0, 0], [9, 0, 0]])
    mixture = GaussianMixture(
        weights=np.array([0.5, 0.5]), means=means, space=Space.raw(3),
        covariances=np.stack([np.diag([4.0, 1, 1]), np.eye(3)]),
    )  # fmt: skip
    cloud, chosen, own = ellipsoids(mixture)
    np.testing.assert_array_equal(np.bincount(own), [42, 42])
    for place in range(2):
        np.testing.assert_allclose(cloud.vertices[own == place].mean(axis=0), means[place],
                                   atol=1e-9)  # fmt: skip
    wide = np.ptp(cloud.vertices[own == 0], axis=0) / np.ptp(cloud.vertices[own == 1], axis=0)
    assert 1.5 < wide[0] <= 2.1
    assert chosen.faces is not None
    assert len(chosen.faces) == 160


def test_a_plan_between_shapes_is_shown_part_by_part(made: Path) -> None:
    """Ellipsoids without the shapes, their parts with them; shares are those of the plan."""
    from gwtransfer.jobs import load_plan

    plan, _ = load_plan(made / "plan.npz")
    shapes = [str(made / name) for name in ("a.obj", "pose.obj")]
    for given, points in (([], 5 * 42), (shapes, 114)):
        page = made / f"plan{len(given)}.html"
        assert main(["report", str(made / "plan.npz"), *given, "-o", str(page), "-q"]) == 0
        data = data_of(page)
        assert [len(unpacked(side["points"])) for side in data["pair"]] == [3 * points] * 2
        shares = plan.coupling / plan.coupling.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(data["coupling"], shares, atol=1e-4)
        assert set(data["owners"][0]) == set(range(5))
        text = words_of(page)
        assert f"Distance {plan.distance:.4g}" in text
        assert ("Give both shapes" in text) == (not given)


def test_points_that_were_left_out_shift_no_match(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the folder cannot tell a cloud's numbers, the files beside it do, or are asked for."""
    monkeypatch.chdir(tmp_path)
    points = body(rings=7)[0].copy()
    np.save("full.npy", points)
    points[[0, 5]] = np.nan
    np.save("gaps.npy", points)
    assert main(["match", "full.npy", "gaps.npy", *IN_SPACE, *QUICK, "-o", "out",
                 "--report", "memory.html"]) == 0  # fmt: skip
    assert main(["report", "out", "-o", "beside.html", "-q"]) == 0
    assert Path("beside.html").read_bytes() == Path("memory.html").read_bytes()
    Path("gaps.npy").rename("elsewhere.npy")
    capsys.readouterr()
    assert main(["report", "out", "-o", "not.html"]) == 1
    assert "give SOURCE and TARGET" in capsys.readouterr().err
    assert main(["report", "out", "full.npy", "elsewhere.npy", "-o", "given.html", "-q"]) == 0
    assert Path("given.html").read_bytes() == Path("memory.html").read_bytes()


def test_what_is_no_match_is_refused(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line each, nothing written: other folders, one shape, others, a page in the folder."""
    import shutil

    monkeypatch.chdir(tmp_path)
    for name in ("a.obj", "pose.obj", "plan.npz"):
        shutil.copy(made / name, name)
    shutil.copytree(made / "out", "out")
    shutil.copytree(made / "out", "bare/out")
    Path("bare/out/source.ply").unlink()
    Path("empty").mkdir()
    shutil.copytree(made / "out", "broken")
    Path("broken/match.json").write_text("[1]")
    write_obj("few.obj", *body(rings=4))
    before = sorted(tmp_path.rglob("*"))
    refused: dict[tuple[str, ...], tuple[int, str]] = {
        ("report", "empty"): (1, "empty: expected a folder of `gwtransfer match`"),
        ("report", "broken"): (1, "broken/match.json: expected what gwtransfer match writes"),
        ("report", "bare/out"): (1, "or a.obj and pose.obj beside it, found neither"),
        ("report", "out", "a.obj"): (2, "expected SOURCE and TARGET, or neither"),
        ("report", "out", "a.obj", "few.obj"): (1, "few.obj: expected the target of out"),
        ("report", "plan.npz", "a.obj"): (2, "expected SOURCE and TARGET, or neither"),
        ("match", "a.obj", "pose.obj", "-o", "new", "--report", "new/r.html"): (2, "lies in"),
        ("match", "a.obj", "pose.obj", "--report", "r.txt"): (2, "expected a name that ends in"),
        ("match", "a.obj", "pose.obj", "--report", "a.obj"): (2, "a.obj: expected a name"),
    }
    for given, (code, said) in refused.items():
        output = ["-o", "page.html"] if given[0] == "report" else []
        assert main([*given, *output]) == code
        err = capsys.readouterr().err
        assert said in err
        assert len(err.splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_shapes_turn_together_and_crosses_mark_a_match(made: Path, visit: Visiting) -> None:
    """Drag and keys turn both, or one; pointing at a place marks it and its match."""
    one = visit(made / "match.html")
    first, second = "#first", "#second"
    one.until("document.getElementById('second').width > 300")
    one.page.wait_for_timeout(100)
    before = [one.pixels(name) for name in (first, second)]
    assert all((picture[..., 3] > 0).mean() > 0.05 for picture in before)
    box = one.page.locator(first).bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    one.page.mouse.move(*middle)
    one.page.wait_for_timeout(50)
    crosses = one.page.locator(".cross")
    assert [crosses.nth(side).is_visible() for side in (0, 1)] == [True, True]
    assert "match" in one.page.locator("#readout").inner_text()
    data = data_of(made / "match.html")
    seen = one.page.evaluate(
        """() => [...document.querySelectorAll('.cross')].map((cross) =>
            [parseFloat(cross.style.left), parseFloat(cross.style.top)])"""
    )
    places = [unpacked(data["pair"][0]["points"]), unpacked(data["matches"])]
    shown = [projected(of.reshape(-1, 3), data["pair"][side]["fit"]["radius"], box["width"])
             for side, of in enumerate(places)]  # fmt: skip
    point = np.abs(shown[0] - seen[0]).sum(axis=1).argmin()
    np.testing.assert_allclose([shown[0][point], shown[1][point]], seen, atol=0.5)
    one.page.locator(first).focus()
    one.page.keyboard.press("Escape")
    assert not crosses.nth(1).is_visible()
    one.page.keyboard.press("Enter")
    assert [crosses.nth(side).is_visible() for side in (0, 1)] == [True, True]
    at = crosses.nth(0).evaluate("(cross) => [cross.style.left, cross.style.top].map(parseFloat)")
    assert np.hypot(*(np.array(at) - (box["width"] - 2) / 2)) <= box["width"] / 8
    one.page.mouse.down()
    one.page.mouse.move(middle[0] + 60, middle[1], steps=3)
    one.page.mouse.up()
    one.page.wait_for_timeout(100)
    turned = [one.pixels(name) for name in (first, second)]
    assert all((old != new).any() for old, new in zip(before, turned, strict=True))
    one.page.locator("#together").uncheck()
    one.page.locator(second).focus()
    one.page.keyboard.press("ArrowLeft")
    one.page.wait_for_timeout(100)
    alone = [one.pixels(name) for name in (first, second)]
    assert [(old != new).any() for old, new in zip(turned, alone, strict=True)] == [False, True]
    phone = visit(made / "match.html", width=360, height=740, dark=True)
    assert phone.overflow() == 0
    assert (made / "match.html").stat().st_size < 1_000_000


def projected(points: np.ndarray, radius: float, width: float) -> np.ndarray:
    """Return where turning.js draws points at first, (n, 2) in CSS pixels."""
    yaw, pitch = 0.45, 0.18
    across = np.cos(yaw) * points[:, 0] + np.sin(yaw) * points[:, 2]
    away = -np.sin(yaw) * points[:, 0] + np.cos(yaw) * points[:, 2]
    up = np.cos(pitch) * points[:, 1] - np.sin(pitch) * away
    inner = width - 2  # the border
    return inner / 2 + 0.46 * inner / radius * np.column_stack([across, -up])


def test_a_part_of_the_diagram_keeps_its_colour(made: Path, visit: Visiting) -> None:
    """A part that is chosen stays coloured with its partners, the rest turns gray, and back."""
    page = made / "parts.html"
    assert main(["report", str(made / "plan.npz"), "-o", str(page), "-q"]) == 0
    one = visit(page)
    one.until("document.getElementById('second').width > 300")

    def coloured() -> list[int]:
        one.page.evaluate("window.scrollTo(0, 0)")
        one.page.wait_for_timeout(120)
        pictures = [one.pixels(name) for name in ("#first", "#second")]
        return [int((np.ptp(picture[..., :3], axis=2) > 15).sum()) for picture in pictures]

    whole = coloured()
    one.page.locator('.node[data-side="source"]').first.focus()
    one.page.keyboard.press("Enter")
    parts = coloured()
    assert all(0 < part < 0.7 * all_ for part, all_ in zip(parts, whole, strict=True))
    one.page.locator('.node[data-side="source"]').first.focus()
    one.page.keyboard.press("Enter")
    assert coloured() == whole
    assert one.overflow() == 0


def test_the_first_screen_is_as_it_was(visit: Visiting, made: Path) -> None:
    """As stored but for the font; a page without pictures or without style is told from it."""
    is_as_it_was(visit, made / "match.html", "match")
