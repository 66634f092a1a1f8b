"""The real data the benchmarks share, found beside the project; run alone, it lists them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gwtransfer import registry
from gwtransfer.core.raster import Raster, Rows
from gwtransfer.core.types import Cloud

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

CUBES = {
    "indian-pines": "hyperspectral/npy/Indian_pines_corrected.npy",
    "samson": "hyperspectral/envi/samson_1.img",
    "aviris-ng": "hyperspectral/envi/ang20170323t202244_rdn_7000-7010",
    "muufl": "hyperspectral/mat/muufl-sub-51x88x72.mat",
    "landsat": "hyperspectral/geotiff/L7_ETMs.tif",
    "synthetic15": "images/sklearn/china.jpg",
}

OTHERS = {
    "gauguin": "images/paper/gauguin.jpg",
    "renoir": "images/paper/renoir.jpg",
    "ocean-day": "images/color_transfer/ocean_day.jpg",
    "ocean-sunset": "images/color_transfer/ocean_sunset.jpg",
    "scotland-house": "images/color-matcher/scotland_house.png",
    "scotland-plain": "images/color-matcher/scotland_plain.png",
    "astronaut": "images/skimage/astronaut.png",
    "horse-1": "meshes/deftransfer/horse-poses/horse-pose-01.obj",
    "horse-3": "meshes/deftransfer/horse-poses/horse-pose-03.obj",
    "cat": "meshes/deftransfer/cat-poses/cat-reference.obj",
    "lion": "meshes/deftransfer/lion-poses/lion-reference.obj",
}


def missing() -> list[Path]:
    """Return the files that are not there."""
    paths = [DATA / path for path in (CUBES | OTHERS).values()]
    return [path for path in paths if not path.is_file()]


def required() -> None:
    """Raise FileNotFoundError where the data are not beside the project."""
    for path in missing():
        raise FileNotFoundError(f"data not found: {path}")


def scene(name: str) -> Raster | Cloud:
    """Read one of CUBES or OTHERS, or make the synthetic cube."""
    path = DATA / (CUBES | OTHERS)[name]
    item = registry.loader_for(path, load=None, options={})(path)
    if name == "synthetic15":
        assert isinstance(item, Raster)
        return synthetic_cube(item)
    return replace(item, name=name)


def synthetic_cube(picture: Raster, *, side: int = 512, bands: int = 15) -> Raster:
    """Return a (side, side, bands) cube with known colours: smooth curves over a picture's RGB.

    The picture is resampled by nearest neighbours. Each band sees the logarithm of the linear
    colours through a Gaussian window, so that the cube lies on a curved surface; the noise has a
    deviation of 0.005.
    """
    rgb = picture.read(0, picture.rows).values.astype(np.float64)
    rows = np.arange(side) * picture.rows // side
    columns = np.arange(side) * picture.columns // side
    light = rgb[rows][:, columns] ** 2.2
    centres, places = np.array([0.85, 0.5, 0.15]), np.linspace(0, 1, bands)
    windows = np.exp(-0.5 * ((centres[:, None] - places) / 0.18) ** 2)
    values = np.log1p(9 * light @ windows) / np.log(10)
    values += 0.005 * np.random.default_rng(0).standard_normal(values.shape)
    return raster_of(values, "synthetic15")


def raster_of(values: NDArray[np.float64], name: str) -> Raster:
    """Return a (rows, columns, bands) array as a cube."""
    rows, columns, bands = values.shape
    return Raster(
        name=name,
        rows=rows,
        columns=columns,
        bands=bands,
        read=lambda start, stop: Rows(values=values[start:stop]),
        kind="cube",
        dtype="float64",
    )


def main() -> None:
    """Print what there is."""
    if missing():
        print(f"data not found: {missing()[0]}")
        return
    for name in CUBES | OTHERS:
        item = scene(name)
        if isinstance(item, Raster):
            print(f"{name:15} {item.rows} × {item.columns} × {item.bands} {item.kind}")
        else:
            print(f"{name:15} {len(item.vertices)} vertices")


if __name__ == "__main__":
    main()
