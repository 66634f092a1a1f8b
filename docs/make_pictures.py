"""Make the pictures of the documentation from the sample data: ``python docs/make_pictures.py``.

They are kept in the repository; run this again after a change of what they show.
"""

import sys
import tempfile
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from numpy.typing import NDArray
from PIL import Image

from gwtransfer.adapters import curves
from gwtransfer.core.colorspace import from_coordinates, to_coordinates
from gwtransfer.core.types import GaussianMixture, TransportPlan
from gwtransfer.io import store
from gwtransfer.io.shapes.mesh import MeshLoader
from gwtransfer.study import pushforward as study
from gwtransfer_cli.app import main as program

Array = NDArray[np.float64]

SAMPLES = Path(__file__).parents[1] / "sample_data"
PICTURES = Path(__file__).parent / "pictures"
SHOWN = 1500
"""Pixels drawn in a scatter plot."""

QUALITY = 82
"""Of WebP, where a picture is not drawn but computed."""


def run(*arguments: object) -> None:
    """Run the program, and stop when it refuses."""
    with redirect_stdout(StringIO()):
        code = program([str(argument) for argument in arguments])
    if code:
        sys.exit(f"gwtransfer {arguments[0]} ended with {code}")


def keep(picture: Image.Image, name: str, times: int = 2) -> None:
    """Write a picture enlarged by whole pixels, so that single ones can be seen."""
    size = (picture.width * times, picture.height * times)
    picture.convert("RGB").resize(size, Image.Resampling.NEAREST).save(
        PICTURES / f"{name}.webp", quality=QUALITY, method=6
    )


def draw(figure: plt.Figure, name: str) -> None:
    """Write a drawing on white, which either scheme of the site can show."""
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder) / "drawn.png"
        figure.savefig(drawn, dpi=110, bbox_inches="tight")
        with Image.open(drawn) as picture:
            picture.convert("RGB").save(PICTURES / f"{name}.webp", quality=QUALITY, method=6)
    plt.close(figure)


def beside(*pictures: Image.Image, gap: int = 4) -> Image.Image:
    """Return pictures of one size side by side."""
    width, height = pictures[0].size
    row = Image.new("RGB", (len(pictures) * (width + gap) - gap, height), "white")
    for place, picture in enumerate(pictures):
        row.paste(picture.convert("RGB"), (place * (width + gap), 0))
    return row


def colors(mixture: GaussianMixture) -> Array:
    """Return the sRGB colours (L, 3) of the means of a picture's mixture."""
    space = mixture.space
    raw = space.origin + mixture.means @ space.axes.T * space.unit
    return np.clip(from_coordinates(raw, space.coordinates), 0, 1)


def bright(mixture: GaussianMixture) -> NDArray[np.intp]:
    """Return the components from dark to bright."""
    return np.argsort(mixture.means @ mixture.guide)


def working(raw: Array, mixture: GaussianMixture) -> Array:
    """Return raw coordinates (n, d) as working ones (n, p)."""
    space = mixture.space
    return np.asarray((raw - space.origin) @ space.axes / space.unit)


def ellipses(axes: Axes, mixture: GaussianMixture, two: tuple[int, int]) -> None:
    """Draw each component as the ellipse of two standard deviations on two axes."""
    pick = list(two)
    for mean, covariance in zip(mixture.means, mixture.covariances, strict=True):
        values, vectors = np.linalg.eigh(covariance[np.ix_(pick, pick)])
        wide, high = 4 * np.sqrt(values.clip(0))
        turn = np.degrees(np.arctan2(vectors[1, 0], vectors[0, 0]))
        axes.add_patch(
            Ellipse(mean[pick], wide, high, angle=turn, fill=False, edgecolor="black", lw=1.1)
        )


def mixtures(plan: TransportPlan, cube: Array, palette: Array) -> None:
    """Draw the pixels of either side and the ellipses fitted to them."""
    rng = np.random.default_rng(0)
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.7))
    drawn = rng.choice(len(cube), SHOWN, replace=False)
    light = cube[drawn].mean(axis=1)
    spectra = working(cube[drawn], plan.source)
    left.scatter(*spectra[:, :2].T, c=light, cmap="gray", s=6, lw=0)
    left.set_facecolor("#dce6f2")
    ellipses(left, plan.source, (0, 1))
    left.set(title="16 bands: spectra", xlabel="first main axis", ylabel="second main axis")
    drawn = rng.choice(len(palette), SHOWN, replace=False)
    lab = working(to_coordinates(palette[drawn], plan.target.space.coordinates), plan.target)
    right.scatter(lab[:, 1], lab[:, 0], c=palette[drawn], s=6, lw=0)
    ellipses(right, plan.target, (1, 0))
    right.set_facecolor("#dce6f2")
    right.set(title="3 bands: colours", xlabel="green to red", ylabel="dark to bright")
    for axes in (left, right):
        axes.set(xticks=[], yticks=[], aspect="equal")
    draw(figure, "mixtures")


def coupling(plan: TransportPlan) -> None:
    """Draw how much of each component of the source goes to each of the target."""
    rows, columns = bright(plan.source)[::-1], bright(plan.target)
    shade = np.linspace(0.95, 0.05, len(rows))
    figure, axes = plt.subplots(figsize=(5.6, 4.6))
    axes.imshow(plan.coupling[np.ix_(rows, columns)], cmap="Blues")
    strip = {"clip_on": False, "lw": 0}
    for place, level in enumerate(shade):
        axes.add_patch(plt.Rectangle((-1.6, place - 0.5), 0.9, 1, color=str(level), **strip))
    for place, color in enumerate(colors(plan.target)[columns]):
        axes.add_patch(plt.Rectangle((place - 0.5, len(rows) - 0.2), 1, 0.9, color=color, **strip))
    axes.set(xticks=[], yticks=[])
    axes.set_ylabel("groups of spectra, bright above", labelpad=26)
    axes.set_xlabel("groups of colours, bright to the right", labelpad=22)
    draw(figure, "coupling")


def outlined(axes: Axes, vertices: Array, faces: NDArray[np.int64], paint: Array | str) -> None:
    """Draw a mesh, lit from the upper left; ``paint`` is one colour or one a vertex, (n, 3)."""
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    light = 0.55 + 0.45 * (normals @ np.array([-0.4, -0.6, 0.7])).clip(-0.6, 1)
    base = np.asarray(mpl.colors.to_rgb(paint)) if isinstance(paint, str) else paint[faces].mean(1)
    lit = (base * light[:, None]).clip(0, 1)
    axes.add_collection3d(Poly3DCollection(corners, facecolors=lit, edgecolors=lit, lw=0.5))
    low, high = vertices.min(0), vertices.max(0)
    middle, reach = (low + high) / 2, (high - low).max() / 1.8
    axes.set(
        xlim=(middle[0] - reach, middle[0] + reach),
        ylim=(middle[1] - reach, middle[1] + reach),
        zlim=(middle[2] - reach, middle[2] + reach),
    )
    axes.set_box_aspect((1, 1, 1), zoom=1.5)
    axes.view_init(elev=35, azim=-70)
    axes.set_axis_off()


def shapes() -> None:
    """Draw the six sample shapes."""
    paths = sorted((SAMPLES / "shapes").glob("*/*.off"))
    figure = plt.figure(figsize=(9, 2.1))
    for place, path in enumerate(paths):
        axes = figure.add_subplot(1, len(paths), place + 1, projection="3d")
        cloud = MeshLoader()(path)
        outlined(axes, cloud.vertices, cloud.faces, "#7c9fd6")
        axes.set_title(path.stem, fontsize=9, y=0.93)
    draw(figure, "shapes")


def matched(folder: Path) -> None:
    """Match both starfishes and draw them as the coloured files show them."""
    both = [SAMPLES / "shapes" / "starfish" / f"starfish-{pose}.off" for pose in (1, 2)]
    run("match", *both, "-o", folder / "match")
    figure = plt.figure(figsize=(6.4, 3.2))
    for place, name in enumerate(("source", "target")):
        axes = figure.add_subplot(1, 2, place + 1, projection="3d")
        cloud = MeshLoader()(folder / "match" / f"{name}.ply")
        outlined(axes, cloud.vertices, cloud.faces, painted(folder / "match" / f"{name}.ply"))
    draw(figure, "match")


def painted(path: Path) -> Array:
    """Return the colours (n, 3) of the vertices of a coloured mesh."""
    import trimesh

    mesh = trimesh.load(path, process=False)
    return np.asarray(mesh.visual.vertex_colors[:, :3] / 255.0)


def proportions(folder: Path, temple: Path, flower: Path) -> None:
    """Colour the flower from a strip of sky, with hard marginals and with softer ones."""
    sky = folder / "sky.png"
    with Image.open(temple) as picture:
        picture.crop((0, 0, picture.width, 42)).save(sky)
    keep(Image.open(sky), "sky")
    results = []
    for penalty in (None, 1, 0.1):
        soft = [] if penalty is None else ["--marginals", "soft", "--penalty", penalty]
        run("color", flower, sky, "-o", folder / f"proportions-{penalty}.png", *soft)
        results.append(Image.open(folder / f"proportions-{penalty}.png"))
    keep(beside(*results), "proportions")


def pushforward(folder: Path) -> None:
    """Draw what the best maps of bounded slope make of one heap, and what any map must leave."""
    found = study.found(modes=(1.0, 2.0, 3.0, 4.0, 6.0), constants=(1.0, 2.0, 3.0, 5.0, 10.0, 20.0))
    panels = (found.figures["bounds"].panels[0], found.figures["plot"].panels[0])
    curves.draw(curves.Figure(panels=panels), folder / "pushforward.png")
    with Image.open(folder / "pushforward.png") as picture:
        picture.convert("RGB").save(PICTURES / "pushforward.webp", quality=QUALITY, method=6)


def main() -> None:
    """Make them all."""
    mpl.use("agg")
    PICTURES.mkdir(exist_ok=True)
    meadow, flower, temple = (
        SAMPLES / name for name in ("meadow.npy", "flower.png", "palette.png")
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def made(file: str, palette: Path, *options: object) -> Image.Image:
            run("color", meadow, palette, "-o", folder / file, *options)
            with Image.open(folder / file) as picture:
                return picture.convert("RGB")

        kept = folder / "look.npz"
        mean = made("mean.png", flower, "--save-plan", kept)
        keep(mean, "meadow")
        keep(Image.open(flower), "flower")
        part = (60, 25, 150, 85)
        maps = [mean, *(made(f"{m}.png", flower, "--map", m) for m in ("rand", "nearest"))]
        keep(beside(*(picture.crop(part) for picture in maps)), "maps", times=3)
        negative = made("negative.png", temple, "--anchor", 0)
        anchored = made("anchored.png", temple)
        keep(beside(negative, anchored), "anchor")
        rough = made("rough.png", temple, "--smooth", 0)
        keep(rough, "temple-meadow")
        keep(beside(rough, anchored), "cleaned")
        cube = np.load(meadow, allow_pickle=False)
        bands = Image.fromarray(np.clip(cube[..., [11, 7, 3]] / 10_000 * 255, 0, 255).astype("u1"))
        keep(bands, "bands")
        plan, _ = store.load_artefact(kept)
        pixels = np.asarray(Image.open(flower), dtype=np.float64).reshape(-1, 3) / 255
        mixtures(plan, cube.reshape(-1, cube.shape[2]).astype(np.float64), pixels)
        coupling(plan)
        matched(folder)
        proportions(folder, temple, flower)
        pushforward(folder)
    shapes()


if __name__ == "__main__":
    main()
