"""What the default pipeline makes of six cubes and two palettes: figures, and a contact sheet."""

import argparse
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scenes import CUBES, missing, scene

from gwtransfer import registry
from gwtransfer.core.colorspace import REC709
from gwtransfer.core.guide import Guide
from gwtransfer.core.raster import Raster
from gwtransfer.core.types import GaussianMixture, TransportPlan
from gwtransfer.fit.gmm import Gmm
from gwtransfer.map.mean import Mean
from gwtransfer.measure import rank_correlation, sliced_w2
from gwtransfer.pipeline import fit_item
from gwtransfer.prepare.color import Color
from gwtransfer.transport import apply_plan

Array = NDArray[np.float64]

PALETTES = ("gauguin", "renoir")

TILE = 380
"""Side in pixels of a square of the sheet."""


def pixels(raster: Raster) -> Array:
    """Return the whole raster, (rows, columns, bands)."""
    return np.asarray(raster.read(0, raster.rows).values, dtype=np.float64)


def high_frequency(image: Array) -> float:
    """Return the median |mixed second difference| over all channels: speckle, in output units."""
    mixed = image[:-1, :-1] - image[1:, :-1] - image[:-1, 1:] + image[1:, 1:]
    return float(np.nanmedian(np.abs(mixed)))


def figures(cube: Array, image: Array, palette: Array) -> tuple[float, float, float]:
    """Return luminance order, high-frequency noise, and sliced W2 to the palette."""
    valid = np.isfinite(image).all(axis=-1)
    order = rank_correlation(cube[valid].mean(axis=-1), image[valid] @ np.array(REC709))
    rng = np.random.default_rng(0)
    colours = palette.reshape(-1, 3)
    some = [points[rng.integers(len(points), size=20_000)] for points in (image[valid], colours)]
    return order, high_frequency(image), sliced_w2(*some)


def transferred(
    raster: Raster, source: GaussianMixture, target: GaussianMixture, args: argparse.Namespace
) -> tuple[Array, TransportPlan]:
    """Return the cube in the palette's colours, and the plan."""
    plan = registry.build("plan", "mew2", {})(source, target, guide=Guide(anchor=args.anchor))
    return pixels(apply_plan(raster, plan, Mean(gain_cap=args.gain_cap or None))), plan


def tile(image: Array) -> Image.Image:
    """Return a picture in [0, 1] enlarged or reduced to fit a square of the sheet."""
    whole = np.nan_to_num(np.clip(image, 0, 1))
    if whole.ndim == 2:
        whole = np.repeat(whole[..., None], 3, axis=2)
    picture = Image.fromarray(np.round(255 * whole).astype(np.uint8))
    scale = TILE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    square = Image.new("RGB", (TILE, TILE))
    square.paste(picture.resize(size, Image.Resampling.NEAREST if scale > 1 else None))
    return square


def gray(cube: Array) -> Array:
    """Return the mean of the bands stretched between its percentiles 1 and 99."""
    mean = cube.mean(axis=-1)
    low, high = np.nanpercentile(mean, [1, 99])
    return np.asarray((mean - low) / max(high - low, 1e-12))


def arguments() -> argparse.Namespace:
    """Read the command line; every default is the program's own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", dest="folder", type=Path, help="write the pictures and sheet.png")
    parser.add_argument("--components", type=int, default=Gmm.components)
    parser.add_argument("--variance", type=float, default=Color.variance)
    parser.add_argument("--gain-cap", type=float, default=5.0, help="0 does not cap")
    parser.add_argument("--anchor", type=float, default=None)
    parser.add_argument("--no-noise", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Print one row for each cube and palette; write pictures where a folder is given."""
    args = arguments()
    if missing():
        print(f"data not found: {missing()[0]}")
        return
    fit = Gmm(components=args.components)
    color = Color(variance=args.variance, noise=not args.no_noise)
    palettes = {name: scene(name) for name in PALETTES}
    targets = {name: fit_item(item, color, fit, seed=0) for name, item in palettes.items()}
    print("order: rank correlation of brightness in and out; speckle: median |mixed difference|")
    print(
        f"{'cube':13} {'palette':8} {'dims':>6} {'order':>6} {'speckle':>8} {'sliced W2':>9} "
        f"{'value':>7} {'bound':>7} {'time':>6}"
    )
    sheet = Image.new("RGB", (TILE * (1 + len(PALETTES)), TILE * len(CUBES)))
    rows: list[tuple[float, float, float]] = []
    for row, name in enumerate(CUBES):
        raster = scene(name)
        cube = pixels(raster)
        sheet.paste(tile(gray(cube)), (0, TILE * row))
        for column, palette in enumerate(PALETTES):
            begin = time.perf_counter()
            source = fit_item(raster, color, fit, seed=0)
            image, plan = transferred(raster, source, targets[palette], args)
            seconds = time.perf_counter() - begin
            rows.append(figures(cube, image, pixels(palettes[palette])))
            order, speckle, sliced = rows[-1]
            print(
                f"{name:13} {palette:8} {raster.bands:3}→{source.dimension:2} {order:6.3f} "
                f"{speckle:8.4f} {sliced:9.4f} {plan.value:7.4f} {plan.bound:7.4f} {seconds:5.2f}s",
                flush=True,
            )
            sheet.paste(tile(image), (TILE * (1 + column), TILE * row))
            if args.folder:
                args.folder.mkdir(parents=True, exist_ok=True)
                whole = np.round(255 * np.nan_to_num(np.clip(image, 0, 1))).astype(np.uint8)
                Image.fromarray(whole).save(args.folder / f"{name}-{palette}.png")
    order, speckle, sliced = np.median(rows, axis=0)
    print(f"{'median':13} {'':15} {order:6.3f} {speckle:8.4f} {sliced:9.4f}")
    if args.folder:
        sheet.save(args.folder / "sheet.png")


if __name__ == "__main__":
    main()
