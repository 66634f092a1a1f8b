"""No formula of a page is taken for words in italics."""

from types import SimpleNamespace

import pytest

pytest.importorskip("mkdocs")

from mkdocs.exceptions import PluginError
from pages import eaten, on_page_content


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("<p><em>one word</em> and <code>a = b</code></p>", ""),
        ("<p>T<em>mean = Σ p</em></p>", "mean = Σ p"),
        ("<p><em>a<sub>k</sub> | b</em></p>", "ak | b"),
        ("<p>x = 1, <em>so</em> y^2</p>", ""),
    ],
)
def test_formulas_in_italics(content: str, found: str) -> None:
    """Italics with a sign of mathematics in them stop the build, and the page is named."""
    assert eaten(content) == found
    page = SimpleNamespace(file=SimpleNamespace(src_uri="mathematics.md"))
    if not found:
        assert on_page_content(content, page=page) == content
        return
    with pytest.raises(PluginError, match=r"^mathematics\.md: expected words in italics"):
        on_page_content(content, page=page)
