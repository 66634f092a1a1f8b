"""What a person may ask of a transfer: spaces, strength, masks, palettes, pairs, bands."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image

from gwtransfer.core import raster as blocks
from gwtransfer.core.colorspace import to_space
from gwtransfer.io.store import load_artefact

from .conftest import QUICK, Run, geotiff

pytestmark = pytest.mark.filterwarnings("ignore:Dataset has no geotransform")

REFUSED, MISUSED = 1, 2
PHOTO = ("color", "photo.png", "palette.png", "-k", "2")
CUBE = ("color", "cube.npy", "palette.png", "-k", "2", *QUICK)

Fails = Callable[..., str]


@pytest.fixture
def fails(run: Run, folder: Path) -> Fails:
    """Run, expect an exit code and one line that holds the words, and no new file."""

    def call(code: int, words: tuple[str, ...], *arguments: object) -> str:
        before = sorted(folder.rglob("*"))
        result = run(*arguments)
        assert (result.code, result.out) == (code, ""), result
        assert result.err.startswith("gwtransfer: ")
        assert result.err.count("\n") == 1
        assert "internal error" not in result.err
        for word in words:
            assert word in result.err
        assert sorted(folder.rglob("*")) == before
        return result.err

    return call


def pixels(name: str) -> np.ndarray:
    with Image.open(name) as image:
        return np.asarray(image)


def save(name: str, array: np.ndarray) -> None:
    Image.fromarray(array).save(name)


def same(one: str, other: str) -> bool:
    return Path(one).read_bytes() == Path(other).read_bytes()


def half_mask(name: str = "mask.png", *, white: int = 255) -> np.ndarray:
    """Write a mask whose left 8 of 20 columns are white and the rest black; return where."""
    where = np.zeros((24, 20), dtype=bool)
    where[:, :8] = True
    save(name, where.astype(np.uint8) * white)
    return where


def grades(name: str = "grades.png") -> np.ndarray:
    """Write a mask of black, two grays and white in stripes; return it."""
    mask = np.repeat(np.array([0, 60, 150, 255], dtype=np.uint8), 5)[None].repeat(24, axis=0)
    save(name, mask)
    return mask


# --- spaces


@pytest.mark.parametrize("space", ["srgb", "linear", "oklab", "lab"])
def test_a_space_reaches_every_step(done: Run, folder: Path, space: str) -> None:
    """The plan stores its coordinates, and fit, plan and apply give the bytes of color."""
    done(*PHOTO, "-o", "out.png", "--space", space, "--save-plan", "kept.npz")
    assert pixels("out.png").shape == (24, 20, 3)
    assert pixels("out.png").std() > 10
    for side, name in (("a", "photo.png"), ("b", "palette.png")):
        done("fit", name, "-o", f"{side}.npz", "-k", "2", "--space", space)
    done("plan", "a.npz", "b.npz", "-o", "p.npz")
    done("apply", "p.npz", "photo.png", "-o", "steps.png")
    assert same("steps.png", "out.png")
    for plan in ("p.npz", "kept.npz"):
        made, _ = load_artefact(Path(plan))
        assert made.source.space.coordinates == made.target.space.coordinates == space
        assert f"3 axes of 3 {space} coordinates" in done("inspect", plan).out


@pytest.mark.parametrize("space", ["srgb", "linear", "oklab", "lab"])
@pytest.mark.parametrize("name", ["photo.png", "gray.png"])
def test_a_picture_in_its_own_colours_is_itself(
    done: Run, folder: Path, space: str, name: str
) -> None:
    """Source and palette equal: the map is the identity, in every space."""
    done("color", name, name, "-o", "out.png", "-k", "3", "--space", space)
    np.testing.assert_array_equal(pixels("out.png"), pixels(name))


def test_spaces_differ(done: Run, folder: Path) -> None:
    """Distances in other spaces make other maps."""
    for space in ("srgb", "linear", "oklab", "lab"):
        done(*PHOTO, "-o", f"{space}.png", "--space", space)
    assert len({Path(f"{s}.png").read_bytes() for s in ("srgb", "linear", "oklab", "lab")}) == 4


# --- keep and strength


@pytest.mark.parametrize("source", ["photo.png", "gray.png"])
def test_kept_luminance_is_the_sources(done: Run, folder: Path, source: str) -> None:
    """The result's OKLab lightness is the source's within single precision, its colour is not."""
    done("color", source, "palette.png", "-k", "2", "-o", "out.npy", "--keep", "luminance", *(
        QUICK if source == "gray.png" else ()))  # fmt: skip
    before = pixels(source).reshape(480, -1) / 255
    kept = to_space(np.load("out.npy").reshape(-1, 3), "oklab")
    was = to_space(np.broadcast_to(before, (480, 3)), "oklab")
    np.testing.assert_allclose(kept[:, 0], was[:, 0], rtol=0, atol=2e-3)
    assert np.median(np.abs(kept[:, 0] - was[:, 0])) < 1e-6
    assert np.abs(kept[:, 1:] - was[:, 1:]).mean() > 0.02


def test_kept_chroma_is_the_sources(done: Run, folder: Path) -> None:
    """Hue and chroma in OKLab are the source's, or less where a screen has no such colour."""
    done(*PHOTO, "-o", "out.npy", "--keep", "chroma")
    kept = to_space(np.load("out.npy").reshape(-1, 3), "oklab")
    was = to_space(pixels("photo.png").reshape(-1, 3) / 255, "oklab")
    inside = ((np.load("out.npy") > 0.01) & (np.load("out.npy") < 0.99)).all(axis=2).reshape(-1)
    assert inside.mean() > 0.4
    np.testing.assert_allclose(kept[inside, 1:], was[inside, 1:], rtol=0, atol=1e-5)
    sizes = [np.linalg.norm(side[:, 1:], axis=1) for side in (kept, was)]
    assert (sizes[0] <= sizes[1] + 1e-5).all()
    assert np.abs(kept[:, 0] - was[:, 0]).mean() > 0.02


@pytest.mark.parametrize(
    ("source", "palette", "keep", "words"),
    [
        ("photo.png", "cube.npy", "luminance", ("--keep luminance", "palette in colour")),
        ("photo.png", "gray.png", "chroma", ("--keep chroma", "palette in colour")),
        ("photo.png", "gray.png", "luminance", ("--keep luminance", "palette in colour")),
        ("cube.npy", "palette.png", "chroma", ("--keep chroma", "source in colour")),
        ("gray.png", "palette.png", "chroma", ("--keep chroma", "source in colour")),
    ],
)
def test_there_must_be_something_to_keep(
    fails: Fails, source: str, palette: str, keep: str, words: tuple[str, ...]
) -> None:
    """Gray and cubes have no chroma, and a gray or a cube cannot be given any."""
    fails(REFUSED, words, "color", source, palette, "-o", "out.npy", "-k", "2", "--keep", keep)


def test_strength_multiplies_the_mask(done: Run, folder: Path) -> None:
    """At strength ½ every pixel lies half way between the source and the masked result."""
    grades()
    masked = (*PHOTO, "--mask", "grades.png", "--smooth", "0")
    done(*masked, "-o", "whole.npy")
    done(*masked, "-o", "half.npy", "--strength", "0.5")
    whole, half, before = np.load("whole.npy"), np.load("half.npy"), pixels("photo.png") / 255
    inside = (whole > 0) & (whole < 1)
    assert inside.mean() > 0.8
    np.testing.assert_allclose(half[inside], ((whole + before) / 2)[inside], rtol=0, atol=1e-6)
    assert np.abs(whole - before)[:, 15:].mean() > 0.1


# --- masks


def test_a_mask_says_where(done: Run, folder: Path) -> None:
    """Black is the source to the byte, white what its own fit makes everywhere, gray between."""
    mask = grades()
    done(*PHOTO, "-o", "out.png", "--mask", "grades.png")
    done("fit", "photo.png", "-o", "a.npz", "-k", "2", "--mask", "grades.png")
    done("fit", "palette.png", "-o", "b.npz", "-k", "2")
    done("plan", "a.npz", "b.npz", "-o", "p.npz")
    done("apply", "p.npz", "photo.png", "-o", "everywhere.npy")
    done("apply", "p.npz", "photo.png", "-o", "everywhere.png")
    done("apply", "p.npz", "photo.png", "-o", "steps.png", "--mask", "grades.png")
    out, before, after = pixels("out.png"), pixels("photo.png"), pixels("everywhere.png")
    np.testing.assert_array_equal(out[mask == 0], before[mask == 0])
    np.testing.assert_array_equal(out[mask == 255], after[mask == 255])
    assert (out[mask == 255] != before[mask == 255]).any(axis=1).mean() > 0.9
    share = mask[:, :, None] / 255
    image = np.load("everywhere.npy")
    mixed = ((1 - share) * before + share * 255 * image)[(image > 0) & (image < 1)]
    assert np.abs(out[(image > 0) & (image < 1)] - mixed).max() < 0.51
    assert same("steps.png", "out.png")


def test_a_masked_fit_sees_white_only(done: Run, folder: Path) -> None:
    """Other colours under black change nothing where the mask is white."""
    where = half_mask()
    done(*PHOTO, "-o", "one.png", "--mask", "mask.png", "--save-plan", "one.npz")
    other = pixels("photo.png").copy()
    other[~where] = (255, 0, 255)
    save("photo.png", other)
    done(*PHOTO, "-o", "two.png", "--mask", "mask.png", "--save-plan", "two.npz")
    np.testing.assert_array_equal(pixels("two.png")[where], pixels("one.png")[where])
    np.testing.assert_array_equal(pixels("two.png")[~where], other[~where])
    one, two = (load_artefact(Path(f"{turn}.npz"))[0].source for turn in ("one", "two"))
    np.testing.assert_array_equal(one.means, two.means)


def test_what_is_masked_out_is_not_called_strange(done: Run, folder: Path) -> None:
    """A fit to a small patch of its own colours says nothing of pixels it does not touch."""
    rng = np.random.default_rng(1)
    photo = pixels("photo.png").copy()
    photo[:5, :5] = np.add((240, 20, 20), rng.integers(-6, 7, (5, 5, 3)))
    save("photo.png", photo)
    mask = np.zeros((24, 20), dtype=np.uint8)
    mask[:5, :5] = 255
    save("mask.png", mask)
    done(*PHOTO, "-o", "out.png", "--mask", "mask.png", "--save-plan", "p.npz")
    done("apply", "p.npz", "photo.png", "-o", "again.png", "--mask", "mask.png")
    assert same("again.png", "out.png")


def test_a_feather_softens_the_edge(done: Run, folder: Path) -> None:
    """Far from the edge nothing changes; across it the source fades into the image."""
    half_mask()
    black = (*PHOTO, "--strength", "1", "--mask", "mask.png")
    done(*black, "-o", "hard.npy")
    done(*black, "-o", "soft.npy", "--feather", "1.5", "--save-plan", "p.npz")
    done("apply", "p.npz", "photo.png", "-o", "image.npy")
    before, soft, image = pixels("photo.png") / 255, np.load("soft.npy"), np.load("image.npy")
    inside = ((image > 0) & (image < 1)).all(axis=2)
    step = image - before
    share = (np.sum((soft - before) * step, axis=2) / np.sum(step**2, axis=2))[inside]
    column = np.broadcast_to(np.arange(20), (24, 20))[inside]
    means = [share[column == at].mean() for at in range(20)]
    assert abs(means[0] - 1) < 1e-3
    assert abs(means[16]) < 1e-3
    assert (np.diff(means[3:13]) < 0).all()
    assert abs(means[7] + means[8] - 1) < 0.02
    np.testing.assert_allclose(soft[:, 16:], before[:, 16:], rtol=0, atol=1e-6)
    np.testing.assert_allclose(np.load("hard.npy")[:, 8:], before[:, 8:], rtol=0, atol=1e-6)


def test_a_mask_of_zeros_and_ones_is_one_of_black_and_white(done: Run, folder: Path) -> None:
    """Stored 1 counts fully, in PNG, in arrays of integers and in arrays of floats."""
    where = half_mask()
    half_mask("ones.png", white=1)
    np.save("ones.npy", where.astype(np.uint8))
    np.save("floats.npy", where.astype(np.float32))
    done(*PHOTO, "-o", "out.png", "--mask", "mask.png")
    for name in ("ones.png", "ones.npy", "floats.npy"):
        done(*PHOTO, "-o", f"{name}.out.png", "--mask", name)
        assert same(f"{name}.out.png", "out.png")


def test_transparent_pixels_are_masked_too(done: Run, folder: Path) -> None:
    """They stay transparent, and their colours never enter the fit, under any mask."""
    half_mask()
    command = ("color", "rgba.png", "palette.png", "-k", "2", "--mask", "mask.png")
    done(*command, "-o", "one.png")
    before = pixels("rgba.png")
    np.testing.assert_array_equal(pixels("one.png")[:, :, 3], before[:, :, 3])
    changed = before.copy()
    clear = before[:, :, 3] == 0
    assert 0 < clear[:, :8].sum() < 24 * 8
    changed[clear, :3] = (255, 0, 255)
    save("rgba.png", changed)
    done(*command, "-o", "two.png")
    assert same("two.png", "one.png")


@pytest.mark.parametrize("command", ["color", "fit", "apply"])
def test_masks_that_do_not_fit(done: Run, fails: Fails, folder: Path, command: str) -> None:
    """Another size, nothing in it, several bands, or not there: refused by every command."""
    arguments = {
        "color": (*PHOTO, "-o", "out.png"),
        "fit": ("fit", "photo.png", "-o", "a.npz", "-k", "2"),
        "apply": ("apply", "p.npz", "photo.png", "-o", "out.png"),
    }[command]
    done(*PHOTO, "-o", "any.png", "--save-plan", "p.npz")
    save("small.png", np.full((20, 24), 255, dtype=np.uint8))
    save("black.png", np.zeros((24, 20), dtype=np.uint8))
    np.save("nan.npy", np.full((24, 20), np.nan))
    for name, words in {
        "small.png": ("small.png: expected a mask of 24 × 20 pixels", "found 20 × 24"),
        "black.png": ("black.png: expected a mask with something in it", "only black"),
        "nan.npy": ("nan.npy: expected a mask with something in it",),
        "cube.npy": ("cube.npy: expected a mask of one band, found 6",),
        "none.png": ("none.png: no such file",),
    }.items():
        fails(REFUSED, words, *arguments, "--mask", name)
    wrong = "option feather: expected pixels from 0 to 1000"
    for feather in ("-1", "nan", "1001"):
        fails(MISUSED, (wrong,), *arguments, "--mask", "black.png", "--feather", feather)
    fails(MISUSED, ("--feather softens the edges of a mask",), *arguments, "--feather", "2")


def test_a_mask_needs_something_to_stay(done: Run, fails: Fails, folder: Path) -> None:
    """Where a picture becomes a cube there is no source to leave beside the image."""
    words = ("a mask needs a source to blend with", "6 bands", "--mask")
    upwards = ("color", "photo.png", "cube.npy", "-k", "2", *QUICK)
    fails(REFUSED, words, *upwards, "-o", "out.npy", "--mask", "gray.png")
    done(*upwards, "-o", "any.npy", "--save-plan", "p.npz")
    fails(REFUSED, words, "apply", "p.npz", "photo.png", "-o", "out.npy", "--mask", "gray.png")


def test_a_mask_for_a_cube_leaves_gray(done: Run, folder: Path) -> None:
    """Where a cube becomes a picture, black leaves its luminance as gray, white the colours."""
    where = half_mask()
    done(*CUBE, "-o", "out.png", "--mask", "mask.png", "--smooth", "0")
    out = pixels("out.png").astype(int)
    np.testing.assert_array_equal(out[~where], np.repeat(out[~where][:, :1], 3, axis=1))
    assert (np.ptp(out[where], axis=1) > 5).mean() > 0.9


# --- palettes


@pytest.mark.parametrize("mapping", ["mean", "nearest"])
def test_colours_outside_a_palette_mask_have_no_part(done: Run, folder: Path, mapping: str) -> None:
    """Whatever they are, the bytes are the same; without the mask they are not."""
    where = half_mask()
    command = (*PHOTO, "--map", mapping)
    done(*command, "-o", "one.png", "--palette-mask", "mask.png")
    done(*command, "-o", "plain.png")
    changed = pixels("palette.png").copy()
    changed[~where] = (0, 255, 0)
    save("palette.png", changed)
    done(*command, "-o", "two.png", "--palette-mask", "mask.png")
    assert same("two.png", "one.png")
    assert not same("plain.png", "one.png")
    if mapping == "nearest":
        known = {tuple(colour) for colour in changed[where]}
        assert {tuple(colour) for colour in pixels("two.png").reshape(-1, 3)} <= known


def test_nearest_of_a_masked_palette_is_for_color(done: Run, fails: Fails, folder: Path) -> None:
    """apply cannot mask the palette's colours, or pool them, and says so."""
    half_mask()
    apply = ("apply", "p.npz", "photo.png", "-o", "o.png", "--map", "nearest",
             "--palette", "palette.png")  # fmt: skip
    done(*PHOTO, "-o", "any.png", "--palette-mask", "mask.png", "--save-plan", "p.npz")
    fails(REFUSED, ("palette.png:", "under a mask"), *apply)
    Path("p.npz").unlink()
    done(*PHOTO, "-o", "two.png", "--palette", "gray.png", "--save-plan", "p.npz")
    fails(REFUSED, ("palette.png:", "several palettes"), *apply)


def flat_palettes() -> None:
    """Write a red and a blue palette, each of its colour with little noise."""
    rng = np.random.default_rng(5)
    for name, colour in (("red.png", (200, 40, 40)), ("blue.png", (40, 40, 200))):
        save(name, (colour + rng.integers(-9, 10, (16, 16, 3))).astype(np.uint8))


@pytest.mark.parametrize(("weights", "share"), [(None, 0.5), ("3,1", 0.75), ("1,9", 0.1)])
def test_palettes_count_by_their_weights(
    done: Run, folder: Path, weights: str | None, share: float
) -> None:
    """The result is red on average by the red palette's weight, whichever comes first."""
    flat_palettes()
    given = () if weights is None else ("--palette-weights", weights)
    done("color", "photo.png", "red.png", "--palette", "blue.png", "-k", "2", "-o", "out.png",
         *given)  # fmt: skip
    turned = () if weights is None else ("--palette-weights", ",".join(weights.split(",")[::-1]))
    done("color", "photo.png", "--palette", "blue.png", "--palette", "red.png", "-k", "2",
         "-o", "turned.png", *turned)  # fmt: skip
    for name in ("out.png", "turned.png"):
        mean = pixels(name).reshape(-1, 3).mean(axis=0)
        assert abs(mean[0] - (40 + 160 * share)) < 10
        assert abs(mean[2] - (200 - 160 * share)) < 10


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--palette-weights", "1"), ("expected 2 numbers, one a palette, got 1",)),
        (("--palette-weights", "1,2,3"), ("expected 2 numbers, one a palette, got 3",)),
        (("--palette-weights", "1,0"), ("--palette-weights: expected numbers from",)),
        (("--palette-weights", "1,-1"), ("--palette-weights: expected numbers from",)),
        (("--palette-weights", "1,nan"), ("--palette-weights: expected numbers from",)),
        (("--palette-weights", "inf,1"), ("--palette-weights: expected numbers from",)),
        (("--palette-weights", "1e308,1e308"), ("--palette-weights: expected numbers from",)),
        (("--palette-weights", "1,"), ("--palette-weights 1,: expected numbers like 2,1",)),
        (("--palette-weights", "a,b"), ("--palette-weights a,b: expected numbers",)),
        (("--palette-mask", "gray.png"), ("--palette-mask is for one palette",)),
    ],
)
def test_wrong_weights_are_misuse(
    fails: Fails, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    """One a palette, above zero, and a mask for one palette only."""
    two = ("color", "photo.png", "palette.png", "--palette", "gray.png", "-o", "out.png")
    fails(MISUSED, words, *two, *arguments)


def test_palettes_that_do_not_pool(fails: Fails) -> None:
    """No palette at all is misuse; a picture and a cube together depend on the files."""
    fails(MISUSED, ("expected a palette",), "color", "photo.png", "-o", "out.png")
    fails(REFUSED, ("cube.npy: expected a picture to pool with palette.png",), *PHOTO,
          "--palette", "cube.npy", "-o", "out.png")  # fmt: skip


# --- pairs


@pytest.mark.parametrize("source", ["photo.png", "cube.npy"])
def test_a_pair_brings_a_pixel_nearer(done: Run, folder: Path, source: str) -> None:
    """The pixel comes closer to the asked colour than without the pair."""
    command = ("color", source, "palette.png", "-k", "4", "--smooth", "0")
    command += QUICK if source == "cube.npy" else ()
    done(*command, "-o", "free.png")
    far = pixels("palette.png").reshape(-1, 3).astype(int)
    column, row = 4, 17
    free = pixels("free.png")[row, column].astype(int)
    asked = far[np.abs(far - free).sum(axis=1).argmax()]  # the palette's most different colour
    text = f"{column},{row}=#{asked[0]:02x}{asked[1]:02X}{asked[2]:02x}"
    done(*command, "-o", "pair.png", "--pair", text, "--save-plan", "p.npz")
    pair = pixels("pair.png")[row, column].astype(int)
    assert np.abs(pair - asked).sum() < 0.8 * np.abs(free - asked).sum()
    done("apply", "p.npz", source, "-o", "again.png", "--smooth", "0")
    assert same("again.png", "pair.png")


@pytest.mark.parametrize(
    "text",
    ["", "1,2", "1,2=", "1,2=#12345", "1,2=red", "1,2=#gggggg", "-1,2=#ffffff", "1.5,2=#ffffff",
     "a,b=#ffffff", "1=#ffffff", "1,2,3=#ffffff", "9999999999,1=#ffffff", "²,1=#ffffff"],
)  # fmt: skip
def test_what_is_no_pair(fails: Fails, text: str) -> None:
    """Anything but X,Y=#rrggbb is misuse and shows an example."""
    fails(MISUSED, (f"--pair {text}".strip(), "X,Y=#rrggbb"), *PHOTO, "-o", "out.png",
          "--pair", text)  # fmt: skip


def test_pairs_that_cannot_be(fails: Fails) -> None:
    """Outside, transparent, for a palette without colours, or two colours for one pixel."""
    out, pair = ("-o", "out.png"), ("--pair", "1,2=#ffffff")
    for text in ("20,0", "0,24", "999999999,0"):
        words = (f"photo.png: --pair {text}:", "20 columns and 24 rows")
        fails(REFUSED, words, *PHOTO, *out, "--pair", f"{text}=#ffffff")
    fails(REFUSED, ("rgba.png: --pair 0,0: this pixel has no data",), "color", "rgba.png",
          "palette.png", "-k", "2", *out, "--pair", "0,0=#ffffff")  # fmt: skip
    for palette in ("gray.png", "cube.npy"):
        fails(REFUSED, (f"{palette}: --pair needs a palette in colour",), "color", "photo.png",
              palette, "-k", "2", "-o", "out.npy", *pair)  # fmt: skip
    fails(MISUSED, ("--pair 1,2=#000000", "already has another colour"), *PHOTO, *out, *pair,
          "--pair", "1,2=#000000")  # fmt: skip


def test_a_pair_said_twice_is_said_once(done: Run, folder: Path) -> None:
    """The same pair again changes nothing, and neither does the way it is typed."""
    done(*PHOTO, "-o", "one.png", "--pair", "3,4=#AABBCC")
    done(*PHOTO, "-o", "two.png", "--pair", "3,4=aabbcc", "--pair", " 3 , 4 = #AaBbCc ")
    assert same("two.png", "one.png")


# --- clean-up


def test_smooth_zero_maps_each_pixel_by_itself(done: Run, folder: Path) -> None:
    """Equal spectra get equal colours wherever they stand; cleaned ones need not."""
    cube = np.load("cube.npy")
    cube[20, 15] = cube[2, 3]
    np.save("cube.npy", cube)
    done(*CUBE, "-o", "plain.npy", "--smooth", "0")
    done(*CUBE, "-o", "clean.npy", "--smooth", "1")
    done(*CUBE, "-o", "half.npy", "--smooth", "0.5")
    plain, clean, half = (np.load(f"{name}.npy") for name in ("plain", "clean", "half"))
    np.testing.assert_array_equal(plain[20, 15], plain[2, 3])
    assert np.abs(clean[20, 15] - clean[2, 3]).max() > 1e-4
    inside = ((plain > 0) & (plain < 1) & (clean > 0) & (clean < 1)).all(axis=2)
    assert inside.mean() > 0.8
    np.testing.assert_allclose(half[inside], ((plain + clean) / 2)[inside], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("source", "palette", "default"),
    [
        (("cube.npy",), "palette.png", "1"),
        (("cube.npy", "--map", "rand"), "palette.png", "0"),
        (("cube.npy", "--map", "nearest"), "palette.png", "0"),
        (("photo.png",), "palette.png", "0"),
        (("gray.png",), "palette.png", "0"),
        (("photo.png",), "cube.npy", "0"),
        (("cube.npy",), "cube.npy", "0"),
    ],
)
def test_what_is_cleaned_unless_said(
    done: Run, folder: Path, source: tuple[str, ...], palette: str, default: str
) -> None:
    """Pictures that a smooth map makes of cubes, and nothing else."""
    command = ("color", source[0], palette, *source[1:], "-k", "3")
    command += () if (source[0], palette) == ("photo.png", "palette.png") else QUICK
    done(*command, "-o", "auto.npy")
    done(*command, "-o", "said.npy", "--smooth", default)
    done(*command, "-o", "other.npy", "--smooth", "1" if default == "0" else "0")
    assert same("auto.npy", "said.npy")
    assert not same("auto.npy", "other.npy")


def tall_cube() -> None:
    """Write a cube of 150 rows with holes."""
    rng = np.random.default_rng(2)
    cube = np.tile(np.load("cube.npy"), (7, 1, 1))[:150]
    cube = cube + rng.normal(0, 0.05, cube.shape).astype(np.float32)
    cube[70:74, 3:9] = np.nan
    np.save("tall.npy", cube)


def test_blocks_do_not_show(done: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cleaned, masked, mapped at random: the same picture however many rows are read at once."""
    tall_cube()
    done("fit", "tall.npy", "-o", "a.npz", "-k", "3")
    done("fit", "palette.png", "-o", "b.npz", "-k", "3")
    done("plan", "a.npz", "b.npz", "-o", "p.npz", *QUICK)
    wanted = {"s": ("--smooth", "1"), "r": ("--map", "rand", "--smooth", "0.7"), "p": ()}
    for turn, most in (("whole", 65_536), ("odd", 700), ("many", 40)):
        monkeypatch.setattr(blocks, "BLOCK_PIXELS", most)
        for name, arguments in wanted.items():
            done("apply", "p.npz", "tall.npy", "-o", f"{turn}-{name}.png", *arguments)
    for name in wanted:
        assert same(f"whole-{name}.png", f"odd-{name}.png")
        assert same(f"whole-{name}.png", f"many-{name}.png")


def lossless_film(path: str, frames: np.ndarray) -> None:
    """Write a film whose frames come back to the last bit."""
    from dataclasses import replace

    from gwtransfer.core.raster import Film
    from gwtransfer.io.film.film import FilmWriter
    from gwtransfer.io.layout import array_raster

    tall = frames.reshape(-1, *frames.shape[2:])
    raster = array_raster(tall, name="made", kind="picture", scale=255)
    FilmWriter(codec="ffv1")(
        replace(raster, film=Film(frames=len(frames), rate=Fraction(25))), Path(path)
    )


def test_frames_are_cleaned_one_by_one(done: Run, run: Run, folder: Path) -> None:
    """A cleaned and masked film is the stack of its cleaned and masked frames."""
    pytest.importorskip("av")
    rng = np.random.default_rng(3)
    frames = np.tile(pixels("photo.png"), (3, 2, 2, 1)) + np.reshape([0.0, 20.0, 9.0], (3, 1, 1, 1))
    frames = np.clip(frames + rng.integers(-9, 10, frames.shape), 0, 255).astype(np.uint8)
    mask = np.zeros(frames.shape[1:3], dtype=np.uint8)
    mask[10:30, 5:30] = 255
    save("mask.png", mask)
    lossless_film("film.mkv", frames)
    done(*PHOTO, "-o", "any.png", "--save-plan", "p.npz")
    given = ("--smooth", "1", "--mask", "mask.png", "--feather", "1")
    assert run("apply", "p.npz", "film.mkv", "-o", "film.npy", *given).code == 0
    film = np.load("film.npy").reshape(frames.shape)
    for number, frame in enumerate(frames):
        save("frame.png", frame)
        assert run("apply", "p.npz", "frame.png", "-o", f"{number}.npy", *given).code == 0
        np.testing.assert_array_equal(film[number], np.load(f"{number}.npy"))


# --- preview and saved plans


def test_a_preview_is_small_and_lies_where_the_source_lies(done: Run, folder: Path) -> None:
    """At most 512 pixels a side, every s-th pixel, and the same corner on the ground."""
    rng = np.random.default_rng(6)
    with rasterio.open(
        "wide.tif", "w", driver="GTiff", height=600, width=1200, count=4, dtype="float32",
        crs="EPSG:32633", transform=rasterio.Affine(10, 0, 5e5, 0, -10, 5e6),
    ) as file:  # fmt: skip
        file.write(rng.normal(10, 2, (4, 600, 1200)).astype(np.float32))
    done("color", "wide.tif", "palette.png", "-o", "small.tif", "--preview", "-k", "2", *QUICK)
    with rasterio.open("wide.tif") as before, rasterio.open("small.tif") as after:
        assert (after.width, after.height, after.count) == (400, 200, 3)
        a, b, c, d, e, f = before.transform[:6]
        assert after.transform[:6] == (3 * a, 3 * b, c, 3 * d, 3 * e, f)
        assert after.crs == before.crs
        assert after.bounds == before.bounds


def test_a_preview_of_something_small_is_all_of_it(done: Run, folder: Path) -> None:
    """Nothing to leave out: the same bytes, with masks and pairs as well."""
    half_mask()
    given = (*PHOTO, "--mask", "mask.png", "--pair", "2,3=#ff0000")
    done(*given, "-o", "one.png", "--preview")
    done(*given, "-o", "two.png")
    assert same("one.png", "two.png")


@pytest.mark.parametrize("given", [(), ("--strength", "0.4"), ("--smooth", "0.5"),
                                   ("--keep", "luminance"), ("--map", "rand")])  # fmt: skip
@pytest.mark.parametrize("source", ["cube.npy", "photo.png"])
def test_a_saved_plan_is_the_plan(
    done: Run, folder: Path, source: str, given: tuple[str, ...]
) -> None:
    """apply with it gives the bytes that color gave."""
    command = ("color", source, "palette.png", "-k", "2", *given)
    command += QUICK if source == "cube.npy" else ()
    done(*command, "-o", "out.png", "--save-plan", "p.npz")
    done("apply", "p.npz", source, "-o", "again.png", *given)
    assert same("again.png", "out.png")


def test_plans_that_cannot_be_saved(fails: Fails) -> None:
    """Another suffix is misuse; a file that is there, or a folder that is not, a refusal."""
    out = (*PHOTO, "-o", "out.png", "--save-plan")
    fails(MISUSED, ("plan.txt", "ends in .npz"), *out, "plan.txt")
    fails(REFUSED, ("there is no folder nofolder",), *out, "nofolder/p.npz")
    Path("old.npz").write_bytes(b"precious")
    fails(REFUSED, ("old.npz: already exists", "--overwrite"), *out, "old.npz")
    assert Path("old.npz").read_bytes() == b"precious"


# --- bands


def envi(name: str, cube: np.ndarray, *, bad: tuple[int, ...] = (), units: str = "nm") -> None:
    """Write a float32 ENVI file of bands 100 nm apart from 400 nm on."""
    rows, columns, bands = cube.shape
    waves = 400 + 100 * np.arange(bands)
    lines = ["ENVI", f"samples = {columns}", f"lines = {rows}", f"bands = {bands}"]
    lines += ["data type = 4", "interleave = bip", "byte order = 0", "header offset = 0"]
    scale = 1 if units == "nm" else 1000
    lines.append(f"wavelength = {{{', '.join(f'{wave / scale:g}' for wave in waves)}}}")
    if units == "nm":
        lines.append("wavelength units = nm")
    if bad:
        good = [str(int(band + 1 not in bad)) for band in range(bands)]
        lines.append(f"bbl = {{{', '.join(good)}}}")
    Path(name).with_suffix(".hdr").write_text("\n".join([*lines, ""]))
    Path(name).write_bytes(cube.astype("<f4").tobytes())


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2-4", [1, 2, 3]),
        ("1,6", [0, 5]),
        ("5-", [4, 5]),
        ("450-700nm", [1, 2, 3]),
        ("0.45-0.7um,900nm-", [1, 2, 3, 5]),
        ("640nm", [2]),
        ("all", [0, 1, 2, 3, 4, 5]),
    ],
)
def test_chosen_bands_are_all_there_is(done: Run, folder: Path, text: str, kept: list[int]) -> None:
    """The same bytes as from a file of those bands alone, and apply chooses them again."""
    cube = np.load("cube.npy")
    envi("scene.dat", cube, bad=(3,))
    np.save("less.npy", cube[:, :, kept])
    command = ("palette.png", "-k", "2", *QUICK)
    done("color", "scene.dat", *command, "-o", "out.png", "--bands", text, "--save-plan", "p.npz")
    done("color", "less.npy", *command, "-o", "less.png", "--band-axis", "2")
    assert same("out.png", "less.png")
    done("apply", "p.npz", "scene.dat", "-o", "again.png")
    assert same("again.png", "out.png")
    done("fit", "scene.dat", "-o", "a.npz", "-k", "2", "--bands", text)
    done("fit", "palette.png", "-o", "b.npz", "-k", "2")
    done("plan", "a.npz", "b.npz", "-o", "q.npz", *QUICK)
    done("apply", "q.npz", "scene.dat", "-o", "steps.png")
    assert same("steps.png", "out.png")


def test_bad_bands_are_left_out_and_shown(done: Run, folder: Path) -> None:
    """What lies in them never matters, unless they are asked for."""
    cube = np.load("cube.npy")
    for turn, under in (("one", 0.0), ("two", 1e6)):
        cube[:, :, [1, 2]] = under
        envi("scene.dat", cube, bad=(2, 3))
        done("color", "scene.dat", "palette.png", "-k", "2", "-o", f"{turn}.png", *QUICK)
        done("color", "scene.dat", "palette.png", "-k", "2", "-o", f"{turn}all.npy",
             "--bands", "all", "--no-noise", *QUICK)  # fmt: skip
    assert same("one.png", "two.png")
    words = done("inspect", "scene.dat").out
    assert "bad bands      2-3" in words
    assert "bands          6" in words
    envi("scene.dat", np.load("cube.npy"), bad=(1, 2, 3, 4, 5, 6))


def test_bands_that_are_not_there(done: Run, fails: Fails, folder: Path) -> None:
    """A wrong text is misuse; numbers and wavelengths beyond the file depend on the file."""
    out = ("-o", "out.png", "--bands")
    envi("scene.dat", np.load("cube.npy"))
    scene = ("color", "scene.dat", "palette.png", "-k", "2")
    for text in ("", " ", ",", "-", "1-3,", "5-3", "1e3", "nan", "red", "²"):
        fails(MISUSED, ("--bands",), *scene, *out, text)
    fails(REFUSED, ("scene.dat: --bands 7: expected bands 1 … 6",), *scene, *out, "7")
    fails(REFUSED, ("scene.dat: --bands 0: expected bands 1 … 6",), *scene, *out, "0")
    fails(REFUSED, ("scene.dat: --bands 950nm-", "400 … 900 nm"), *scene, *out, "950nm-")
    fails(REFUSED, ("cube.npy: --bands 400nm: the wavelengths are not known",), *CUBE, *out,
          "400nm")  # fmt: skip
    fails(MISUSED, ("photo.png: --bands chooses among a cube's bands",), *PHOTO, *out, "1-2")
    done(*CUBE, "-o", "any.png", "--bands", "1-4", "--save-plan", "p.npz")
    fails(REFUSED, ("photo.png: expected the 4 bands", "found 3"), "apply", "p.npz", "photo.png",
          "-o", "out.png")  # fmt: skip


# --- words


def test_notes_go_to_stderr(run: Run, folder: Path) -> None:
    """What was guessed is said there, one line each; stdout stays the five lines."""
    envi("scene.dat", np.load("cube.npy"), units="none")
    command = ("color", "scene.dat", "palette.png", "-k", "2", *QUICK)
    result = run(*command, "-o", "out.png")
    assert result.code == 0
    words = [line.split()[0] for line in result.out.splitlines()]
    assert words == ["source", "palette", "fit", "plan", "result"]
    said = result.err.splitlines()
    assert len(said) >= 1
    assert all(line.startswith("note: scene.dat: ") for line in said)
    assert any("wavelength" in line for line in said)
    fit = run("fit", "scene.dat", "-o", "a.npz", "-k", "2")
    assert fit.err == result.err
    assert [line.split()[0] for line in fit.out.splitlines()] == ["fit", "result"]


def test_ground_under_a_mask_of_the_same_place(done: Run, folder: Path) -> None:
    """A mask combines with nodata: both keep a pixel out of the fit, neither moves the ground."""
    geotiff(Path("scene.tif"), under=3)
    mask = np.zeros((16, 18), dtype=np.uint8)
    mask[:8] = 255
    save("mask.png", mask)
    done("color", "scene.tif", "palette.png", "-o", "out.tif", "-k", "2", "--mask", "mask.png",
         *QUICK)  # fmt: skip
    with rasterio.open("scene.tif") as before, rasterio.open("out.tif") as after:
        assert after.transform == before.transform
        np.testing.assert_array_equal(after.dataset_mask() > 0, before.read_masks(1) > 0)
        colours = np.moveaxis(after.read([1, 2, 3]), 0, -1)[8:]
    np.testing.assert_array_equal(colours, np.repeat(colours[:, :, :1], 3, axis=2))


def test_a_plan_of_a_folder_of_bands_is_kept(done: Run, folder: Path) -> None:
    """A cube of one image a band has a provenance too, whichever way it is named."""
    from PIL import Image

    cube = np.load("cube.npy")
    Path("bands").mkdir()
    for band in range(cube.shape[2]):
        values = np.clip(cube[:, :, band] * 50, 0, 255).astype(np.uint8)
        Image.fromarray(values).save(f"bands/b{band}.png")
    done("color", "bands", "palette.png", "-o", "one.npy", "-k", "2", "--save-plan", "p.npz",
         *QUICK)  # fmt: skip
    done("apply", "p.npz", "bands", "-o", "two.npy")
    done("fit", "bands/*.png", "-o", "f.npz", "-k", "2")
    assert Path("one.npy").read_bytes() == Path("two.npy").read_bytes()


def test_a_picture_appears_only_with_its_plan(run: Run, folder: Path) -> None:
    """When the plan cannot be stored there is no picture either."""
    import gwtransfer.coloring as module

    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    kept = module.store.save_plan
    try:
        module.store.save_plan = full  # type: ignore[assignment]
        made = run("color", "photo.png", "palette.png", "-o", "o.png", "-k", "2",
                   "--save-plan", "p.npz")  # fmt: skip
    finally:
        module.store.save_plan = kept
    assert made.code == REFUSED
    assert "No space left" in made.err
    assert not Path("o.png").exists()
    assert not Path("p.npz").exists()


def test_one_option_is_said_once(run: Run, folder: Path) -> None:
    """A flag and --set, or --set twice, for one option are misuse."""
    for given in (("-k", "3", "--set", "fit.components=5"),
                  ("--set", "fit.components=4", "--set", "fit.components=5")):  # fmt: skip
        made = run("fit", "photo.png", "-o", "f.npz", *given)
        assert made.code == MISUSED
        assert "fit.components was given already" in made.err
