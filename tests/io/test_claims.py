"""Every file has one reader, and asking for it loads no heavy library."""

import subprocess
import sys

import pytest

from gwtransfer.io.arrays.hdf5 import Hdf5Loader
from gwtransfer.io.arrays.mat import MatLoader
from gwtransfer.io.arrays.netcdf import NetcdfLoader
from gwtransfer.io.arrays.zarr import ZarrLoader
from gwtransfer.io.bands.folder import BandsLoader
from gwtransfer.io.film.film import FilmLoader
from gwtransfer.io.gdal.loader import GdalLoader
from gwtransfer.io.npy import NpyLoader
from gwtransfer.io.pictures.deep import DeepLoader
from gwtransfer.io.pictures.everyday import PictureLoader
from gwtransfer.io.shapes.cloud import CloudLoader
from gwtransfer.io.shapes.mesh import MeshLoader
from gwtransfer.io.tiff.stack import TiffLoader

from .shared import DATA, needs_data

LOADERS = (
    BandsLoader, CloudLoader, DeepLoader, FilmLoader, GdalLoader, Hdf5Loader, MatLoader, MeshLoader,
    NetcdfLoader, NpyLoader, PictureLoader, TiffLoader, ZarrLoader,
)  # fmt: skip
SUFFIXES = {".img", ".bil", ".hdr", ".tif", ".tiff", ".mat", ".npy", ".png", ".jpg", ".webp"}
SUFFIXES |= {".h5", ".hdf5", ".he5", ".hspy", ".nc", ".exr", ".gif"}
SUFFIXES |= {".bmp", ".off", ".obj", ".ply", ".stl", ".xyz", ".pcd", ".pwn"}
FILES = [path for path in DATA.rglob("*") if path.is_file() and path.suffix in SUFFIXES]


@needs_data
@pytest.mark.parametrize("path", sorted(FILES)[::3], ids=lambda path: path.name)
def test_every_real_file_has_exactly_one_reader(path):
    assert len([loader.__name__ for loader in LOADERS if loader.claims(path)]) == 1


def test_claims_load_no_heavy_library():
    names = [f"{loader.__module__}:{loader.__name__}" for loader in LOADERS]
    script = f"""
import sys, importlib, pathlib
for name in {names!r}:
    module, _, attribute = name.partition(":")
    getattr(importlib.import_module(module), attribute).claims(pathlib.Path(sys.executable))
heavy = {{"rasterio", "tifffile", "imageio", "PIL", "trimesh", "scipy", "OpenImageIO", "h5py"}}
print(sorted((heavy | {{"av", "imagecodecs"}}) & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
