"""What a file is, in words."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.raster import Raster
from gwtransfer.core.types import Cloud, GaussianMixture
from gwtransfer.io import store
from gwtransfer.opening import Opening


def inspect(path: Path, *, opening: Opening) -> Iterator[tuple[str, str]]:
    """Yield what a file is, as pairs of a word and its value; reads all of a raster once."""
    if store.is_artefact(path):
        yield from _inspect_artefact(path)
        return
    (item,) = opening(path)
    if isinstance(item, Cloud):
        yield "kind", "mesh" if item.faces is not None else "cloud"
        yield "vertices", str(len(item.vertices))
        if item.faces is not None:
            yield "faces", str(len(item.faces))
        for word, corner in (("least", item.vertices.min(0)), ("largest", item.vertices.max(0))):
            yield word, " ".join(f"{value:.6g}" for value in corner)
        return
    yield from _inspect_raster(item)


def _inspect_raster(raster: Raster) -> Iterator[tuple[str, str]]:
    yield "kind", raster.kind
    yield "rows", str(raster.frame_rows)
    yield "columns", str(raster.columns)
    if raster.film is not None:
        yield "frames", str(raster.film.frames)
        yield "rate", f"{float(raster.film.rate):.6g} a second"
    yield "bands", str(raster.bands)
    if raster.good is not None:
        yield "bad bands", _numbers(np.flatnonzero(~raster.good) + 1)
    yield "stored as", raster.dtype
    waves = raster.wavelengths
    known = "unknown" if waves is None else f"{waves.min():.6g} … {waves.max():.6g} nm"
    yield "wavelengths", known
    yield "nodata", "none" if raster.nodata is None else f"{raster.nodata:.6g}"
    yield "alpha", "yes" if raster.has_alpha else "no"
    yield "georeferenced", "no" if raster.georeference is None else "yes"
    carried = raster.carried
    if raster.kind == "picture":
        yield "ICC profile", "no" if carried.icc is None else f"{len(carried.icc)} bytes"
        yield "Exif", "no" if carried.exif is None else f"{len(carried.exif)} bytes"
        if carried.dpi is not None:
            yield "resolution", " × ".join(f"{value:.6g}" for value in carried.dpi) + " dpi"
    low, high, valid = np.inf, -np.inf, 0
    for block in raster.blocks():
        points = block.points[block.valid]
        valid += len(points)
        if points.size:
            low, high = min(low, float(points.min())), max(high, float(points.max()))
    yield "valid pixels", f"{valid} of {raster.pixels}"
    if valid:
        yield "range", f"{low:.6g} … {high:.6g}"
    for note in raster.notes:
        yield "note", note


def _numbers(bands: NDArray[np.intp]) -> str:
    """Return numbers of bands as ranges: 1-3, 7."""
    if not bands.size:
        return "none"
    runs = np.split(bands, np.flatnonzero(np.diff(bands) > 1) + 1)
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _inspect_artefact(path: Path) -> Iterator[tuple[str, str]]:
    artefact, provenance = store.load_artefact(path)
    if isinstance(artefact, GaussianMixture):
        yield "kind", "mixture"
        yield "components", str(artefact.count)
        yield "space", _space_words(artefact)
        yield "seed", str(artefact.seed)
    else:
        yield "kind", "plan"
        yield "solver", artefact.solver
        yield "components", f"{artefact.source.count} to {artefact.target.count}"
        yield "source", _space_words(artefact.source)
        yield "target", _space_words(artefact.target)
        yield "value", f"{artefact.value:.6g}"
        yield "bound", "none" if artefact.bound is None else f"{artefact.bound:.6g}"
        yield "starts", f"{artefact.reached} of {artefact.starts} agree"
    for side in (
        (provenance,)
        if "input" in provenance
        else (provenance.get("source"), provenance.get("target"))
    ):
        if side and "input" in side:
            yield "made from", f"{side['input']['name']} {side['input']['sha256'][:12]}"


def _space_words(mixture: GaussianMixture) -> str:
    space = mixture.space
    return f"{space.dimension} axes of {space.raw_dimension} {space.coordinates} coordinates"
