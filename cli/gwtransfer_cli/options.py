"""Options that several commands share, declared once, and the recipe they make."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gwtransfer import masking
    from gwtransfer.opening import Opening
    from gwtransfer.recipe import Recipe
    from gwtransfer.writing import Writing

Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="OUT", help="File to write; its name says how.")
]
FITTING, PLANNING, MAPPING = "Fitting", "Planning", "Mapping"
READING, WRITING, RUNNING = "Reading", "Writing", "Running"
FLAGS = {"prepare": "--prepare", "plan": "--solver", "map": "--map"}
"""Options that choose a stage of a kind."""

Components = Annotated[
    int | None,
    typer.Option(
        "--components",
        "-k",
        help="Gaussians in each mixture.",
        rich_help_panel=FITTING,
        show_default="15, for shapes 20; fewer where there are fewer colours or points",
    ),
]
Sample = Annotated[
    int | None,
    typer.Option(
        help="Pixels or points a fit sees.",
        rich_help_panel=FITTING,
        show_default="20000, of shapes 10000",
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite/--no-overwrite", help="Replace OUT if it exists."),
]
Space = Annotated[
    str | None,
    typer.Option(
        help="Colour space of pictures in which distances and brightness are meant: srgb, linear, "
        "oklab or lab.",
        rich_help_panel=FITTING,
        show_default="oklab",
    ),
]
Variance = Annotated[
    float | None,
    typer.Option(
        help="Share of a cube's variance its principal axes keep, 32 of them at most; 1 keeps "
        "every band, which takes long above a hundred.",
        rich_help_panel=FITTING,
        show_default="0.999",
    ),
]
Noise = Annotated[
    bool | None,
    typer.Option(
        "--noise/--no-noise",
        help="Do not amplify a cube's sensor noise.",
        rich_help_panel=FITTING,
        show_default="--noise",
    ),
]
Prepare = Annotated[
    str | None,
    typer.Option(
        "--prepare",
        metavar="xyz|spectral",
        help="How a shape becomes points: xyz samples its surface as it stands; spectral takes "
        "coordinates that bending and posing leave alone. auto is xyz, and color for pictures.",
        rich_help_panel=FITTING,
        show_default="auto",
    ),
]
KeepSize = Annotated[
    bool | None,
    typer.Option(
        "--keep-size/--no-keep-size",
        help="Compare sizes too: without it every shape is scaled to radius one, and xyz does "
        "not see size.",
        rich_help_panel=FITTING,
    ),
]
Seed = Annotated[
    int,
    typer.Option(help="Same seed, same result.", rich_help_panel=FITTING),
]
Solver = Annotated[
    str | None,
    typer.Option(
        help="auto, mw2, mgw2, mew2 or a plug-in's. auto takes mw2 where both sides live in one "
        "colour space, mgw2 between shapes and mew2 elsewhere.",
        rich_help_panel=PLANNING,
        show_default="auto",
    ),
]
Starts = Annotated[
    str | None,
    typer.Option(
        metavar="full|few",
        help="How many starts mgw2 and mew2 search from: few for previews and scripts, whose "
        "values may lie above those of full. mw2 is exact and has none.",
        rich_help_panel=PLANNING,
        show_default="full",
    ),
]
Anchor = Annotated[
    float | None,
    typer.Option(
        help="Weight of keeping bright bright; 0 turns it off.",
        rich_help_panel=PLANNING,
        show_default="2, for mw2 0",
    ),
]
Marginals = Annotated[
    str | None,
    typer.Option(
        metavar="hard|soft",
        help="Whether the palette's proportions must be kept: soft where they are wrong for the "
        "picture, as a palette that is nine tenths sky.",
        rich_help_panel=PLANNING,
        show_default="hard",
    ),
]
Penalty = Annotated[
    float | None,
    typer.Option(
        help="What leaving the proportions costs with --marginals soft: 0 takes the nearest "
        "colours, 100 is nearly hard.",
        rich_help_panel=PLANNING,
        show_default="0.1",
    ),
]
Map = Annotated[
    str | None,
    typer.Option(
        "--map",
        help="mean (smooth), rand (every colour of the palette, grainy), nearest (only colours "
        "that occur in the palette) or a plug-in's.",
        rich_help_panel=MAPPING,
        show_default="mean",
    ),
]
GainCap = Annotated[
    str | None,
    typer.Option(
        help="Largest stretch of colours, in radii of palette per radius of source; none does "
        "not cap.",
        rich_help_panel=MAPPING,
        show_default="5",
    ),
]
Strength = Annotated[
    float,
    typer.Option(
        help="From 0 to 1: how much of the map to apply. The rest is the source, or its gray "
        "where a cube becomes a picture.",
        rich_help_panel=MAPPING,
    ),
]
Keep = Annotated[
    str | None,
    typer.Option(
        help="luminance or chroma: what of the source's colour stays as it is.",
        rich_help_panel=MAPPING,
        show_default="neither",
    ),
]
Smooth = Annotated[
    float | None,
    typer.Option(
        help="From 0 to 1: how much to clean speckle and fringes, edges kept (guided filter).",
        rich_help_panel=MAPPING,
        show_default="1 where --map mean makes a picture of a cube, else 0",
    ),
]
Mask = Annotated[
    Path | None,
    typer.Option(
        metavar="PICTURE",
        help="White is fitted and mapped, black is not, gray partly. Transparent and missing "
        "pixels never are.",
        rich_help_panel=MAPPING,
        show_default="everything",
    ),
]
Feather = Annotated[
    float,
    typer.Option(
        metavar="PIXELS", help="Soften the edges of masks by so much.", rich_help_panel=MAPPING
    ),
]
Load = Annotated[
    str | None,
    typer.Option(
        help="Read the first file as this format, whatever it looks like.", rich_help_panel=READING
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="EXTENSION",
        help="What to write where OUT is -, standard output.",
        rich_help_panel=WRITING,
        show_default="png",
    ),
]
Write = Annotated[
    str | None,
    typer.Option(
        help="Of several formats that write OUT's extension, take this one.",
        rich_help_panel=WRITING,
    ),
]
Depth = Annotated[
    str | None,
    typer.Option(
        metavar="8|16|float",
        help="Bits of a stored value.",
        rich_help_panel=WRITING,
        show_default="as the source, 8 for a cube's picture",
    ),
]
Dither = Annotated[
    bool,
    typer.Option(
        "--dither/--no-dither",
        help="Round with noise, so that smooth areas show no bands.",
        rich_help_panel=WRITING,
    ),
]
Cog = Annotated[
    bool,
    typer.Option(
        "--cog/--no-cog", help="Write a TIFF as a cloud-optimized GeoTIFF.", rich_help_panel=WRITING
    ),
]
Strip = Annotated[
    bool,
    typer.Option(
        "--strip/--no-strip",
        help="Leave out ICC profile, Exif and resolution.",
        rich_help_panel=WRITING,
    ),
]
Variable = Annotated[
    str | None,
    typer.Option(
        help="Array of a .mat, HDF5, netCDF or Zarr file: its path or the last part of it; A,B,C "
        "stacks images as bands, NAME[0] fixes the first axis.",
        rich_help_panel=READING,
    ),
]
BandAxis = Annotated[
    int | None,
    typer.Option(help="Axis of the bands in an array: 0, 1 or 2.", rich_help_panel=READING),
]
BandChoice = Annotated[
    str | None,
    typer.Option(
        "--bands",
        metavar="RANGES",
        help="Bands of a cube: 400-700nm,900nm- by wavelength, 1-20,35 by number from 1, or all.",
        rich_help_panel=READING,
        show_default="all the file does not call bad",
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        metavar="cpu|cuda",
        help="What computes --map mean and nearest, and a fit's passes over all pixels: cuda is an "
        "NVIDIA GPU by PyTorch. All else, rand and --smooth too, stays on the processor.",
        rich_help_panel=RUNNING,
        show_default="cpu",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KIND=STAGE|KIND.OPTION=VALUE",
        help="Choose any stage or set any of its options; see `gwtransfer stages`. Repeatable.",
        show_default=False,
    ),
]


def make_recipe(
    settings: list[str] | None,
    kinds: Sequence[str],
    *,
    files: Sequence[str] = (),
    **given: object,
) -> "Recipe":
    """Return the recipe of a command: what was given, over the recipe file, over the defaults.

    Parameters
    ----------
    settings : list of str or None
        ``KIND=STAGE`` and ``KIND.OPTION=VALUE``.
    kinds : sequence of str
        The kinds of stage the command runs.
    files : sequence of str
        Kinds of stage that open and write, and whose options `file_options` takes.
    **given
        Keywords; None was not given.
    """
    from gwtransfer.errors import UsageError
    from gwtransfer.keywords import STAGE, layered, recipe_of, sorted_out
    from gwtransfer.recipe import parse_setting
    from gwtransfer_cli import calls

    over, rest = sorted_out(given, kinds)
    for text in settings or []:
        kind, option, value = parse_setting(text, (*kinds, *files))
        if kind in files:
            continue
        table = over.setdefault(kind, {})
        name = STAGE if option is None else option.replace("-", "_")
        if name in table and (option is not None or table[STAGE] != value):
            if option is None and kind in FLAGS:
                words = f"{FLAGS[kind]} {table[STAGE]} already chose"
                raise UsageError(f"--set {text}: {words}; drop one")
            raise UsageError(f"--set {text}: {kind}.{name} was given already; drop one")
        table[name] = value
    under = {kind: table for kind, table in calls.tables().items() if kind in kinds}
    return recipe_of({**rest, **layered(under, over)}, kinds)


def file_options(settings: list[str] | None, kind: str) -> dict[str, object]:
    """Return the options of a load or write stage: from --set, over those of the recipe.

    Raises
    ------
    UsageError
        --set chooses such a stage, which an option of its own does.
    """
    from gwtransfer.errors import UsageError
    from gwtransfer_cli import calls

    options = dict(calls.tables().get(kind, {}))
    for text in settings or []:
        key, _, value = text.partition("=")
        if key == kind:
            raise UsageError(f"--set {text}: use --{kind} {value}")
        if key.startswith(f"{kind}."):
            options[key.removeprefix(f"{kind}.").replace("-", "_")] = value
    return options


def make_opening(
    load: str | None,
    variable: str | None,
    band_axis: int | None,
    bands: str | None,
    settings: list[str] | None = None,
) -> "Opening":
    """Return how to open a command's inputs."""
    from gwtransfer.opening import Opening

    named = {"variable": variable, "band_axis": band_axis}
    given = {name: value for name, value in named.items() if value is not None}
    return Opening(load=load, options={**file_options(settings, "load"), **given}, bands=bands)


def make_mask(path: Path | None, feather: float) -> "masking.Mask | None":
    """Return a mask, or None without one."""
    from gwtransfer import masking

    return None if path is None else masking.Mask(path=path, feather=feather)


def check_format(extension: str | None) -> None:
    """Refuse a format where the output's name says it."""
    from gwtransfer.errors import UsageError

    if extension is not None:
        raise UsageError("--format says what goes to standard output; OUT is a file, leave it out")


def check_feather(feather: float, *masks: Path | None) -> None:
    """Refuse a feather that has no mask to soften."""
    from gwtransfer.errors import UsageError

    if feather != 0 and not any(masks):
        raise UsageError("--feather softens the edges of a mask; give one, or leave it out")


def make_writing(
    write: str | None,
    depth: str | None,
    *,
    dither: bool,
    cog: bool,
    strip: bool,
    overwrite: bool,
    settings: list[str] | None = None,
) -> "Writing":
    """Return how to write a command's output; what was not asked for is left to the writer."""
    from gwtransfer.errors import UsageError
    from gwtransfer.writing import Writing

    if depth not in (None, "8", "16", "float"):
        raise UsageError(f"--depth: expected 8, 16 or float, got {depth}")
    given = file_options(settings, "write")
    given |= {} if depth is None else {"depth": depth}
    given |= {name: True for name, asked in (("dither", dither), ("cog", cog)) if asked}
    return Writing(write=write, options=given, strip=strip, overwrite=overwrite)
