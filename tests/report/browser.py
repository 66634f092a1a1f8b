"""A real browser without a window, in which a page must be silent and ask for nothing."""

import base64
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
)  # fmt: skip
OWN = ("file:", "data:", "blob:")


@dataclass
class Visit:
    """A page that is open.

    `page` is playwright's; `asked` are the addresses it asked for beside its own file, `said` what
    its console and its errors said.
    """

    page: Any
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def pixels(self, selector: str) -> np.ndarray:
        """Return what a canvas holds, (rows, columns, 4) of uint8."""
        held = self.page.evaluate(
            "selector => document.querySelector(selector).toDataURL()", selector
        )
        picture = Image.open(BytesIO(base64.b64decode(held.partition(",")[2])))
        return np.asarray(picture.convert("RGBA"))

    def seen(self, selector: str | None = None) -> np.ndarray:
        """Return a screenshot of an element, or of the window, (rows, columns, 3) of uint8."""
        target = self.page if selector is None else self.page.locator(selector)
        picture = Image.open(BytesIO(target.screenshot(animations="disabled")))
        return np.asarray(picture.convert("RGB"))

    def settle(self) -> None:
        """Wait until what was asked for is drawn: pictures decoded, and two frames gone by."""
        self.page.evaluate(
            """async () => {
                await Promise.all([...document.images].map((one) => one.decode().catch(() => 0)));
                for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
            }"""
        )

    def until(self, expression: str) -> None:
        """Wait until an expression is true; playwright's own wait is eval, which pages forbid."""
        for _ in range(100):
            if self.page.evaluate(expression):
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"never true: {expression}")

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        root = "document.documentElement"
        return int(self.page.evaluate(f"{root}.scrollWidth - {root}.clientWidth"))


Visiting = Callable[..., Visit]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Start the browser once; skip, and say why, where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    with playwright.sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=found, args=list(FLAGS))
        except playwright.Error as error:
            pytest.skip(f"no browser: {str(error).splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Any) -> Iterator[Visiting]:
    """Open pages; at the end each must have been silent and have asked nobody for anything."""
    opened: list[tuple[Any, Visit]] = []

    def open_page(
        path: Path,
        *,
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
        touch: bool = False,
        moving: bool = False,
    ) -> Visit:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="no-preference" if moving else "reduce",
            has_touch=touch,
        )
        context.set_default_timeout(10_000)
        page = context.new_page()
        one = Visit(page)

        def answer(route: Any) -> None:
            if route.request.url.startswith(OWN):
                route.continue_()
            else:
                one.asked.append(route.request.url)
                route.abort()

        context.route("**/*", answer)
        page.on("console", lambda message: one.said.append(message.text))
        page.on("pageerror", lambda error: one.said.append(str(error)))
        page.goto(path.resolve().as_uri())
        opened.append((context, one))
        return one

    yield open_page
    for context, one in opened:
        context.close()
        assert (one.asked, one.said) == ([], [])
