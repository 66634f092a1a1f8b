"""First screens, compared with stored ones: blurred until another font hardly matters.

After a change that is meant, delete the stored one, run the test and look at what it made.
"""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from .browser import Visit, Visiting

HERE = Path(__file__).parent
LIMITS = {"colours": 5.0, "match": 4.0, "table": 1.3}
"""Mean differences, of 255, twice those that other fonts make."""

WIDTH, HEIGHT, STEP, BLUR = 1280, 640, 20, 20
"""Of the screen below the headline, of the squares that are compared, and of what comes before."""

FONT = "document.body.style.fontFamily = 'serif'"
PICTURES = """document.querySelectorAll('main :is(img, canvas, svg)')
    .forEach((one) => { one.style.visibility = 'hidden'; })"""
STYLE = "document.querySelectorAll('style').forEach((one) => one.remove())"


def screen(visit: Visit) -> np.ndarray:
    """Return the first section, blurred and small, (rows, columns, 3) of uint8."""
    visit.page.wait_for_timeout(100)
    visit.settle()
    top = visit.page.evaluate("document.querySelector('main section').getBoundingClientRect().top")
    clip = {"x": 0, "y": top, "width": WIDTH, "height": HEIGHT}
    shot = Image.open(BytesIO(visit.page.screenshot(animations="disabled", clip=clip)))
    blurred = shot.convert("RGB").filter(ImageFilter.GaussianBlur(BLUR))
    size = (WIDTH // STEP, HEIGHT // STEP)
    return np.asarray(blurred.resize(size, Image.Resampling.BOX))


def is_as_it_was(visit: Visiting, page: Path, name: str) -> None:
    """Check a first screen: as stored, in another font too; not without pictures or style."""
    one = visit(page, width=WIDTH, height=1000)
    stored = HERE / f"screen-{name}.png"
    if not stored.exists():
        Image.fromarray(screen(one)).save(stored, optimize=True)
        raise FileNotFoundError(f"{stored} was made anew; look at it and run again")
    expected = np.asarray(Image.open(stored)).astype(np.float64)
    for change, same in (("0", True), (FONT, True), (PICTURES, False), (STYLE, False)):
        one.page.evaluate(change)
        apart = float(np.abs(screen(one) - expected).mean())
        assert (apart < LIMITS[name]) == same, (change, apart)
