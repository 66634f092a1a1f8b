"""The keywords of the functions, for editors and type checkers: those of commands and recipes."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Literal, TypeAlias, TypedDict

from numpy.typing import NDArray

from gwtransfer.core.raster import Raster
from gwtransfer.core.types import Cloud
from gwtransfer.recipe import Recipe

Where: TypeAlias = str | PathLike[str]
"""A path."""

Table: TypeAlias = str | Mapping[str, object]
"""A stage's name, or a table of its options, ``stage`` being its name."""

Picture: TypeAlias = Where | NDArray[Any] | Raster
"""A picture, cube or film: its file, an array (rows, columns[, bands]), or an opened one."""

Shape: TypeAlias = Where | NDArray[Any] | tuple[NDArray[Any], NDArray[Any]] | Cloud
"""A shape: its file, points (n, 3), (vertices, faces), or an opened one."""

Item: TypeAlias = Picture | Shape

RecipeLike: TypeAlias = Where | Mapping[str, object] | Recipe
"""A recipe file, what one would hold, or a recipe."""


class ReadWords(TypedDict, total=False):
    """How files are read."""

    load: Table
    variable: str
    band_axis: int
    bands: str


class FitWords(TypedDict, total=False):
    """Points and the mixtures fitted to them."""

    prepare: Table
    fit: Table
    sample: int
    space: Literal["srgb", "linear", "oklab", "lab"]
    variance: float
    noise: bool
    keep_size: bool
    components: int
    device: Literal["cpu", "cuda"]
    seed: int


class PlanWords(TypedDict, total=False):
    """Plans between mixtures."""

    plan: Table
    solver: str
    starts: Literal["full", "few"]
    anchor: float
    marginals: Literal["hard", "soft"]
    penalty: float


class MapWords(TypedDict, total=False):
    """Maps, and what stays of the source."""

    map: Table
    gain_cap: float | str
    strength: float
    keep: Literal["luminance", "chroma"]
    smooth: float
    mask: Picture
    feather: float


class WriteWords(TypedDict, total=False):
    """How an output is written."""

    write: Table
    depth: Literal[8, 16, "8", "16", "float"]
    dither: bool
    cog: bool
    strip: bool
    overwrite: bool


class ApplyWords(ReadWords, MapWords, WriteWords, total=False):
    """Keywords of `apply`."""

    palette: Picture
    device: Literal["cpu", "cuda"]


class TransferWords(ReadWords, FitWords, PlanWords, MapWords, WriteWords, total=False):
    """Keywords of `transfer`."""

    palette_weights: Sequence[float] | str
    palette_mask: Picture
    pair: str | Sequence[str]
    preview: bool
    save_plan: Where
    report: Where


class FitMixtureWords(ReadWords, FitWords, total=False):
    """Keywords of `fit_mixture`."""

    mask: Picture
    feather: float


class DistanceWords(ReadWords, FitWords, total=False):
    """Keywords of `distance`."""

    plan: Table
    solver: str
    starts: Literal["full", "few"]
    restarts: int


class MatchWords(FitWords, total=False):
    """Keywords of `match`."""

    plan: Table
    load: Table
    rigid: bool
    icp: bool
    refine: bool
    rotation: Literal["proper", "any"]
    pair: str | Sequence[str]
    top: int
    transfer: Where
    truth: str
    report: Where
    overwrite: bool
