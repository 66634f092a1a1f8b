"""Well-known formats that are not read are called by their names."""

import struct

import pytest

from gwtransfer.io.unsupported import name_of, refusal

MAGICS = {
    "heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC", "PNG or TIFF"),
    "heif": (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC", "PNG or TIFF"),
    "avif": (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "AVIF", "PNG or TIFF"),
    "avif by second brand": (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "AVIF", "PNG or TIFF"),
    "cr3": (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "a raw photograph (CR3)", "develop"),
    "cr2": (b"II*\0\x10\0\0\0CR\x02\0", "a raw photograph (CR2)", "develop"),
    "crw": (b"II\x1a\0\0\0HEAPCCDR", "a raw photograph (CRW)", "develop"),
    "raf": (b"FUJIFILMCCD-RAW 0201", "a raw photograph (RAF)", "develop"),
    "orf": (b"IIRO\x08\0\0\0", "a raw photograph (ORF)", "develop"),
    "orf of old": (b"IIRS\x08\0\0\0", "a raw photograph (ORF)", "develop"),
    "rw2": (b"IIU\0\x18\0\0\0", "a raw photograph (RW2)", "develop"),
    "jp2": (b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 ", "JPEG 2000", "PNG or TIFF"),
    "j2k": (b"\xff\x4f\xff\x51\0\x2f", "JPEG 2000", "PNG or TIFF"),
    "jxl": (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL", "PNG or TIFF"),
    "bare jxl": (b"\xff\x0a\xfa\x7f", "JPEG XL", "PNG or TIFF"),
    "psd": (b"8BPS\0\1", "Photoshop's PSD", "PNG or TIFF"),
    "xcf": (b"gimp xcf v011\0", "GIMP's XCF", "PNG or TIFF"),
    **{
        f"netpbm {kind}": (f"P{kind}\n4 4\n255\n".encode(), name, "PNG or TIFF")
        for kind, name in zip(
            "1234567Ff",
            ["PBM", "PGM", "PPM", "PBM", "PGM", "PPM", "PAM", "PFM", "PFM"],
            strict=True,
        )
    },
    "netpbm with a comment": (b"P6# made by\n4 4\n255\n", "PPM", "PNG or TIFF"),
    "imagine": (b"EHFA_HEADER_TAG\0" + struct.pack("<I", 20), "Erdas Imagine", "GeoTIFF"),
    "vrt": (b'<VRTDataset rasterXSize="4">', "GDAL's VRT", "GeoTIFF"),
    "vrt of xml": (b'<?xml version="1.0"?>\n<!-- a -->\n<VRTDataset>', "GDAL's VRT", "GeoTIFF"),
    "hdf4": (b"\x0e\x03\x13\x01\0\0", "HDF4", "GeoTIFF or HDF5"),
    "las": (b"LASF\0\0\0\0", "LAS or LAZ", "PLY or XYZ"),
    "e57": (b"ASTM-E57\1\0\0\0", "E57", "PLY or XYZ"),
    "fbx": (b"Kaydara FBX Binary  \0", "FBX", "PLY or OBJ"),
    "fbx of text": (b"; FBX 7.3.0 project file", "FBX", "PLY or OBJ"),
    "vrml": (b"#VRML V2.0 utf8\n", "VRML", "PLY or OBJ"),
    "blender": (b"BLENDER-v300", "a file of Blender's", "PLY or OBJ"),
    "vtk": (b"# vtk DataFile Version 3.0\n", "VTK", "PLY or OBJ"),
    "usdc": (b"PXR-USDC\0", "USD", "PLY or OBJ"),
    "usda": (b"#usda 1.0\n", "USD", "PLY or OBJ"),
    "step": (b"ISO-10303-21;\n", "STEP", "PLY or OBJ"),
}


@pytest.mark.parametrize("kind", MAGICS)
def test_a_known_format_is_named_with_what_to_do(tmp_path, kind):
    """The first bytes alone give the name, and the refusal is one line with the file first."""
    content, name, advice = MAGICS[kind]
    path = tmp_path / "a"
    path.write_bytes(content)
    assert name_of(path) == name
    said = refusal(path)
    assert said is not None
    assert said.startswith(f"{path}: {name} is not read; ")
    assert advice in said
    assert "\n" not in said


OTHERS = [b"", b"P", b"P6", b"Pa", b"PK\x03\x04", b"hello", b"<xml>", b"<?xml", b"II*\0\x08\0\0\0"]
OTHERS += [b"\0\0\0\x18ftypisom\0\0\0\0mp42", b"\x89PNG\r\n\x1a\n", b"ftyp", b"\0\0\0\0ftyp"]


@pytest.mark.parametrize("content", OTHERS)
def test_nothing_else_is_named(tmp_path, content):
    """What merely begins alike, a film and a plain TIFF get no name."""
    path = tmp_path / "a"
    path.write_bytes(content)
    assert name_of(path) is None
    assert refusal(path) is None


def test_what_cannot_be_opened_has_no_name(tmp_path):
    """A folder, a missing file and a name with a zero byte are answered, not raised."""
    for path in (tmp_path, tmp_path / "missing", tmp_path / "a\0b"):
        assert name_of(path) is None
