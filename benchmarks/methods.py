"""The default pipeline beside the usual ways to show a cube or to move colours: one table."""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from contact_sheet import PALETTES, gray, pixels, tile
from numpy.typing import NDArray
from PIL import Image
from scenes import CUBES, missing, raster_of, scene

from gwtransfer.bandchoice import choose_bands
from gwtransfer.core.colorspace import encoded, from_space, to_space
from gwtransfer.core.linalg import eigenbasis
from gwtransfer.core.raster import Raster
from gwtransfer.jobs import fit_opened, plan_between
from gwtransfer.judging import judge
from gwtransfer.recipe import Recipe
from gwtransfer.tally import MEANINGS
from gwtransfer.transport import apply_plan

Array = NDArray[np.float64]
Method = Callable[[Raster, Raster], Array | None]
"""Source and palette to a picture (rows, columns, 3) in [0, 1]; None where it does not apply."""

PAIRS = [
    ("ocean-day", "ocean-sunset"),
    ("scotland-house", "scotland-plain"),
    ("astronaut", "renoir"),
]

FALSE_COLOUR = (640.0, 550.0, 460.0)
"""Wavelengths in nm of the bands shown as red, green and blue."""

NEAR = 30.0
"""How far in nm a band may be from them."""

XYZ_TO_RGB = np.linalg.inv(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
WHITE = np.array([0.95047, 1.0, 1.08883])
"""D65."""


def ours(**changes: Any) -> Method:
    """Return the program's own pipeline with the defaults of `gwtransfer color`."""

    def method(source: Raster, palette: Raster) -> Array:
        recipe = Recipe(**changes)
        plan = plan_between(fit_opened(source, recipe), fit_opened(palette, recipe), recipe)
        image = apply_plan(
            source,
            plan,
            recipe.build("map"),
            strength=recipe.strength,
            keep=recipe.keep,
            smooth=recipe.smooth,
        )
        return pixels(image)

    return method


def stretched(bands: Array) -> Array:
    """Return bands (rows, columns, n), each between its percentiles 2 and 98, in [0, 1]."""
    low, high = np.nanpercentile(bands, [2, 98], axis=(0, 1))
    return np.clip((bands - low) / np.where(high > low, high - low, 1), 0, 1)


def principal(source: Raster, palette: Raster) -> Array | None:
    """Show the first three principal components of a cube as red, green and blue."""
    del palette
    if source.kind == "picture":
        return None
    cube = pixels(source)
    points = cube[np.isfinite(cube).all(axis=-1)]
    _, axes = eigenbasis(np.cov(points.T))
    axes = axes[:, :3] * np.sign(axes[np.abs(axes[:, :3]).argmax(axis=0), np.arange(3)])
    return stretched((cube - points.mean(axis=0)) @ axes)


def natural(source: Raster, palette: Raster) -> Array | None:
    """Show a cube as the CIE 1931 observer sees it in light that shows a flat spectrum white.

    The most luminous 2 % are clipped to white.
    """
    del palette
    waves = source.wavelengths
    if source.kind == "picture" or waves is None or not covers(waves):
        return None
    curves = observer(waves.astype(np.float64)) * np.gradient(waves.astype(np.float64))[:, None]
    light = pixels(source) @ (curves / curves.sum(axis=0) * WHITE)
    light /= np.nanpercentile(light[..., 1], 98)
    return np.clip(encoded(np.clip(light @ XYZ_TO_RGB.T, 0, 1)), 0, 1)


def observer(waves: Array) -> Array:
    """Return the CIE 1931 x̄, ȳ, z̄ (n, 3), by the fits of Wyman, Sloan and Shirley 2013."""

    def lobe(height: float, peak: float, below: float, above: float) -> Array:
        slope = np.where(waves < peak, below, above)
        return np.asarray(height * np.exp(-0.5 * ((waves - peak) * slope) ** 2))

    x = lobe(0.362, 442.0, 0.0624, 0.0374) + lobe(1.056, 599.8, 0.0264, 0.0323)
    x += lobe(-0.065, 501.1, 0.0490, 0.0382)
    y = lobe(0.821, 568.8, 0.0213, 0.0247) + lobe(0.286, 530.9, 0.0613, 0.0322)
    z = lobe(1.217, 437.0, 0.0845, 0.0278) + lobe(0.681, 459.0, 0.0385, 0.0725)
    return np.stack([x, y, z], axis=1)


def covers(waves: NDArray[np.floating]) -> bool:
    """Tell whether a cube has bands near red, green and blue."""
    return all(np.abs(waves - wave).min() <= NEAR for wave in FALSE_COLOUR)


def false_colour(source: Raster, palette: Raster | None = None) -> Array | None:
    """Show three bands: those near red, green, blue, else the middles of the cube's thirds."""
    del palette
    if source.kind == "picture":
        return None
    waves = source.wavelengths
    if waves is not None and covers(waves):
        chosen = [int(np.abs(waves - wave).argmin()) for wave in FALSE_COLOUR]
    else:
        chosen = [int(source.bands * share) for share in (5 / 6, 3 / 6, 1 / 6)]
    return stretched(pixels(source)[..., chosen])


def coloured(source: Raster) -> Array:
    """Return a picture's colours, or a cube's false colours."""
    shown = false_colour(source)
    return pixels(source) if shown is None else shown


def picture_of(image: Array, name: str) -> Raster:
    """Return a (rows, columns, 3) array in [0, 1] as a picture of 8 bits a channel."""
    bytes_of = np.round(255 * np.clip(image, 0, 1)) / 255
    return replace(raster_of(bytes_of, name), kind="picture", dtype="uint8")


def on_false_colour(method: Method) -> Method:
    """Return a method of pictures that sees a cube in false colours, and no picture."""

    def wrapped(source: Raster, palette: Raster) -> Array | None:
        shown = false_colour(source)
        return None if shown is None else method(picture_of(shown, source.name), palette)

    return wrapped


def linear_map(source: Raster, palette: Raster) -> Array:
    """Move colours by the optimal linear map between two Gaussians (Pitié and Kokaram 2007)."""
    image, model = coloured(source), pixels(palette).reshape(-1, 3)
    points = image[np.isfinite(image).all(axis=-1)]
    first, second = (np.cov(side.T) + 1e-8 * np.eye(3) for side in (points, model))
    root = power(first, 0.5)
    inverse = power(first, -0.5)
    matrix = inverse @ power(root @ second @ root, 0.5) @ inverse
    return np.clip((image - points.mean(axis=0)) @ matrix.T + model.mean(axis=0), 0, 1)


def power(matrix: Array, exponent: float) -> Array:
    """Return a power of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * values**exponent) @ vectors.T)


def reinhard(source: Raster, palette: Raster) -> Array:
    """Match mean and deviation of each axis of CIE L*a*b* (after Reinhard et al. 2001)."""
    image = coloured(source)
    before = to_space(image.reshape(-1, 3), "lab")
    model = to_space(pixels(palette).reshape(-1, 3), "lab")
    mean, deviation = np.nanmean(before, axis=0), np.nanstd(before, axis=0)
    moved = (before - mean) / deviation * model.std(axis=0) + model.mean(axis=0)
    return np.clip(from_space(moved, "lab"), 0, 1).reshape(image.shape)


def color_matcher(source: Raster, palette: Raster) -> Array:
    """Run color-matcher's hm-mkl-hm, as its own program does."""
    from color_matcher import ColorMatcher
    from color_matcher.normalizer import Normalizer

    image, model = (np.nan_to_num(side) for side in (coloured(source), pixels(palette)))
    sides = (np.round(255 * side).astype(np.uint8) for side in (image, model))
    moved = ColorMatcher().transfer(*sides, method="hm-mkl-hm")
    return np.asarray(Normalizer(moved).uint8_norm() / 255)


METHODS: dict[str, Method] = {
    "gwtransfer": ours(),
    "gwtransfer --smooth 0": ours(smooth=0.0),
    "gwtransfer --smooth 1": ours(smooth=1.0),
    "gwtransfer --space srgb": ours(options={"prepare": {"space": "srgb"}}),
    "three bands": false_colour,
    "PCA": principal,
    "CIE observer": natural,
    "MW2 on three bands": on_false_colour(ours()),
    "MKL on three bands": linear_map,
    "Reinhard on three bands": reinhard,
    "color-matcher on three bands": color_matcher,
}
"""On a picture the last three work on the picture itself."""

HEADS = {
    "luminance_order": "order",
    "distance_correlation": "distances",
    "distance_rank_correlation": "distances (rank)",
    "edges_kept": "edges kept",
    "edges_made": "edges made",
    "noise_gain": "noise gain",
    "structure": "SSIM",
    "gradient_correlation": "gradients",
    "palette_distance": "palette",
    "seconds": "s",
}


def measured(name: str, palette: str, seed: int) -> Iterator[tuple[str, dict[str, float], Array]]:
    """Yield each method that applies to a scene, its figures and its picture."""
    source, model = choose_bands(scene(name), None), scene(palette)
    assert isinstance(model, Raster)
    for method, run in METHODS.items():
        begin = time.perf_counter()
        try:
            image = run(source, model)
        except ModuleNotFoundError as error:
            print(f"{method}: left out, {error.name} is not installed")
            continue
        seconds = time.perf_counter() - begin
        if image is None:
            continue
        judgement = judge(source, picture_of(image, method), palette=model, seed=seed)
        figures = {key: judgement.value(key) for key in MEANINGS}
        yield method, figures | {"seconds": seconds}, image


def table(rows: dict[str, list[dict[str, float]]], scenes: str) -> list[str]:
    """Return a table in Markdown with the medians of each method."""
    lines = [f"| {scenes} | n | {' | '.join(HEADS.values())} |", "|---" * (len(HEADS) + 2) + "|"]
    for label, figures in rows.items():
        cells = []
        for key in HEADS:
            values = np.array([figure[key] for figure in figures])
            known = values[np.isfinite(values)]
            digits = {"seconds": 2, "noise_gain": 2, "palette_distance": 4}.get(key, 3)
            cells.append(f"{np.median(known):.{digits}f}" if known.size else "—")
        lines.append(f"| {label} | {len(figures)} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Print the tables; write every figure and a sheet of pictures where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", dest="folder", type=Path, help="write sheet-PALETTE.png, pairs.png")
    parser.add_argument("--json", type=Path, help="write every figure")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if missing():
        print(f"data not found: {missing()[0]}")
        return
    if args.folder:
        args.folder.mkdir(parents=True, exist_ok=True)
    everything: list[dict[str, Any]] = []
    groups = {f"cubes, {palette}": [(cube, palette) for cube in CUBES] for palette in PALETTES}
    groups["pictures"] = PAIRS
    for group, scenes in groups.items():
        sheet = Image.new("RGB", (380 * (1 + len(METHODS)), 380 * len(scenes)))
        for row, (name, palette) in enumerate(scenes):
            shown = pixels(scene(name))
            sheet.paste(tile(shown if group == "pictures" else gray(shown)), (0, 380 * row))
            for method, figures, image in measured(name, palette, args.seed):
                place = 380 * (1 + list(METHODS).index(method)), 380 * row
                sheet.paste(tile(image), place)
                everything.append(
                    {"group": group, "scene": name, "palette": palette, "method": method, **figures}
                )
        if args.folder:
            sheet.save(args.folder / f"{group.replace('cubes, ', 'cubes-')}.png")
    for line in report(everything):
        print(line)
    if args.json:
        known = json.loads(json.dumps(everything).replace("NaN", "null"))
        args.json.write_text(json.dumps(known, indent=1) + "\n")


def report(everything: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of the tables: medians over cubes and over pictures, then our own scenes."""
    for title, is_cube in (("six cubes × two palettes", True), ("three pairs of pictures", False)):
        rows: dict[str, list[dict[str, float]]] = {}
        for figures in everything:
            if figures["group"].startswith("cubes") == is_cube:
                label = figures["method"]
                rows.setdefault(label if is_cube else label.split(" on ")[0], []).append(figures)
        yield from (*table(rows, title), "")
    own = {
        f"{figures['scene']} / {figures['palette']}": [figures]
        for figures in everything
        if figures["method"] == "gwtransfer"
    }
    yield from table(own, "gwtransfer on each")


if __name__ == "__main__":
    main()
