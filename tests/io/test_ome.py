"""OME-TIFF: channels, wavelengths, several files, and descriptions that promise too much."""

import numpy as np
import pytest
import tifffile

from gwtransfer.errors import AmbiguousError, ReadError
from gwtransfer.io.tiff.stack import TiffLoader

from .shared import everything

RNG = np.random.default_rng(2)
SCHEMA = "http://www.openmicroscopy.org/Schemas/OME/2016-06"


def numbers(*shape: int) -> np.ndarray:
    return RNG.integers(0, 60000, shape, dtype=np.uint16)


def description(
    *, c: object = 1, z: object = 1, t: object = 1, inside: str = "", after: str = "", own: str = ""
) -> str:
    return (
        f'<?xml version="1.0"?><OME xmlns="{SCHEMA}"{own}><Image ID="Image:0">'
        f'<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="7" SizeY="6" '
        f'SizeZ="{z}" SizeC="{c}" SizeT="{t}">{inside}</Pixels>'
        f"{after and '<AnnotationRef ID=' + chr(34) + 'A:0' + chr(34) + '/>'}</Image>{after}</OME>"
    )


def channels(*said: str) -> str:
    return "".join(f'<Channel ID="Channel:0:{i}" {one}/>' for i, one in enumerate(said))


def save(path, pages, text):
    with tifffile.TiffWriter(path) as file:
        for index, page in enumerate(pages):
            file.write(
                page, photometric="minisblack", contiguous=False, metadata=None,
                description=text.encode() if index == 0 else None,
            )  # fmt: skip


@pytest.mark.parametrize("axes", ["CYX", "TCZYX"])
def test_channels_are_bands(tmp_path, axes):
    """Channels become bands in the file's units, and axes of one plane are dropped."""
    path, array = tmp_path / "a.ome.tif", numbers(5, 6, 7)
    stored = array if axes == "CYX" else array[None, :, None]
    tifffile.imwrite(path, stored, ome=True, metadata={"axes": axes}, photometric="minisblack")
    raster = TiffLoader()(path)
    assert (raster.kind, raster.dtype, raster.wavelengths) == ("cube", "uint16", None)
    assert raster.notes == ()
    np.testing.assert_array_equal(everything(raster)[0], np.moveaxis(array, 0, -1))


@pytest.mark.parametrize(
    ("said", "expected", "notes"),
    [
        (['EmissionWavelength="450"', 'EmissionWavelength="550.5"'], [450, 550.5], 0),
        (
            [f'EmissionWavelength="{v}" EmissionWavelengthUnit="µm"' for v in ("0.5", "0.625")],
            [500, 625],
            0,
        ),
        (['EmissionWavelength="450"', ""], None, 1),
        (['EmissionWavelength="450"', 'EmissionWavelength="5" EmissionWavelengthUnit="pixel"'],
         None, 1),
        (["", ""], None, 0),
    ],
)  # fmt: skip
def test_wavelengths_are_those_of_all_channels_or_none(tmp_path, said, expected, notes):
    """Emission wavelengths are used, in nm, when every channel has one in a unit of length."""
    path = tmp_path / "a.ome.tif"
    save(path, numbers(2, 6, 7), description(c=2, inside=channels(*said) + "<TiffData/>"))
    raster = TiffLoader()(path)
    assert len(raster.notes) == notes
    if expected is None:
        assert raster.wavelengths is None
    else:
        np.testing.assert_allclose(raster.wavelengths, expected, rtol=1e-12)


def test_a_spectral_axis_gives_wavelengths(tmp_path):
    """Channels that are steps of a lambda scan are bands at those steps."""
    path, array = tmp_path / "a.ome.tif", numbers(4, 6, 7)
    modulo = (
        '<StructuredAnnotations><XMLAnnotation ID="A:0" '
        'Namespace="openmicroscopy.org/omero/dimension/modulo"><Value><Modulo>'
        '<ModuloAlongC Type="lambda" Start="410" End="440" Step="10" Unit="nm"/>'
        "</Modulo></Value></XMLAnnotation></StructuredAnnotations>"
    )
    save(path, array, description(c=4, inside="<TiffData/>", after=modulo))
    raster = TiffLoader()(path)
    np.testing.assert_allclose(raster.wavelengths, [410, 420, 430, 440])
    np.testing.assert_array_equal(everything(raster)[0], np.moveaxis(array, 0, -1))


@pytest.mark.parametrize("axis", ["Z", "T"])
def test_slices_and_times_are_not_taken_for_bands_unless_said(tmp_path, axis):
    """Several slices or times stop with the option that makes them bands."""
    path, array = tmp_path / "a.ome.tif", numbers(5, 6, 7)
    tifffile.imwrite(path, array, ome=True, metadata={"axes": f"{axis}YX"})
    with pytest.raises(AmbiguousError, match=r"5 .*--band-axis 0"):
        TiffLoader()(path)
    raster = TiffLoader(band_axis=0)(path)
    np.testing.assert_array_equal(everything(raster)[0], np.moveaxis(array, 0, -1))
    tifffile.imwrite(path, numbers(2, 5, 6, 7), ome=True, metadata={"axes": f"{axis}CYX"})
    with pytest.raises(AmbiguousError, match=r"2 .*5 channels"):
        TiffLoader()(path)


def test_the_first_level_of_a_pyramid_is_read(tmp_path):
    """Smaller copies in sub-directories are neither bands nor read."""
    path, array = tmp_path / "a.ome.tif", numbers(3, 64, 64)
    with tifffile.TiffWriter(path, ome=True) as file:
        options = {"photometric": "minisblack", "tile": (16, 16), "compression": "zlib"}
        file.write(array, subifds=1, metadata={"axes": "CYX"}, **options)
        file.write(array[:, ::2, ::2].copy(), subfiletype=1, **options)
    raster = TiffLoader()(path)
    assert (raster.rows, raster.columns, raster.bands) == (64, 64, 3)
    np.testing.assert_array_equal(everything(raster)[0], np.moveaxis(array, 0, -1))


def pair(folder, *, names=("a.ome.tif", "b.ome.tif")):
    array = numbers(2, 6, 7)
    inside = "".join(
        f'<TiffData FirstC="{i}" IFD="0" PlaneCount="1">'
        f'<UUID FileName="{name}">urn:uuid:{i}</UUID></TiffData>'
        for i, name in enumerate(names)
    )
    for index in range(2):
        text = description(c=2, inside=inside, own=f' UUID="urn:uuid:{index}"')
        save(folder / f"{'ab'[index]}.ome.tif", array[index : index + 1], text)
    return array


def test_an_image_in_several_files_is_read_from_all(tmp_path):
    """Planes that lie in a neighbouring file are bands like those of the file itself."""
    array = pair(tmp_path)
    for name in ("a.ome.tif", "b.ome.tif"):
        raster = TiffLoader()(tmp_path / name)
        np.testing.assert_array_equal(everything(raster)[0], np.moveaxis(array, 0, -1))


@pytest.mark.parametrize("content", [None, b"", b"II*\0"])
def test_a_missing_or_broken_file_of_several_is_named(tmp_path, content):
    """Planes in a file that is not there are refused, not read as zeros."""
    pair(tmp_path)
    other = tmp_path / "b.ome.tif"
    other.unlink()
    if content is not None:
        other.write_bytes(content)
    with pytest.raises(ReadError, match=r"b\.ome\.tif") as caught:
        TiffLoader()(tmp_path / "a.ome.tif")
    assert "\n" not in str(caught.value)


def test_other_files_are_looked_for_in_the_same_folder_only(tmp_path):
    """A description cannot make the reader open a file of another folder."""
    pair(tmp_path, names=("a.ome.tif", "../b.ome.tif"))
    with pytest.raises(ReadError, match="same folder"):
        TiffLoader()(tmp_path / "a.ome.tif")


def test_a_pointer_to_a_companion_is_noted(tmp_path):
    """A file whose description is elsewhere is read as plain TIFF, and says so."""
    path = tmp_path / "a.ome.tif"
    text = f'<OME xmlns="{SCHEMA}"><BinaryOnly MetadataFile="x.companion.ome" UUID="u"/></OME>'
    save(path, numbers(1, 6, 7), text)
    assert "x.companion.ome" in TiffLoader()(path).notes[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (description(z=10**12, inside="<TiffData/>"), "1000000000000"),
        (description(inside='<TiffData IFD="0" PlaneCount="1000000000000"/>'), "1000000000000"),
        (description(inside='<TiffData IFD="-4"/>'), "found -4"),
        (description(z=0, inside="<TiffData/>"), "found 0"),
        (description(c=900_000, inside="<TiffData/>"), "cannot hold them"),
        (description(c=3, inside="<TiffData/>"), "some are missing"),
        (description(c="many", inside="<TiffData/>"), "expected numbers"),
        (
            description(inside=channels('EmissionWavelength="green"') + "<TiffData/>"),
            "expected numbers",
        ),
        ("<OME><Image></OME>", "in XML"),
    ],
)
def test_descriptions_that_do_not_fit_are_refused(tmp_path, text, words):
    """Broken or absurd descriptions end in one line before memory is taken."""
    path = tmp_path / "a.ome.tif"
    save(path, numbers(1, 6, 7), text)
    with pytest.raises(ReadError, match=words) as caught:
        TiffLoader()(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
