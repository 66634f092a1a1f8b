"""What the frames of a film are like: depth, colours, which way is up."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gwtransfer.errors import ReadError

MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9}
"""From the code of a matrix in ITU-T H.273 to the name swscale has for it."""

RGB, BT709, UNSTATED, BT601 = 0, 1, 2, 6
HDR_CURVES = {16: "PQ", 18: "HLG"}
WIDE_PRIMARIES = {9: "BT.2020", 11: "DCI-P3", 12: "Display P3"}
LIMITED, FULL = 1, 2
"""Codes of FFmpeg for the range of the values."""


@dataclass(frozen=True, kw_only=True)
class FrameFormat:
    """What all frames of a film are like, learnt from the first.

    Attributes
    ----------
    size : tuple of 2 ints
        Stored width and height.
    deep, alpha : bool
        More than 8 bits a colour; a channel of opacity.
    matrix, range : int
        swscale's name of the YUV matrix, and LIMITED or FULL.
    mirrored, quarters : bool, int
        To stand upright: mirror left and right, then turn clockwise by so many right angles.
    notes : tuple of str
    """

    size: tuple[int, int]
    deep: bool
    alpha: bool
    matrix: int
    range: int
    mirrored: bool
    quarters: int
    notes: tuple[str, ...]

    @classmethod
    def at(cls, path: Path, frame: Any, context: Any) -> "FrameFormat":
        """Look at a frame and its decoder.

        Raises
        ------
        ReadError
            The film is for HDR screens, or its YUV has a matrix nobody here knows.
        """
        notes: list[str] = []
        components = frame.format.components
        matrix, full = _matrix(path, frame, notes)
        _check_screen(path, context, notes)
        mirrored, quarters = _upright(frame, notes)
        if frame.interlaced_frame:
            notes.append("it is interlaced: the result has whole frames")
        return cls(
            size=(frame.width, frame.height),
            deep=max(component.bits for component in components) > 8,
            alpha=any(component.is_alpha for component in components),
            matrix=matrix,
            range=FULL if full else LIMITED,
            mirrored=mirrored,
            quarters=quarters,
            notes=tuple(notes),
        )

    @property
    def format(self) -> str:
        """FFmpeg's name of the RGB or RGBA that loses nothing."""
        if self.alpha:
            return "rgba64le" if self.deep else "rgba"
        return "rgb48le" if self.deep else "rgb24"


def _matrix(path: Path, frame: Any, notes: list[str]) -> tuple[int, bool]:
    """Return swscale's name of a frame's YUV matrix and whether its range is full."""
    form = frame.format
    if form.is_rgb or form.has_palette:
        return MATRICES[BT709], True
    full = int(frame.color_range) == FULL or form.name.startswith("yuvj")
    stated = int(frame.colorspace)
    if stated in MATRICES:
        return MATRICES[stated], full
    if stated not in (UNSTATED, RGB):
        raise ReadError(
            f"{path}: expected the colour matrix of BT.601, BT.709 or BT.2020, found number "
            f"{stated} of H.273; convert it to BT.709 first"
        )
    large = frame.height >= 720 or frame.width >= 1280
    if not form.name.startswith("gray"):
        notes.append(
            f"it does not state its colour matrix: BT.{709 if large else 601} is taken, as is "
            f"usual for {frame.width} × {frame.height}"
        )
    return MATRICES[BT709 if large else BT601], full


def _check_screen(path: Path, context: Any, notes: list[str]) -> None:
    """Refuse what is not for ordinary screens; note what is for wide ones."""
    curve = HDR_CURVES.get(int(context.color_trc))
    if curve:
        raise ReadError(
            f"{path}: expected a film for ordinary screens, found HDR ({curve}); convert it to "
            "BT.709 first"
        )
    primaries = WIDE_PRIMARIES.get(int(context.color_primaries))
    if primaries:
        notes.append(f"its primaries are {primaries}: the result takes them for BT.709")


def _upright(frame: Any, notes: list[str]) -> tuple[bool, int]:
    """Return whether to mirror a frame, and then how many quarter turns clockwise to make."""
    data = next((bytes(d) for d in frame.side_data if d.type.name == "DISPLAYMATRIX"), None)
    if data is None or len(data) < 36:
        return False, 0
    a, b, _, c, d, *_ = struct.unpack("=9i", data[:36])
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    angle = float(np.degrees(np.arctan2(b, a)))
    quarters = round(angle / 90) % 4
    if abs(angle - 90 * round(angle / 90)) > 1:
        notes.append(f"it asks to be turned by {angle:.0f}°: the result is turned as it is stored")
        return False, 0
    return mirrored, quarters
