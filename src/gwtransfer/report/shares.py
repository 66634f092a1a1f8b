"""Shares, as all pages say them."""

WHOLE = 1 - 1e-6
"""From here on a share is all."""


def percent(share: float) -> str:
    """Return a share in per cent that no line breaks: with a decimal where it is small.

    What is little is not called nothing, and what is nearly all is not called all.
    """
    shown = 100 * share
    if 0 < shown < 0.1:
        return "<\u00a00.1\u00a0%"
    if 99.5 <= shown < 100 * WHOLE:
        return ">\u00a099.9\u00a0%" if shown > 99.9 else f"{shown:.1f}\u00a0%"
    return f"{shown:.1f}\u00a0%" if shown < 9.95 else f"{shown:.0f}\u00a0%"
