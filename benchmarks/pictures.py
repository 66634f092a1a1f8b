"""Pictures of 750 × 1000 in the colours of others, beside color-matcher: time, and sliced W2.

Everything but files is included on both sides: 8-bit arrays in, 8-bit arrays out.
"""

import argparse
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rows import Row, paired
from scenes import DATA, OTHERS, missing, required

from gwtransfer.core.raster import Raster, Rows
from gwtransfer.io.quantize import rounded
from gwtransfer.jobs import fit_opened, plan_between
from gwtransfer.measure import sliced_w2
from gwtransfer.recipe import Recipe
from gwtransfer.transport import apply_plan

Array = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Transfer = Callable[[Bytes, Bytes], Bytes]
"""Source and palette (rows, columns, 3) to a result."""

GROUP = "pictures"
SIZE = (750, 1000)
COMPONENTS = 15
PAIRS = [
    ("ocean-day", "ocean-sunset"),
    ("gauguin", "renoir"),
    ("scotland-house", "scotland-plain"),
]

SLOWER = 1.5
EVERY, DIRECTIONS = 7, 256
"""One pixel in EVERY of both pictures has a part in the sliced W2."""


def resampled(name: str) -> Bytes:
    """Return a picture at SIZE."""
    with Image.open(DATA / OTHERS[name]) as picture:
        whole = picture.convert("RGB").resize(SIZE[::-1], Image.Resampling.LANCZOS)
    return np.asarray(whole)


def ours(map_name: str, source: Bytes, palette: Bytes) -> Bytes:
    """Return our result with the defaults of `gwtransfer color`."""
    recipe = Recipe(stages={"map": map_name}, options={"fit": {"components": COMPONENTS}})
    image, colours = picture(source, "source"), picture(palette, "palette")
    plan = plan_between(fit_opened(image, recipe), fit_opened(colours, recipe), recipe)
    blocks = apply_plan(image, plan, recipe.build("map")).blocks()
    return np.concatenate([rounded(block.points, 8) for block in blocks]).reshape(source.shape)


def picture(values: Bytes, name: str) -> Raster:
    """Return an array as an opened picture."""
    rows, columns, bands = values.shape

    def read(start: int, stop: int) -> Rows:
        return Rows(values=values[start:stop].astype(np.float32) / 255)

    return Raster(
        name=name, rows=rows, columns=columns, bands=bands, read=read, kind="picture", dtype="uint8"
    )


def color_matcher(method: str, source: Bytes, palette: Bytes) -> Bytes:
    """Return color-matcher's result, cut to [0, 255].

    Its own program stretches the result to the whole range instead, which takes it farther from
    the palette.
    """
    from color_matcher import ColorMatcher

    moved = ColorMatcher().transfer(source, palette, method=method)
    whole: Bytes = np.clip(np.round(moved), 0, 255).astype(np.uint8)
    return whole


def distance(result: Bytes, palette: Bytes) -> float:
    """Return the sliced W2 between two pictures' colours in sRGB, in [0, 1] a channel."""
    sides = [side.reshape(-1, 3)[::EVERY] / 255 for side in (result, palette)]
    return sliced_w2(*sides, directions=DIRECTIONS)


def transfers() -> dict[str, Transfer]:
    """Return what is compared, by name."""
    return {
        "mean": partial(ours, "mean"),
        "rand": partial(ours, "rand"),
        "hm-mkl-hm": partial(color_matcher, "hm-mkl-hm"),
        "mkl": partial(color_matcher, "mkl"),
    }


def pair_rows(source_name: str, palette_name: str) -> Iterator[Row]:
    """Yield a pair's times and distances."""
    source, palette = resampled(source_name), resampled(palette_name)
    methods = transfers()
    calls = [partial(transfer, source, palette) for transfer in methods.values()]
    seconds = dict(zip(methods, paired(*calls), strict=True))
    far = {name: distance(transfer(source, palette), palette) for name, transfer in methods.items()}
    pair = f"{source_name} to {palette_name}"
    for name, most in (("mean", 1.0), ("rand", 0.5)):
        yield Row(
            group=GROUP,
            name=f"{pair}: time, {name} over hm-mkl-hm",
            value=seconds[name] / seconds["hm-mkl-hm"],
            unit="×",
            at_most=SLOWER,
            limit=f"{seconds[name]:.2f} s over {seconds['hm-mkl-hm']:.2f} s",
            note=f"mkl {seconds['mkl']:.2f} s",
        )
        yield Row(
            group=GROUP,
            name=f"{pair}: sliced W2 to the palette, {name} over hm-mkl-hm",
            value=far[name] / far["hm-mkl-hm"],
            unit="×",
            at_most=most,
            limit=f"{far[name]:.4f} over {far['hm-mkl-hm']:.4f}",
            note=f"mkl {far['mkl']:.4f}",
        )


def rows() -> Iterator[Row]:
    """Yield the figures of every pair."""
    required()
    for source, palette in PAIRS:
        yield from pair_rows(source, palette)


def main() -> None:
    """Print the rows."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    if missing():
        print(f"data not found: {missing()[0]}")
        return
    for row in rows():
        wanted = "met" if row.met else "NOT met"
        print(f"{row.value:6.2f} {row.unit} {row.name}  {wanted}", flush=True)
        print(f"{'':9}{row.limit}; {row.note}")


if __name__ == "__main__":
    main()
