"""Pages as such: whole, closed to the network, safe against the texts they show."""

import base64
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from gwtransfer.errors import PluginError
from gwtransfer.report import page
from gwtransfer.report.inlined import MOST_BYTES, inlined
from gwtransfer.report.shares import percent
from gwtransfer.report.shown import Showing


def test_data_cannot_leave_their_element() -> None:
    """Whatever a text holds, no tag ends or begins inside the data, and JSON reads them back."""
    texts = ["</script><script>alert(1)</script>", "<!--", "a & b", "\u2028\u2029", "é"]
    held = str(page.embedded({"texts": texts}))
    assert not set("<>&\u2028\u2029") & set(held)
    assert json.loads(held) == {"texts": texts}


@pytest.mark.parametrize("kind", page.PACKED)
def test_arrays_are_packed_little_endian(kind: str) -> None:
    """A page made on any machine holds the same bytes, which scripts read as little-endian."""
    values = np.array([[1, 2], [3, 100]]).astype(f">{kind}")
    packed = page.packed(values)
    back = np.frombuffer(base64.b64decode(packed["data"]), f"<{kind}")
    assert packed["type"] == np.dtype(kind).name
    assert back.tolist() == [1, 2, 3, 100]


def test_any_picture_is_made_small_enough() -> None:
    """Even noise, which nothing packs; the shape stays, and holes stay holes."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (1100, 1500, 3), dtype=np.uint8)
    opaque = np.full((1100, 1500), 255, np.uint8)
    opaque[:300, :300] = 0
    made = inlined(noise, opaque)
    assert len(base64.b64decode(made.url.partition(",")[2])) <= MOST_BYTES
    assert abs(made.columns / made.rows - 1500 / 1100) < 0.01
    assert (made.holes, made.coarse) == (True, False)
    small = inlined(noise[:20, :30])
    assert (small.rows, small.columns, small.holes, small.coarse) == (20, 30, False, True)


def test_cubes_are_shown_by_visible_bands_or_by_spread_ones() -> None:
    """Red, green and blue by wavelength where a cube has them; else three bands, and it is said."""
    rng = np.random.default_rng(1)
    points = rng.normal(size=(500, 31))
    seen = Showing.of(points, picture=False, wavelengths=np.linspace(400, 700, 31))
    assert (seen.bands.tolist(), "as the eye" in seen.said) == ([24, 15, 6], True)
    far = Showing.of(points, picture=False, wavelengths=np.linspace(1000, 1300, 31))
    assert far.bands.tolist() == [25, 15, 5]
    assert far.said == "the bands at 1250 nm, 1150 nm, 1050 nm as red, green and blue"
    shown = far.colours(points)
    assert (shown.min(axis=0).tolist(), shown.max(axis=0).tolist()) == ([0] * 3, [255] * 3)


def test_a_page_above_its_limit_is_a_mistake_of_ours() -> None:
    """Nobody gets a page that no mail carries."""
    with pytest.raises(ValueError, match="more than 5000000"):
        page.check_size("x" * 5_000_001)


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0.0 %"),
        (1e-9, "< 0.1 %"),
        (0.0123, "1.2 %"),
        (0.0996, "10 %"),
        (0.996, "99.6 %"),
        (0.9999, "> 99.9 %"),
        (1 - 1e-15, "100 %"),
        (1.0, "100 %"),
    ],
)
def test_little_is_not_nothing_and_nearly_all_is_not_all(share: float, said: str) -> None:
    """Of shares in per cent; rounding of the last digits of a double apart."""
    assert percent(share) == said.replace(" ", "\u00a0")


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without jinja2 there is one line that says what to install."""
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(PluginError, match=r"r\.html: .* pip install 'gwtransfer\[report\]'"):
        page.check_installed(Path("r.html"))


def test_names_that_are_no_text_are_shown_as_well_as_they_can_be() -> None:
    """A page is UTF-8 whatever bytes a file's name has, in its words and in its data."""
    name = b"nu\xff.off".decode("utf-8", "surrogateescape")
    words = ["names", "agreement", "trust", "plan_name", "coordinates"]
    context = {**dict.fromkeys(words, "-"), "names": [name, name], "data": {"name": name}}
    context |= {"ellipsoids": False, "spectral": False, "blended": False, "recipe": None}
    context |= {"flows": [], "figures": [], "label": 1, "swatch": 1, "percent": str}
    diagram = {"width": 1, "height": 1, "ribbons": [], "left": [], "right": []}
    text = page.render("shapes_plan.html.j2", {**context, "diagram": diagram})
    assert text.count("nu\N{REPLACEMENT CHARACTER}.off") >= 5
    assert text.encode()
