"""Point clouds: PCD, and points as text."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwtransfer.core.types import Cloud
from gwtransfer.errors import ReadError
from gwtransfer.io.files import check_readable
from gwtransfer.io.shapes.forms import CLOUDS, form_of
from gwtransfer.io.shapes.pcd import read_pcd
from gwtransfer.io.shapes.text import read_text


@dataclass(frozen=True, kw_only=True)
class CloudLoader:
    """Load PCD, or XYZ, PTS, PWN, CSV and other text of a point a line, as a cloud.

    Points of NaN were not measured and are left out; the others keep the numbers of the file.
    Text is claimed by its name, and CSV or TXT if it begins with lines of at least three numbers;
    a header may say which columns are x, y and z.
    """

    @staticmethod
    def claims(path: Path) -> bool:
        """Tell from the first bytes, or from the name and numbers in the first lines."""
        return form_of(path) in CLOUDS

    def __call__(self, path: Path) -> Cloud:
        """Read the points.

        Returns
        -------
        Cloud

        Raises
        ------
        ReadError
            Not such a file, truncated, without points, or with points that make no sense.
        PluginError
            The points are packed, which needs Open3D, and it is not there.
        """
        check_readable(path)
        form = form_of(path)
        if form not in CLOUDS:
            raise ReadError(f"{path}: expected PCD or text of a point a line, found something else")
        read: Callable[[Path], NDArray[np.float64]] = read_pcd if form == "PCD" else read_text
        return measured(read(path), name=str(path))


def measured(points: ArrayLike, *, name: str) -> Cloud:
    """Return the points without those of NaN, and with their numbers where there are such.

    Parameters
    ----------
    points : (n, 3) array
    name : str
        What messages call the file.

    Raises
    ------
    ReadError
        There is none, or one is infinite.
    """
    everywhere = np.asarray(points, dtype=np.float64)
    endless = np.flatnonzero(np.isinf(everywhere).any(axis=1))
    if endless.size:
        raise ReadError(f"{name}: expected finite numbers, found others in point {endless[0] + 1}")
    numbers = np.flatnonzero(~np.isnan(everywhere).any(axis=1))
    if not numbers.size:
        found = "only points of NaN" if len(everywhere) else "none"
        raise ReadError(f"{name}: expected points, found {found}")
    if len(numbers) == len(everywhere):
        return Cloud(name=name, vertices=everywhere)
    return Cloud(name=name, vertices=everywhere[numbers], numbers=numbers)
