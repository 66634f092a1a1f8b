"""Write the first inputs of the corpus: ``python -m fuzz.seeds`` in tests/.

What the fuzzer found is added by hand, and told from these by its name: ``found-…``.
"""

import io
import json
import struct
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import OpenImageIO
import scipy.io
import tifffile
from PIL import Image, ImageCms

from .parcels import packed

RNG = np.random.default_rng(1)
BYTES = RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8)
CUBE = RNG.integers(1, 4000, (6, 5, 7)).astype(np.uint16)
POINTS = RNG.normal(size=(6, 3)).round(3)
FACES = [(0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5)]
CORPUS = Path(__file__).parent / "corpus"


def written(name: str, write: Callable[[Path], object]) -> bytes:
    """Return what a function writes into a file of that name."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        write(path)
        return path.read_bytes()


def icc() -> bytes:
    """Return an sRGB profile whose date is fixed."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes(12)
    return bytes(profile)


def exif() -> bytes:
    """Return a small Exif block."""
    tags = Image.Exif()
    tags[274], tags[305], tags[282] = 6, "camera", 72.0
    return tags.tobytes()


def pictures() -> dict[str, bytes]:
    """Return pictures of all formats, plain, with alpha, gray, indexed, with what they carry."""
    found = {}
    colour, gray = Image.fromarray(BYTES), Image.fromarray(BYTES[..., 0])
    alpha = Image.fromarray(np.dstack([BYTES, BYTES[..., :1]]))
    inks = Image.fromarray(np.dstack([BYTES, BYTES[..., :1]]), "CMYK")
    made = {
        "colour.png": (colour, {"exif": exif(), "dpi": (72, 72)}), "gray.png": (gray, {}),
        "alpha.png": (alpha, {}), "index.png": (colour.convert("P"), {"transparency": 3}),
        "icc.png": (colour, {"icc_profile": icc()}), "bit.png": (gray.convert("1"), {}),
        "colour.jpg": (colour, {"exif": exif(), "icc_profile": icc()}),
        "gray.jpg": (gray, {"progressive": True}), "inks.jpg": (inks, {}),
        "colour.gif": (colour.convert("P"), {}), "colour.bmp": (colour, {}),
        "index.bmp": (colour.convert("P"), {}), "colour.webp": (colour, {"lossless": True}),
        "alpha.webp": (alpha, {"exif": exif()}), "lossy.webp": (colour, {}),
    }  # fmt: skip
    for name, (image, options) in made.items():
        found[name] = written(name, lambda path, i=image, o=options: i.save(path, **o))
    for name, form in (("deep.png", "uint16"), ("half.exr", "half"), ("a.hdr", "float")):
        found[name] = written(name, lambda path, form=form: deep(path, form))
    return {name: packed({f"a{Path(name).suffix}": data}) for name, data in found.items()}


def deep(path: Path, form: str) -> None:
    """Write a picture through OpenImageIO."""
    out = OpenImageIO.ImageOutput.create(str(path))
    assert out.open(str(path), OpenImageIO.ImageSpec(5, 6, 3, form))
    assert out.write_image(BYTES.astype(np.uint16) * 257 if form == "uint16" else BYTES / 255)
    out.close()


def tiffs() -> dict[str, bytes]:
    """Return TIFF files of many layouts."""
    made = {
        "rgb": (BYTES, {"photometric": "rgb"}),
        "lzw": (BYTES, {"photometric": "rgb", "compression": "lzw", "predictor": True}),
        "deflate": (CUBE, {"compression": "deflate", "photometric": "minisblack"}),
        "tiles": (np.kron(CUBE[..., 0], np.ones((4, 4), np.uint16)), {"tile": (16, 16)}),
        "planes": (np.moveaxis(CUBE, -1, 0), {"planarconfig": "separate"}),
        "float": (CUBE[..., 0].astype(np.float32), {"compression": "zstd"}),
        "big": (BYTES, {"photometric": "rgb", "bigtiff": True, "byteorder": ">"}),
        "ome": (np.moveaxis(CUBE, -1, 0), {"ome": True, "metadata": {"axes": "CYX"}}),
        "imagej": (np.moveaxis(CUBE, -1, 0), {"imagej": True}),
        "packbits": (BYTES[..., 0], {"compression": "packbits"}),
        "jpeg": (np.kron(BYTES, np.ones((3, 3, 1), np.uint8)), {"compression": "jpeg"}),
    }
    found = {}
    for name, (array, options) in made.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found[name] = written(
                "a.tif", lambda p, a=array, o=options: tifffile.imwrite(p, a, **o)
            )
    found["geo"] = written("a.tif", geotiff)
    return {name: packed({"a.tif": data}) for name, data in found.items()}


def geotiff(path: Path) -> None:
    """Write a georeferenced cube with names of wavelengths."""
    import rasterio

    with rasterio.open(
        path, "w", driver="GTiff", width=5, height=6, count=7, dtype="uint16", nodata=0,
        crs="EPSG:32633", transform=rasterio.Affine(10, 0, 5e5, 0, -10, 5e6), compress="deflate",
    ) as out:  # fmt: skip
        out.write(np.moveaxis(CUBE, -1, 0))
        out.update_tags(1, wavelength="450", wavelength_units="nm")


def cubes() -> dict[str, bytes]:
    """Return cubes of formats that are arrays."""
    said = "samples = 5\nlines = 6\nbands = 7\ndata type = 12\ninterleave = bil\nbyte order = 0\n"
    waves = "wavelength = {" + ", ".join(str(400 + 10 * i) for i in range(7)) + "}\n"
    words = "wavelength units = nm\nbbl = {1,1,0,1,1,1,1}\ndata ignore value = 0\n"
    geo = "map info = {UTM, 1, 1, 5e5, 5e6, 10, 10, 33, North, WGS-84}\n"
    data = np.moveaxis(CUBE, -1, 1).tobytes()
    found = {
        "envi": packed({"a.hdr": f"ENVI\n{said}{waves}{words}{geo}".encode(), "a.img": data}),
        "envi-plain": packed({"a.hdr": f"ENVI\n{said}".encode(), "a.dat": data}),
    }
    head = b"HEAD74" + struct.pack("<HH6xii", 2, 7, 5, 6)
    found["erdas"] = packed({"a.lan": head.ljust(128, b"\0") + data})
    for name, array in {"c": CUBE, "f": np.asfortranarray(CUBE), "n": CUBE[..., 0] / 9}.items():
        found[f"npy-{name}"] = packed(
            {"a.npy": written("a.npy", lambda path, a=array: np.save(path, a))}
        )
    for name, options in {"mat5": {"do_compression": True}, "mat5-plain": {}}.items():
        saved = written("a.mat", lambda p, o=options: scipy.io.savemat(p, {"cube": CUBE}, **o))
        saved = b"MATLAB 5.0 MAT-file".ljust(116) + saved[116:]
        found[name] = packed({"a.mat": saved})
    found["mat4"] = packed(
        {"a.mat": written("a.mat", lambda p: scipy.io.savemat(p, {"x": CUBE[..., 0]}, format="4"))}
    )
    found["hdf5"] = packed({"a.h5": written("a.h5", hdf5)})
    found["mat73"] = packed({"a.mat": written("a.mat", hdf5)})
    found["netcdf4"] = packed({"a.nc": written("a.nc", netcdf4)})
    found["netcdf3"] = packed({"a.nc": written("a.nc", netcdf3)})
    return found


def hdf5(path: Path) -> None:
    """Write a chunked and a plain array with attributes."""
    with h5py.File(path, "w", track_order=False) as file:
        cube = file.create_dataset("cube", data=CUBE, chunks=(3, 5, 7), compression="gzip")
        cube.attrs["wavelengths"] = np.linspace(400, 700, 7)
        cube.attrs["units"] = "nm"


def netcdf4(path: Path) -> None:
    """Write what netCDF-4 is: HDF5 with scales."""
    with h5py.File(path, "w", track_order=False) as file:
        for name, size in (("y", 6), ("x", 5), ("wavelength", 7)):
            file.create_dataset(name, data=np.arange(size, dtype=float)).make_scale(name)
        cube = file.create_dataset("cube", data=CUBE)
        for axis, name in enumerate(("y", "x", "wavelength")):
            cube.dims[axis].attach_scale(file[name])
        cube.attrs["_FillValue"] = np.uint16(0)
        cube.attrs["scale_factor"] = 0.5


def netcdf3(path: Path) -> None:
    """Write a classic netCDF."""
    with scipy.io.netcdf_file(path, "w") as file:
        for name, size in (("y", 6), ("x", 5), ("band", 7)):
            file.createDimension(name, size)
        variable = file.createVariable("cube", "i2", ("y", "x", "band"))
        variable[:] = CUBE.astype("i2")
        variable.scale_factor = 0.5


def zarr() -> dict[str, bytes]:
    """Return Zarr folders of versions 2 and 3, plain and deflated."""
    two = {"zarr_format": 2, "shape": [6, 5, 7], "chunks": [6, 5, 7], "dtype": "<u2"}
    two |= {"order": "C", "fill_value": 0, "filters": None, "compressor": None}
    three = {
        "zarr_format": 3, "node_type": "array", "shape": [6, 5, 7], "data_type": "uint16",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [6, 5, 7]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0, "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        "attributes": {"wavelengths": [400, 500]},
    }  # fmt: skip
    import zlib

    deflated = two | {"compressor": {"id": "zlib", "level": 1}}
    data = CUBE.tobytes()
    return {
        "two": packed({".zarray": json.dumps(two).encode(), "0.0.0": data}),
        "deflated": packed(
            {".zarray": json.dumps(deflated).encode(), "0.0.0": zlib.compress(data)}
        ),
        "three": packed({"zarr.json": json.dumps(three).encode(), "c/0/0/0": data}),
        "group": packed(
            {
                ".zgroup": b'{"zarr_format": 2}', ".zattrs": b'{"a": 1}',
                "cube/.zarray": json.dumps(two).encode(), "cube/0.0.0": data,
                "cube/.zattrs": b'{"_ARRAY_DIMENSIONS": ["y", "x", "wavelength"]}',
            }
        ),
    }  # fmt: skip


def bands() -> dict[str, bytes]:
    """Return folders of one image a band."""
    png = [written("a.png", Image.fromarray(CUBE[..., b].astype(np.uint8)).save) for b in range(3)]
    tif = [
        written("a.tif", lambda path, b=b: tifffile.imwrite(path, CUBE[..., b])) for b in range(3)
    ]
    return {
        "names": packed({f"b_{400 + 50 * b}nm.png": data for b, data in enumerate(png)}),
        "table": packed(
            {f"b{b}.tif": data for b, data in enumerate(tif)}
            | {"wavelengths.txt": b"400\n450\n500\n"}
        ),
    }


def films() -> dict[str, bytes]:
    """Return short films."""
    import av

    found = {}
    frame = b"FRAME\n" + RNG.bytes(16 * 16 * 3 // 2)
    found["y4m"] = packed({"a.y4m": b"YUV4MPEG2 W16 H16 F25:1 C420jpeg\n" + 2 * frame})
    for name, form, codec, pixels in (
        ("a.mp4", "mp4", "mpeg4", "yuv420p"), ("a.mkv", "matroska", "ffv1", "yuv420p"),
        ("a.avi", "avi", "mjpeg", "yuvj420p"), ("a.mov", "mov", "png", "rgb24"),
    ):  # fmt: skip
        memory = io.BytesIO()
        with av.open(memory, "w", format=form, options={"fflags": "+bitexact"}) as out:
            stream = out.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = 16, 16, pixels
            for index in range(2):
                array = np.full((16, 16, 3), 40 * index, np.uint8)
                out.mux(stream.encode(av.VideoFrame.from_ndarray(array, "rgb24")))
            out.mux(stream.encode())
        found[name.replace(".", "-")] = packed({name: memory.getvalue()})
    return found


def off() -> bytes:
    """Return a mesh as OFF."""
    rows = [" ".join(map(str, point)) for point in POINTS] + [f"3 {a} {b} {c}" for a, b, c in FACES]
    return "\n".join([f"OFF\n{len(POINTS)} {len(FACES)} 0", *rows, ""]).encode()


def meshes() -> dict[str, bytes]:
    """Return a mesh in each format, text and binary."""
    import trimesh

    mesh = trimesh.Trimesh(POINTS, FACES, process=False)
    found = {"off": ("a.off", off())}
    for name, form in (("stl", "stl"), ("stl-text", "stl_ascii"), ("ply", "ply"), ("obj", "obj")):
        data = mesh.export(file_type=form)
        found[name] = (f"a.{form[:3]}", data.encode() if isinstance(data, str) else data)
    found["ply-text"] = ("a.ply", mesh.export(file_type="ply", encoding="ascii"))
    found["glb"] = ("a.glb", mesh.export(file_type="glb"))
    lines = "".join(f"f {a + 1}//1 {b + 1}//1 {c + 1}//1\n" for a, b, c in FACES)
    points = "".join("v " + " ".join(map(str, point)) + "\n" for point in POINTS)
    found["obj-normals"] = ("a.obj", f"o x\n{points}vn 0 0 1\n{lines}f -1 -2 -3 -4\n".encode())
    buffer = POINTS.astype("<f4").tobytes() + np.array(FACES, "<u2").tobytes()
    import base64

    uri = "data:application/octet-stream;base64," + base64.b64encode(buffer).decode()
    tree = {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "translation": [1, 0, 0]}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 6, "type": "VEC3",
             "min": [-9, -9, -9], "max": [9, 9, 9]},
            {"bufferView": 1, "componentType": 5123, "count": 12, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteLength": 72}, {"buffer": 0, "byteOffset": 72, "byteLength": 24},
        ],
        "buffers": [{"uri": uri, "byteLength": 96}],
    }  # fmt: skip
    found["gltf"] = ("a.gltf", json.dumps(tree).encode())
    return {name: packed({file: data}) for name, (file, data) in found.items()}


def clouds() -> dict[str, bytes]:
    """Return points in each format."""
    text = "\n".join(" ".join(map(str, point)) for point in POINTS)
    head = (
        "# .PCD v0.7\nVERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\n"
        "WIDTH 6\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS 6\nDATA "
    )
    raw = POINTS.astype("<f4").tobytes()
    columns = POINTS.T.astype("<f4").tobytes()
    literal = b"".join(
        bytes([len(columns[at : at + 32]) - 1]) + columns[at : at + 32]
        for at in range(0, len(columns), 32)
    )
    lzf = struct.pack("<II", len(literal), len(columns)) + literal
    return {
        "xyz": packed({"a.xyz": text.encode()}),
        "csv": packed({"a.csv": ("x,y,z\n" + text.replace(" ", ",")).encode()}),
        "pts": packed({"a.pts": f"6\n{text}\n".encode()}),
        "pcd-ascii": packed({"a.pcd": (head + "ascii\n" + text + "\n").encode()}),
        "pcd-binary": packed({"a.pcd": (head + "binary\n").encode() + raw}),
        "pcd-lzf": packed({"a.pcd": (head + "binary_compressed\n").encode() + lzf}),
    }


def artefacts() -> dict[str, bytes]:
    """Return a mixture and a plan, with and without what may be missing."""
    from gwtransfer.core.types import GaussianMixture, Space, TransportPlan
    from gwtransfer.io.store import save_mixture, save_plan

    space = Space(
        origin=np.zeros(3), axes=np.eye(3)[:, :2], unit=0.5, coordinates="bands",
        wavelengths=np.array([400.0, 500, 600]),
    )  # fmt: skip
    mixture = GaussianMixture(
        weights=np.array([0.25, 0.75]), means=np.eye(2), covariances=np.stack([np.eye(2)] * 2),
        space=space, noise=np.eye(2) / 7, guide=np.ones(2), seed=3,
    )  # fmt: skip
    plan = TransportPlan(
        source=mixture, target=mixture, coupling=np.diag(mixture.weights), embedding=np.eye(2),
        solver="mgw2", value=0.0, bound=0.0, starts=8, reached=5, converged=True,
        history=np.array([1.0, 0.0]), tilt=np.full((2, 2), 1 / 7),
    )  # fmt: skip
    return {
        "mixture": written("a.npz", lambda path: save_mixture(mixture, path, {"a": 1})),
        "plan": written("a.npz", lambda path: save_plan(plan, path, {"b": [1]})),
    }


def members() -> dict[str, bytes]:
    """Return what is in archives, without the sums."""
    import zipfile

    found = {}
    for name, data in artefacts().items():
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = {one.removesuffix(".npy"): archive.read(one) for one in archive.namelist()}
        found[name] = packed({one: part for one, part in parts.items() if one != "checksum"})
    arrays = {"distances": 1.0 - np.eye(2), "names": np.array(["a", "b"])}
    found["matrix"] = packed(
        {name: written("a.npy", lambda p, a=array: np.save(p, a)) for name, array in arrays.items()}
    )
    return found


def chunks() -> dict[str, bytes]:
    """Return PNG files that carry much beside their pixels."""
    with_all = {"exif": exif(), "icc_profile": icc(), "dpi": (72, 72), "gamma": 0.5}
    image = Image.fromarray(BYTES)
    return {
        "all": written("a.png", lambda path: image.save(path, **with_all)),
        "index": written("a.png", lambda path: image.convert("P").save(path, transparency=3)),
        "deep": written("a.png", lambda path: deep(path, "uint16")),
    }


def recipes() -> dict[str, bytes]:
    """Return recipe files."""
    color = (
        'command = "color"\nsource = "a.npy"\npalette = "b.png"\noutput = "c.png"\nseed = 3\n'
        'palette_weights = [2, 1.5]\n[prepare]\nstage = "color"\nsample = 20000\n'
        '[fit]\nstage = "gmm"\ncomponents = 5\n[map]\ngain_cap = "none"\n'
    )
    return {"color": color.encode(), "odd": b'a.b."c d" = [[1, {x = 1979-05-27}], nan]\n[[t]]\n'}


def argv() -> dict[str, bytes]:
    """Return command lines."""
    lines = (
        "color a.png b.png -o c.png -k 3 --set plan.random=2 --seed 1 --palette-weights 1,2",
        "apply p.npz a.png b.png -o out --format png --overwrite",
        "fit a.npy -o m.npz --bands 400-700nm --variance 0.9", "plan a.npz b.npz -o p.npz",
        "pairwise shapes -o d.csv --jobs 2 --glob *.off", "stages", "inspect a.png --json",
        "match a.off b.off -o m.csv --truth same-index", "distance a.off b.off",
        "lut p.npz -o a.cube --size 17", "evaluate d.csv --labels from-folder", "--version",
        "embed d.csv -o e.csv", "measure a.png b.png c.png", "color --help",
        "run r.toml", "schema color", "color --recipe r.toml --print-recipe",
        "color a.png b.png -o c.png --pair 1,2=#ffffff --mask m.png --feather 2",
    )  # fmt: skip
    return {str(place): line.replace(" ", "\n").encode() for place, line in enumerate(lines)}


def tables() -> dict[str, bytes]:
    """Return tables of distances, labels and correspondences."""
    from gwtransfer.io.matrix import DistanceMatrix, write_matrix

    matrix = DistanceMatrix(distances=np.array([[0, 0.5], [0.5, 0]]), names=("a", "b,c"))
    found = {
        f"matrix{ending}": packed(
            {f"a{ending}": written(f"a{ending}", lambda p: write_matrix(matrix, p))}
        )
        for ending in (".csv", ".npz", ".parquet")
    }
    found["labels"] = packed({"a.csv": b"name,label\na,cat\nb/m7.off,dog\n"})
    found["cla"] = packed({"a.cla": b"PSB 1\n2 2\n\ncat 0 1\n0\ndog 0 1\n7\n"})
    found["truth"] = packed({"a.csv": b"source,target\n0,3\n1,2\n"})
    found["vts"] = packed({"a.vts": b"1\n2\n3\n4\n"})
    found["truth-npz"] = packed(
        {"a.npz": written("a.npz", lambda p: np.savez_compressed(p, target=np.arange(4)))}
    )
    found["truth-npy"] = packed({"a.npy": written("a.npy", lambda p: np.save(p, np.arange(4)))})
    return found


def profiles() -> dict[str, bytes]:
    """Return profiles and Exif blocks."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    return {"srgb": icc(), "lab": lab[:24] + bytes(12) + lab[36:], "exif": exif()}


def words() -> dict[str, bytes]:
    """Return what is typed for options."""
    return {
        "bands": "400-700nm,900nm-\n1-20,35\nall\n650nm\n0.4um-0.7 µm\n-12".encode(),
        "pairs": b"120,45=#3366cc\n0,0=ffffff\n 1 , 2 = #000000 ",
        "settings": b"fit=gmm\n"
        b"fit.components=5\nplan.random=2\nmap.gain_cap=none\nprepare.space=lab\n",
        "numbers": b"fit.components=1e9\nfit.accuracy=nan\nplan.waves=-1\nfit.passes=true",
    }


MAKERS = (
    pictures, tiffs, cubes, zarr, bands, films, meshes, clouds, artefacts, members, tables,
    profiles, chunks, recipes, words, argv,
)  # fmt: skip


def main() -> None:
    """Write all seeds."""
    for make in MAKERS:
        folder = CORPUS / make.__name__
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in make().items():
            (folder / f"seed-{name.replace('.', '-')}").write_bytes(data)
    total = sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file())
    sys.stdout.write(f"{total} bytes of seeds\n")


if __name__ == "__main__":
    main()
