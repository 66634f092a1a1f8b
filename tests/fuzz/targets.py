"""What is fuzzed: functions of bytes that must come back, or raise a refusal of ours in one line.

Each takes an input and an empty folder. `gwtransfer` itself is imported inside, so that whoever
runs them can watch its branches.
"""

import io
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from threading import Thread
from typing import Any

from .parcels import PART, unpacked

Target = Callable[[bytes, Path], None]

SLOW = 10.0
"""Seconds an input may take."""

MOST_BLOCKS = 40
"""Blocks of an image that are read; a million pixels."""

MOST_SAID = 2000
"""Characters of a refusal, the name of the file and ten options to choose from among them."""

PICTURES = (".png", ".jpg", ".gif", ".bmp", ".webp", ".exr", ".hdr")
MESHES = (".off", ".obj", ".ply", ".stl", ".glb", ".gltf")
CLOUDS = (".pcd", ".xyz", ".txt", ".csv", ".pts", ".tsv", ".ply")


def pictures(data: bytes, folder: Path) -> None:
    """PNG, JPEG, GIF, BMP, WebP, OpenEXR, Radiance; ICC profiles and Exif inside."""
    _open(data, folder, PICTURES)


def tiffs(data: bytes, folder: Path) -> None:
    """TIFF with and without a georeference, OME-TIFF."""
    _open(data, folder, (".tif", ".tiff"))


def cubes(data: bytes, folder: Path) -> None:
    """ENVI pairs, ERDAS, MATLAB, HDF5, netCDF, NumPy."""
    _open(data, folder, (".img", ".hdr", ".dat", ".lan", ".mat", ".h5", ".nc", ".npy"))


def zarr(data: bytes, folder: Path) -> None:
    """A Zarr folder of several files, version 2 or 3."""
    parts = (".zarray", ".zgroup", ".zattrs", "zarr.json", ".0", "0", "1")
    unpacked(data, folder, names=parts)
    _read(folder)


def bands(data: bytes, folder: Path) -> None:
    """A folder of one image a band, with a table of wavelengths."""
    unpacked(data, folder, names=(".png", ".tif", ".jpg", ".bmp", ".txt", ".csv"))
    _read(folder)


def films(data: bytes, folder: Path) -> None:
    """Films in containers, and YUV4MPEG2."""
    _open(data, folder, (".y4m", ".mp4", ".mkv", ".avi", ".mov", ".webm"))


def meshes(data: bytes, folder: Path) -> None:
    """OFF, OBJ, PLY, STL, glTF."""
    _open(data, folder, MESHES)


def clouds(data: bytes, folder: Path) -> None:
    """PCD, text, PLY without faces."""
    _open(data, folder, CLOUDS)


def artefacts(data: bytes, folder: Path) -> None:
    """Stored mixtures and plans."""
    from gwtransfer.io.store import is_artefact, load_artefact

    path = folder / "a.npz"
    path.write_bytes(data)
    is_artefact(path)
    load_artefact(path)


def members(data: bytes, folder: Path) -> None:
    """Archives whose sums are right whatever is in them: artefacts, distances, correspondences."""
    import numpy as np

    from gwtransfer.io import store
    from gwtransfer.io.matrix import read_matrix
    from gwtransfer.matching.truth import read

    parts = dict(part.partition(b"\n")[::2] for part in data.split(PART))
    raw = {name.decode("ascii", "replace"): content for name, content in parts.items()}
    memory = io.BytesIO()
    np.save(memory, np.asarray(store._checksum(raw)))
    path = folder / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (raw | {"checksum": memory.getvalue()}).items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content)
    store.is_artefact(path)
    _refusable(lambda: store.load_artefact(path))
    _refusable(lambda: read_matrix(path))
    _refusable(lambda: read(path, np.arange(4)))


def chunks(data: bytes, folder: Path) -> None:
    """PNG whose sums are right whatever is in its parts, so that these are looked at."""
    content, at = bytearray(data), 8
    while at + 12 <= len(content):
        end = at + 8 + int.from_bytes(content[at : at + 4], "big")
        content[end : end + 4] = zlib.crc32(content[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    (folder / "a.png").write_bytes(content)
    _read(folder / "a.png")


def recipes(data: bytes, folder: Path) -> None:
    """Recipe files, as `gwtransfer run` takes them, to say what they ask for and no more."""
    from gwtransfer import recipefile
    from gwtransfer.keywords import recipe_of, sorted_out
    from gwtransfer.recipe import CHOSEN_KINDS

    path = folder / "a.toml"
    path.write_bytes(data)

    def understood() -> None:
        tables, rest = sorted_out(recipefile.read(path), CHOSEN_KINDS)
        recipe_of({**rest, **tables}, CHOSEN_KINDS)

    _refusable(understood)
    if not any(letter in data for letter in b"/\\"):
        _program(["run", "a.toml", "--print-recipe"], folder)


def argv(data: bytes, folder: Path) -> None:
    """A command line, an argument a line, in an empty folder; what leads out of it is let be."""
    lines = data.decode("utf-8", "surrogateescape").split("\n")[:30]
    if not any(letter in line for line in lines for letter in "/\\:"):
        _program(lines, folder)


def _program(arguments: list[str], folder: Path) -> None:
    """Run the command line; it exits with 0, 1 or 2, and a refusal is one line of its own."""
    from gwtransfer_cli.app import main

    out, err = io.StringIO(), io.StringIO()
    codes: list[int] = []

    def call() -> None:  # outside the main thread the program leaves signals alone
        with redirect_stdout(out), redirect_stderr(err):
            codes.append(main(arguments))

    with chdir(folder):
        thread = Thread(target=call)
        thread.start()
        thread.join()
    said = err.getvalue()
    assert codes[:1] in ([0], [1], [2]), (codes, said)
    assert "internal error" not in said, said
    assert codes[0] == 0 or len(said.splitlines()) == 1, said


def tables(data: bytes, folder: Path) -> None:
    """Distances as CSV, NPZ and Parquet; labels; known correspondences."""
    import numpy as np

    from gwtransfer.io.labels import labels_for
    from gwtransfer.io.matrix import read_matrix
    from gwtransfer.matching.truth import read

    extensions = (".csv", ".npz", ".parquet", ".cla", ".vts", ".npy", ".labels")
    for path in unpacked(data, folder, names=extensions):
        if path.suffix in (".csv", ".npz", ".parquet"):
            _refusable(lambda path=path: read_matrix(path))
        if path.suffix in (".csv", ".cla", ".labels"):
            _refusable(lambda path=path: labels_for(["a", "b/m7.off"], str(path)))
        if path.suffix in (".csv", ".npz", ".vts", ".npy"):
            _refusable(lambda path=path: read(path, np.arange(4)))


def profiles(data: bytes, folder: Path) -> None:
    """ICC profiles and Exif blocks, as they come out of pictures."""
    from gwtransfer.io.pictures import exif, profile

    picture = _gray_and_colour()
    for raster in picture:
        fitting = profile.fitting(data, raster.bands)
        _refusable(lambda raster=raster, icc=fitting: _blocks(profile.in_profile(raster, icc)))
    exif.orientation(data)
    exif.clean(data)
    exif.clean(data, turned=True)


def words(data: bytes, folder: Path) -> None:
    """What is typed for options: --set, --bands, --pair, and values of stages."""
    from gwtransfer import registry
    from gwtransfer.bandchoice import check_bands, choose_bands
    from gwtransfer.options import understood
    from gwtransfer.pairs import parse_pairs
    from gwtransfer.recipe import CHOSEN_KINDS, parse_setting

    lines = data.decode("utf-8", "surrogateescape").splitlines()[:20]
    _refusable(lambda: parse_pairs(lines))
    for line in lines:
        _refusable(lambda line=line: check_bands(line))
        _refusable(lambda line=line: _blocks(choose_bands(_waves(), line)))

        def setting(line: str = line) -> None:
            kind, option, value = parse_setting(line, CHOSEN_KINDS)
            if option is None:
                registry.find(kind, value)
                return
            for name in sorted({stage.name for stage in registry.stages(kind)}):
                cls = registry.find(kind, name)
                _refusable(
                    lambda cls=cls, name=name: cls(
                        **understood(cls, {option: value}, kind=kind, name=name)
                    )
                )

        _refusable(setting)


def _open(data: bytes, folder: Path, names: tuple[str, ...]) -> None:
    paths = unpacked(data, folder, names=names)
    _read(paths[-1] if paths else folder)


def _read(path: Path) -> None:
    """Open a file as a command does, and read a million pixels of it."""
    from gwtransfer.core.raster import Raster
    from gwtransfer.opening import Opening

    (item,) = Opening()(path)
    if isinstance(item, Raster):
        _blocks(item)


def _blocks(raster: Any) -> None:
    for index, block in enumerate(raster.blocks()):
        assert block.points.shape[1] == raster.bands
        if index == MOST_BLOCKS:
            break


def _refusable(call: Callable[[], object]) -> None:
    """Call one of several things an input is for; a refusal does not keep the others from it."""
    from gwtransfer.errors import GwTransferError

    try:
        call()
    except GwTransferError as error:
        check_message(error)


def check_message(error: Exception) -> None:
    """Hold a refusal against what all of them promise: a line that a terminal prints as it is."""
    said = str(error)
    assert said, type(error)
    wrong = [letter for letter in said if unicodedata.category(letter) == "Cc"]
    assert not wrong, f"control character {wrong[0]!r} in {said!r}"
    assert len(said) < MOST_SAID, f"{len(said)} characters: {said[:300]!r}"


def _gray_and_colour() -> list[Any]:
    import numpy as np

    from gwtransfer.io.layout import array_raster

    rng = np.random.default_rng(0)
    return [
        array_raster(rng.random((3, 2, bands)), name="made", kind="picture") for bands in (1, 3)
    ]


def _waves() -> Any:
    import numpy as np

    from gwtransfer.io.layout import array_raster

    waves = np.linspace(400, 2500, 40)
    return array_raster(np.ones((2, 2, 40)), name="made", kind="cube", wavelengths=waves)


TARGETS: dict[str, Target] = {
    each.__name__: each
    for each in (
        pictures, tiffs, cubes, zarr, bands, films, meshes, clouds, artefacts, members, tables,
        profiles, chunks, recipes, words, argv,
    )
}  # fmt: skip


def run(target: str, data: bytes, folder: Path) -> Exception | None:
    """Give an input to a target; return how it was refused, or None.

    Raises
    ------
    Exception
        Whatever is no refusal of ours, and AssertionError for a refusal that is not as it should.
    """
    from gwtransfer.errors import GwTransferError

    try:
        TARGETS[target](data, folder)
    except GwTransferError as error:
        check_message(error)
        return error
    return None
