"""Films: every frame, in any order, in its own colours; written the same twice."""

import json
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gwtransfer.core.raster import Film, Raster, Rows
from gwtransfer.errors import ReadError, UsageError, WriteError
from gwtransfer.io.files import sha256, whole
from gwtransfer.io.film.containers import film_format
from gwtransfer.io.film.film import FilmLoader, FilmWriter
from gwtransfer.io.layout import array_raster

from .shared import cube, everything, picture

av = pytest.importorskip("av")

FFPROBE = shutil.which("ffprobe")
NTSC = Fraction(30000, 1001)


def scenes(frames: int = 6, rows: int = 48, columns: int = 64, *, deep: bool = False) -> np.ndarray:
    """Return smooth coloured frames (frames, rows, columns, 3) that move, as integers."""
    most = 65535 if deep else 255
    t, y, x = np.mgrid[0:frames, 0:rows, 0:columns]
    phase = 2 * np.pi * t / max(frames, 2)
    bands = [
        0.5 + 0.4 * np.sin(phase + x / 17),
        0.5 + 0.4 * np.cos(phase + y / 13),
        0.5 + 0.3 * np.sin(phase + (x + y) / 29),
    ]
    return np.round(np.stack(bands, axis=-1) * most).astype(np.uint16 if deep else np.uint8)


def film(array: np.ndarray, rate: Fraction = NTSC, alpha: np.ndarray | None = None) -> Raster:
    """Return frames (frames, rows, columns, bands) as a film."""
    tall = array.reshape(-1, *array.shape[2:])
    most = np.iinfo(array.dtype).max
    opacity = None if alpha is None else alpha.reshape(-1, array.shape[2])
    raster = array_raster(tall, name="made", kind="picture", scale=most, alpha=opacity)
    return replace(raster, film=Film(frames=len(array), rate=rate))


def written(raster: Raster, path: Path, **options: object) -> Raster:
    """Write a film and open it again."""
    writer = FilmWriter(**options)  # type: ignore[arg-type]
    writer.check(raster)
    with whole(path, overwrite=True) as temporary:
        writer(raster, temporary)
    assert FilmLoader.claims(path)
    return FilmLoader()(path)


def encoded(
    path: Path,
    frames: np.ndarray,
    *,
    codec: str = "libx264",
    form: str = "yuv420p",
    times: list[int] | None = None,
    options: dict[str, str] | None = None,
    tags: dict[str, int] | None = None,
    rate: int = 25,
) -> Path:
    """Encode frames without any help of ours."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate, options=options or {"crf": "8"})
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], form
        for name, value in (tags or {}).items():
            setattr(stream.codec_context, name, value)
        for number, array in enumerate(frames):
            given = "rgb48le" if array.dtype == np.uint16 else "rgb24"
            frame = av.VideoFrame.from_ndarray(array, format=given)
            matrix = (tags or {}).get("colorspace", 5)
            frame = frame.reformat(
                format=form, dst_colorspace=matrix, src_color_range=2, dst_color_range=1
            )
            frame.pts, frame.time_base = (times or range(10**6))[number], Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize(("rows", "columns"), [(48, 64), (47, 63)])
def test_a_film_comes_back(tmp_path, suffix, rows, columns):
    """Frames, size, rate and colours survive H.264, of even and of odd size."""
    frames = scenes(rows=rows, columns=columns)
    again = written(film(frames), tmp_path / f"a{suffix}")
    assert (again.rows, again.columns, again.bands) == (6 * rows, columns, 3)
    assert again.film is not None
    assert (again.film.frames, again.film.rate) == (6, NTSC)
    assert (again.dtype, again.kind, again.has_alpha, again.notes) == (
        "uint8", "picture", False, (),
    )  # fmt: skip
    values, valid, _ = everything(again)
    assert valid.all()
    error = np.abs(values * 255 - frames.reshape(values.shape))
    assert error.mean() < 2
    assert error.max() < 20


def test_deep_films_stay_deep(tmp_path):
    """16-bit rasters become 10-bit H.264 and come back with more levels than 8 bits have."""
    frames = scenes(deep=True, columns=256)
    again = written(film(frames), tmp_path / "a.mp4", quality=1)
    assert again.dtype == "uint16"
    values = everything(again)[0]
    error = np.abs(values - frames.reshape(values.shape) / 65535)
    assert error.mean() < 0.0025
    assert len(np.unique(values[:48, :, 0])) > 300


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("alpha", [False, True])
def test_ffv1_loses_nothing(tmp_path, deep, alpha):
    """Matroska with FFV1 gives every bit back, opacity included."""
    frames = scenes(frames=3, deep=deep)
    opacity = scenes(frames=3, deep=deep)[..., 1] if alpha else None
    options = {} if alpha else {"codec": "ffv1"}
    again = written(film(frames, alpha=opacity), tmp_path / "a.mkv", **options)
    values, _, alphas = everything(again)
    most = np.iinfo(frames.dtype).max
    assert (again.dtype, again.has_alpha) == (frames.dtype.name, alpha)
    np.testing.assert_array_equal(np.round(values * most), frames.reshape(values.shape))
    if alpha:
        np.testing.assert_array_equal(np.round(alphas * most), opacity.reshape(alphas.shape))


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_the_same_bytes_twice(tmp_path, suffix):
    """Neither time nor name nor program gets into a file."""
    raster = film(scenes())
    digests = set()
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / f"{folder}{suffix}"
        written(raster, path)
        digests.add(sha256(path))
        assert re.search(rb"Lav[fc]\d", path.read_bytes()) is None
        assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert len(digests) == 1


def test_gray_is_written_as_gray(tmp_path):
    """One band fills all three."""
    gray = scenes()[..., :1]
    values = everything(written(film(gray), tmp_path / "a.mp4"))[0]
    assert np.ptp(values, axis=2).max() < 0.02
    assert np.abs(values[:, :, :1] * 255 - gray.reshape(-1, 64, 1)).mean() < 1


@pytest.mark.parametrize("matrix", [1, 5])
@pytest.mark.parametrize("full", [False, True])
def test_red_stays_red(tmp_path, matrix, full):
    """Whatever matrix and range a film states, flat colours come back as they were."""
    flat = np.zeros((2, 32, 64, 3), dtype=np.uint8)
    colours = [(220, 20, 30), (20, 200, 40), (30, 40, 210), (128, 128, 128)]
    for place, colour in enumerate(colours):
        flat[:, :, 16 * place : 16 * place + 16] = colour
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", 25, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv444p"
        stream.codec_context.colorspace = matrix
        stream.codec_context.color_range = 2 if full else 1
        for array in flat:
            frame = av.VideoFrame.from_ndarray(array, format="rgb24").reformat(
                format="yuv444p", dst_colorspace=matrix, src_color_range=2,
                dst_color_range=2 if full else 1,
            )  # fmt: skip
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    raster = FilmLoader()(path)
    values = raster.read(0, 32).values * 255
    for place, colour in enumerate(colours):
        assert np.abs(values[16, 16 * place + 8] - colour).max() < 3
    assert raster.notes == ()


def test_chroma_stays_in_place(tmp_path):
    """Halved chroma is not shifted by a round trip: a wave keeps its phase to 0.05 pixels."""
    x = np.arange(128)
    wave = 0.5 + 0.35 * np.sin(2 * np.pi * x / 16)
    frames = np.full((2, 32, 128, 3), 100, dtype=np.uint8)
    frames[..., 0] = np.round(255 * wave)
    frames[..., 2] = np.round(255 * (1 - wave))
    values = written(film(frames), tmp_path / "a.mp4", quality=1).read(0, 32).values[16] * 255
    before = np.fft.fft(frames[0, 16, :, 0].astype(float) - frames[0, 16, :, 2])[8]
    after = np.fft.fft(values[:, 0].astype(float) - values[:, 2])[8]
    assert abs(np.angle(after / before)) / (2 * np.pi) * 16 < 0.05
    assert 0.95 < abs(after / before) < 1.05


def test_an_unstated_matrix_is_noted(tmp_path):
    """Small films are taken for BT.601, large ones for BT.709, and the user is told."""
    small = FilmLoader()(encoded(tmp_path / "a.mp4", scenes(frames=1)))
    assert "colour matrix: BT.601 is taken, as is usual for 64 × 48" in small.notes[0]
    large = FilmLoader()(encoded(tmp_path / "b.mp4", scenes(frames=1, rows=720, columns=16)))
    assert "BT.709 is taken, as is usual for 16 × 720" in large.notes[0]


def test_frames_in_any_order(tmp_path):
    """Reading rows anywhere, backwards and across frames, is slicing the whole film."""
    path = encoded(
        tmp_path / "a.mp4", scenes(frames=40), options={"g": "10", "bf": "3", "crf": "20"}
    )
    expected = everything(FilmLoader()(path))[0]
    raster = FilmLoader()(path)
    raster.read.__self__._keep = 4  # as little as for large frames
    rng = np.random.default_rng(0)
    for start in (0, 39 * 48, *rng.integers(0, 40 * 48 - 200, 30)):
        stop = min(int(start) + int(rng.integers(1, 200)), raster.rows)
        np.testing.assert_array_equal(raster.read(start, stop).values, expected[start:stop])


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("open.mkv", "libx264", {"g": "8", "bf": "3", "x264-params": "open-gop=1"}),
        ("vp8.webm", "libvpx", {"auto-alt-ref": "1", "lag-in-frames": "8"}),
        ("vp9.webm", "libvpx-vp9", {"auto-alt-ref": "1", "lag-in-frames": "8"}),
        ("part2.avi", "mpeg4", {"bf": "2"}),
        ("two.ts", "mpeg2video", {"bf": "2"}),
        ("still.avi", "mjpeg", {}),
        ("program.mpg", "mpeg2video", {}),
    ],
)
def test_every_frame_of_other_formats(tmp_path, name, codec, options):
    """Each is counted exactly and read twice alike, though codecs reorder and hide frames."""
    form = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    frames = scenes(frames=30)
    raster = FilmLoader()(encoded(tmp_path / name, frames, codec=codec, form=form, options=options))
    assert raster.film is not None
    assert raster.film.frames == 30
    assert raster.film.rate == 25
    values = everything(raster)[0]
    assert np.abs(values * 255 - frames.reshape(values.shape)).mean() < 12
    np.testing.assert_array_equal(raster.read(100, 300).values, values[100:300])


def test_threads_read_the_same(tmp_path):
    """Eight threads that read at random get what one gets."""
    path = written(film(scenes(frames=20)), tmp_path / "a.mp4").name
    expected = everything(FilmLoader()(Path(path)))[0]
    raster = FilmLoader()(Path(path))
    wrong: list[int] = []

    def work(seed: int) -> None:
        for start in np.random.default_rng(seed).integers(0, 19 * 48, 10):
            if not np.array_equal(raster.read(start, start + 48).values, expected[start:][:48]):
                wrong.append(start)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_uneven_times_become_one_rate(tmp_path):
    """A variable rate becomes its mean, and the user is told."""
    times = [0, 1, 2, 6, 7, 9, 10, 20]
    path = encoded(tmp_path / "a.mkv", scenes(frames=8), times=times)
    raster = FilmLoader()(path)
    assert raster.film is not None
    assert abs(raster.film.rate - Fraction(7 * 25, 20)) < Fraction(1, 10)
    assert any("uneven times" in note for note in raster.notes)


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_rotation_is_applied(tmp_path, degrees):
    """A film that asks to be turned is turned, as FFmpeg turns it."""
    frames = scenes(frames=2)
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", 25, options={"crf": "1"})
        if not hasattr(stream, "set_display_rotation"):
            pytest.skip("this PyAV does not write rotations")
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv444p"
        stream.set_display_rotation(degrees)
        for array in frames:
            frame = av.VideoFrame.from_ndarray(array, format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuv444p", dst_colorspace=5)))
        container.mux(stream.encode(None))
    raster = FilmLoader()(path)
    turned = np.rot90(frames[0], {90: 1, 180: 2, -90: -1}[degrees])
    with av.open(str(path)) as container:
        said = next(container.decode(video=0)).rotation
    assert said % 360 == degrees % 360
    assert (raster.frame_rows, raster.columns) == turned.shape[:2]
    assert np.abs(raster.read(0, raster.frame_rows).values * 255 - turned).mean() < 3


@pytest.mark.skipif(FFPROBE is None, reason="ffprobe is not here")
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_ffprobe_agrees(tmp_path, suffix):
    """Another program sees the same frames, rate, size and colours."""
    path = tmp_path / f"a{suffix}"
    written(film(scenes(frames=7)), path)
    done = subprocess.run(
        [FFPROBE, "-v", "error", "-count_frames", "-show_streams", "-of", "json", str(path)],
        capture_output=True, check=True,
    )  # fmt: skip
    (stream,) = json.loads(done.stdout)["streams"]
    assert done.stderr == b""
    assert (stream["width"], stream["height"], stream["pix_fmt"]) == (64, 48, "yuv420p")
    assert (stream["r_frame_rate"], stream["nb_read_frames"]) == ("30000/1001", "7")
    names = ("color_space", "color_transfer", "color_primaries")
    assert [stream[name] for name in names] == ["bt709"] * 3
    assert stream["color_range"] == "tv"


def test_a_still_scene_does_not_flicker(tmp_path):
    """Equal frames through a map of colours and back are equal frames to the codec's error."""
    frames = np.repeat(scenes(frames=1), 12, axis=0)
    still = written(film(frames), tmp_path / "a.mp4")

    def read(start: int, stop: int) -> Rows:
        return Rows(values=np.sqrt(still.read(start, stop).values)[:, :, ::-1])

    mapped = replace(still, read=read)
    values = everything(written(mapped, tmp_path / "b.mp4"))[0].reshape(12, 48, 64, 3)
    assert np.abs(np.diff(values, axis=0)).max() * 255 < 6
    assert np.abs(values.mean(axis=(1, 2, 3)) - values.mean()).max() * 255 < 0.2
    assert np.abs(values[0] - np.sqrt(frames[0] / 255)[:, :, ::-1]).mean() * 255 < 2


MEMORY = """
import resource, sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
import numpy as np
from gwtransfer.core.raster import Film, Raster, Rows
from gwtransfer.io.film.film import FilmLoader, FilmWriter
rows = 256
def read(start, stop):
    t = np.arange(start, stop)[:, None, None] / 5000
    return Rows(values=(0.5 + 0.4 * np.sin(t + np.arange(256 * 3).reshape(256, 3) / 99)))
for frames in (20, 220):
    raster = Raster(name="m", rows=frames * rows, columns=256, bands=3, read=read, kind="picture",
                    dtype="uint8", film=Film(frames=frames, rate=Fraction(25)))
    path = Path(sys.argv[1]) / f"{frames}.mp4"
    FilmWriter(quality=40)(raster, path)
    for block in FilmLoader()(path).blocks():
        pass
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_film(tmp_path):
    """Eleven times the frames, 39 MB more of them, take less than 20 MB more memory."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path)], capture_output=True, text=True, check=True
    )
    short, long = (int(line) for line in done.stdout.split())
    assert done.stderr == ""
    assert long - short < 20_000


def test_sampling_a_film(tmp_path):
    """A film is a raster like others: sampling finds colours of all its frames."""
    raster = written(film(scenes(frames=10)), tmp_path / "a.mp4")
    sample = raster.sample(2000, seed=0)
    assert sample.shape == (2000, 3)
    assert np.abs(sample.mean(axis=0) - everything(raster)[0].mean(axis=(0, 1))).max() < 0.03


def damaged(path: Path, how: str) -> Path:
    """Damage a film."""
    data = path.read_bytes()
    broken = path.with_name(f"broken{path.suffix}")
    if how == "half":
        broken.write_bytes(data[: len(data) // 2])
    elif how == "end":
        broken.write_bytes(data[:-100])
    elif how == "noise":
        broken.write_bytes(data[:24] + np.random.default_rng(0).bytes(len(data)))
    return broken


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi"])
@pytest.mark.parametrize("how", ["half", "end", "noise"])
def test_damaged_films_are_refused(tmp_path, suffix, how):
    """A film that ends early or is noise is refused in one line that begins with its name."""
    codec = "mpeg4" if suffix == ".avi" else "libx264"
    path = damaged(encoded(tmp_path / f"a{suffix}", scenes(), codec=codec, options={}), how)
    with pytest.raises(ReadError) as caught:
        everything(FilmLoader()(path))
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    if how != "noise":
        assert "truncated" in message


@pytest.mark.parametrize(
    ("name", "codec"), [("a.avi", "mpeg4"), ("a.ts", "mpeg2video"), ("a.mp4", "libx264")]
)
def test_a_hole_in_the_film_is_told(tmp_path, name, codec):
    """A frame whose bytes are lost is named; nothing is shown in its place."""
    rng = np.random.default_rng(1)
    noisy = rng.integers(0, 256, (40, 96, 128, 3), dtype=np.uint8)
    path = encoded(tmp_path / name, noisy, codec=codec, options={})
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 300] = rng.bytes(300)
    path.write_bytes(data)
    told = r"frame \d+ of \d+ cannot be decoded: .*; cut it out|expected 40 frames, found \d+; it"
    with pytest.raises(ReadError, match=told):
        everything(FilmLoader()(path))


def test_a_matroska_file_damaged_inside(tmp_path):
    """Where a reader of Matroska gives up early, the length the film states tells."""
    rng = np.random.default_rng(1)
    noisy = rng.integers(0, 256, (60, 48, 64, 3), dtype=np.uint8)
    path = encoded(tmp_path / "a.mkv", noisy, options={"g": "10"})
    assert FilmLoader()(path).film.frames == 60
    data = bytearray(path.read_bytes())
    third = len(data) // 3
    data[third:-5000] = rng.bytes(len(data) - third - 5000)
    path.write_bytes(data)
    with pytest.raises(ReadError, match=r"a\.mkv: expected \d\.\d seconds more as it says"):
        FilmLoader()(path)


def test_what_no_film_is_made_of(tmp_path):
    """Single pictures, cubes and holes are refused before anything is encoded."""
    with pytest.raises(UsageError, match=r"made: expected a film.*found a single picture"):
        FilmWriter().check(picture())
    with pytest.raises(UsageError, match=r"films hold pictures, found a cube of 9 bands"):
        FilmWriter().check(replace(cube(), film=Film(frames=1, rate=Fraction(25))))
    with pytest.raises(UsageError, match="quality: expected a number from 0 to 51, got 52"):
        FilmWriter(quality=52)
    opaque = scenes(frames=1)
    clear = film(opaque, alpha=np.zeros_like(opaque[..., 0]))
    with pytest.raises(WriteError, match=r"has transparent pixels.*write \.mkv"):
        FilmWriter()(clear, tmp_path / "a.mp4")
    with pytest.raises(UsageError, match=r"expected \.mkv for codec ffv1, found \.mp4"):
        FilmWriter(codec="ffv1")(film(opaque), tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_hdr_is_refused(tmp_path):
    """PQ means other light than sRGB does, so its numbers are not taken for sRGB's."""
    path = encoded(tmp_path / "a.mkv", scenes(frames=1), form="yuv420p10le",
                   tags={"color_trc": 16, "color_primaries": 9, "colorspace": 9})  # fmt: skip
    with pytest.raises(ReadError, match=r"found HDR \(PQ\); convert it to BT.709"):
        FilmLoader()(path)


def test_sound_alone_and_sound_beside(tmp_path):
    """A file of sound alone is no film; sound beside a film is left out and that is said."""

    def add_sound(container):
        stream = container.add_stream("aac", 8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        return [*stream.encode(frame), *stream.encode(None)]

    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        container.mux(add_sound(container))
    with pytest.raises(ReadError, match="found no moving pictures in it"):
        FilmLoader()(tmp_path / "a.mkv")
    with av.open(str(tmp_path / "b.mkv"), "w") as container:
        stream = container.add_stream("libx264", 25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        sound = add_sound(container)
        frame = av.VideoFrame.from_ndarray(scenes(frames=1)[0], format="rgb24")
        container.mux([*stream.encode(frame), *stream.encode(None), *sound])
    notes = FilmLoader()(tmp_path / "b.mkv").notes
    assert any(note.endswith("b.mkv: its sound is left out") for note in notes)


def test_absurd_sizes_are_refused(tmp_path):
    """A header of 100 000 × 100 000 pixels costs no memory."""
    path = tmp_path / "a.y4m"
    path.write_bytes(b"YUV4MPEG2 W100000 H100000 F25:1 C420jpeg\nFRAME\n" + bytes(1000))
    with pytest.raises(ReadError, match=r"a\.y4m: "):
        FilmLoader()(path)


def test_names_are_no_protocols(tmp_path, monkeypatch):
    """A colon in a name means nothing."""
    monkeypatch.chdir(tmp_path)
    path = Path("concat:a.mp4")
    written(film(scenes(frames=1)), path)
    assert FilmLoader()(path).film.frames == 1


def test_without_pyav(tmp_path, monkeypatch):
    """One line says what to install."""
    path = tmp_path / "a.mp4"
    written(film(scenes(frames=1)), path)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ReadError, match=r"a\.mp4: .*pip install 'gwtransfer\[video\]'"):
        FilmLoader()(path)
    with pytest.raises(WriteError, match=r"made: .*pip install 'gwtransfer\[video\]'"):
        FilmWriter().check(film(scenes(frames=1)))


@pytest.mark.parametrize(
    ("head", "form"),
    [
        (b"\0\0\0\x18ftypisom", "mov"),
        (b"\0\0\0\x14ftypqt  ", "mov"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "mov"),
        (b"\x1a\x45\xdf\xa3", "matroska"),
        (b"RIFF\0\0\0\0AVI LIST", "avi"),
        ((b"\x47\x40\x00\x10" + bytes(184)) * 5, "mpegts"),
        (b"\0\0\x01\xba", "mpeg"),
        (b"YUV4MPEG2 W8 H8", "yuv4mpegpipe"),
        (b"\0\0\0\x18ftypheic", None),
        (b"\0\0\0\x18ftypavif", None),
        (b"\0\0\0\x18ftypM4A ", None),
        (b"RIFF\0\0\0\0WEBPVP8 ", None),
        (b"G" * 800, None),
        (b"\x89PNG\r\n\x1a\n", None),
        (b"", None),
    ],
)
def test_claims_by_the_first_bytes(tmp_path, head, form):
    """Films are known by content; stills, sound and texts of the same families are not films."""
    path = tmp_path / "a"
    path.write_bytes(head)
    assert film_format(path) == form
    assert FilmLoader.claims(path) == (form is not None)
    assert not FilmLoader.claims(tmp_path)
    assert not FilmLoader.claims(tmp_path / "absent")
