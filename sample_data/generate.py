"""Write the sample data: a small hyperspectral landscape, two pictures, and six meshes."""

import sys
from pathlib import Path

import bodies
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SEED = 1781
ROWS, COLUMNS = 112, 160
WAVELENGTHS = np.arange(400.0, 701.0, 20.0)
"""Centres of the 16 bands, nm."""

WHITE = 10_000
"""Stored value of a reflectance of 1."""

FINE = 3
"""Each pixel is the mean of FINE × FINE painted ones, so that edges are mixtures of materials."""

HORIZON, SHORE = 0.44, 0.60
"""Heights of the far and the near shore of the lake; 0 is the top of the picture, 1 the bottom."""

WINDOWS = (
    (1.105, 0.503, 0.020, 0.026),
    (1.165, 0.503, 0.020, 0.026),
    (1.137, 0.525, 0.022, 0.045),
    (1.232, 0.503, 0.016, 0.026),
)
"""Windows and door of the house: left edge, upper edge, width, height, in picture heights."""


def bump(centre: float, width: float) -> Array:
    """Return a bell over the wavelengths, (16,)."""
    return np.asarray(np.exp(-0.5 * ((WAVELENGTHS - centre) / width) ** 2))


def step(edge: float, width: float) -> Array:
    """Return a smooth rise from 0 to 1 over the wavelengths, (16,)."""
    return np.asarray(1 / (1 + np.exp(-(WAVELENGTHS - edge) / width)))


def leaf(green: float, red_edge: float) -> Array:
    """Return a leaf: the green peak between two chlorophyll bands, and the foot of the red edge."""
    return 0.04 + green * bump(552, 32) + 0.35 * green * bump(610, 35) + red_edge * step(698, 7)


MATERIALS = {
    "zenith": 0.04 + 0.72 * (WAVELENGTHS / 400) ** -3.6,
    "haze": 0.22 + 0.68 * (WAVELENGTHS / 400) ** -1.3,
    "cloud": np.full(16, 0.97),
    "snow": 0.95 - 0.06 * step(640, 40),
    "rock": 0.16 + 0.16 * step(540, 70),
    "forest": leaf(0.075, 0.12),
    "crown": leaf(0.15, 0.25),
    "grass": leaf(0.27, 0.32) + 0.05 * step(560, 30),
    "straw": 0.09 + 0.42 * step(530, 32),
    "water": 0.02 + 0.26 * bump(475, 48),
    "sand": 0.18 + 0.42 * step(535, 45),
    "wall": 0.86 - 0.14 * (1 - step(430, 18)),
    "tiles": 0.05 + 0.55 * step(592, 13),
    "wood": 0.07 + 0.16 * step(600, 40),
    "poppy": 0.03 + 0.80 * step(600, 9),
    "buttercup": 0.03 + 0.82 * step(520, 11),
    "cornflower": 0.05 + 0.55 * bump(440, 34) + 0.30 * step(672, 14),
}
"""Reflectance (16,) of each material; sky and haze count as reflectors as bright as they look."""


class Scene:
    """A landscape painted from back to front.

    Attributes
    ----------
    x, y : (rows, columns) arrays
        Place of each painted pixel, in picture heights from the upper left corner.
    spectra : (rows, columns, 16) array
        What has been painted so far.
    """

    def __init__(self) -> None:
        # The stream of RandomState is frozen for good; that of Generator may change with numpy.
        self.random = np.random.RandomState(SEED)
        rows, columns = FINE * ROWS, FINE * COLUMNS
        self.y, self.x = np.mgrid[0.5:rows, 0.5:columns] / rows
        self.spectra = np.zeros((rows, columns, 16))

    def clouds(self, x: Array, y: Array, octaves: int = 5) -> Array:
        """Return fractal noise at places in units of its coarsest cell; mean 0, deviation 1."""
        total = np.zeros(np.broadcast_shapes(x.shape, y.shape))
        for octave in range(octaves):
            lattice = self.random.standard_normal((64, 64))
            u, v = x * 2.0**octave, y * 2.0**octave
            i, j = np.floor(v).astype(int), np.floor(u).astype(int)
            s, t = v - i, u - j
            s, t = s * s * (3 - 2 * s), t * t * (3 - 2 * t)
            top = lattice[i % 64, j % 64] * (1 - t) + lattice[i % 64, (j + 1) % 64] * t
            low = lattice[(i + 1) % 64, j % 64] * (1 - t) + lattice[(i + 1) % 64, (j + 1) % 64] * t
            total += 0.5**octave * (top * (1 - s) + low * s)
        return np.asarray((total - total.mean()) / total.std())

    def paint(self, where: Array | NDArray[np.bool_], material: str, light: Array | float) -> None:
        """Cover a share ``where`` in [0, 1] of each pixel with a material lit by ``light``."""
        share = np.asarray(where, dtype=np.float64)[..., None]
        lit = np.asarray(light, dtype=np.float64)[..., None] * MATERIALS[material]
        self.spectra += share * (lit - self.spectra)

    def ridge(self, height: float, relief: float, width: float, octaves: int) -> Array:
        """Return the height of a skyline at each column, (1, columns)."""
        columns = self.x[:1]
        return height - relief * self.clouds(columns / width, np.zeros_like(columns), octaves)

    def sky(self) -> None:
        """Paint the blue, paler towards the horizon, and fair-weather clouds."""
        everywhere = np.ones_like(self.x)
        self.paint(everywhere, "zenith", 0.95)
        self.paint(np.clip(self.y / HORIZON, 0, 1) ** 1.6 * 0.9, "haze", 0.95)
        puff = self.clouds(self.x / 0.42 + 3, self.y / 0.16, 6)
        light = 0.93 + 0.05 * self.clouds(self.x / 0.3, self.y / 0.1, 4)
        self.paint(
            np.clip(puff - 0.25, 0, 1) ** 0.8 * (1 - self.y / HORIZON * 0.5).clip(0, 1),
            "cloud",
            light,
        )

    def mountains(self) -> None:
        """Paint a snowy range behind haze, then a nearer wooded one."""
        skyline = self.ridge(0.25, 0.055, 0.50, 6)
        inside = (self.y > skyline) & (self.y < HORIZON)
        folds = self.clouds(self.x / 0.09 + self.y / 0.2, self.y / 0.20 - self.x / 0.5, 5)
        light = 0.85 + 0.30 * np.clip(folds, -1.5, 1.5)
        self.paint(inside, "rock", light)
        depth = self.y - skyline
        snow = np.clip((0.055 - depth + 0.03 * folds) / 0.02, 0, 1)
        self.paint(inside * snow, "snow", 0.80 + 0.14 * np.clip(folds, -1.5, 1.2))
        self.paint(inside * (0.25 + 0.4 * (self.y / HORIZON) ** 3), "haze", 0.8)
        skyline = self.ridge(0.385, 0.020, 0.35, 6)
        inside = (self.y > skyline) & (self.y < HORIZON)
        tops = self.clouds(self.x / 0.025, self.y / 0.05, 3)
        self.paint(inside, "forest", 1.0 + 0.28 * np.clip(tops, -2, 2))
        self.paint(inside * 0.22, "haze", 0.7)

    def lake(self) -> None:
        """Mirror what is above the far shore, dimmed and rippled, over the whole lower part."""
        rows = len(self.y)
        far = int(HORIZON * rows)
        depth = np.arange(rows - far)[:, None]
        shift = 1.2 * self.clouds(self.x[far:] / 0.20, self.y[far:] / 0.012, 3)
        shift = shift * (depth / (rows - far)) ** 0.5 * FINE
        above = np.clip(far - 1 - depth * 1.15 + shift, 0, far - 1).astype(int)
        mirrored = self.spectra[above, np.arange(self.x.shape[1])]
        ripples = 0.72 + 0.05 * self.clouds(self.x[far:] / 0.15, self.y[far:] / 0.008, 3)
        self.spectra[far:] = ripples[..., None] * mirrored * 0.85 + 0.35 * MATERIALS["water"]
        self.paint(np.exp(-(((self.y - HORIZON) / 0.004) ** 2)) * 0.8, "grass", 0.9)

    def near(self) -> Array:
        """Return how near the ground is, from 0 at the horizon to 1 at the lower edge."""
        return np.asarray(np.clip((self.y - HORIZON) / (1 - HORIZON), 0.02, 1))

    def meadow(self) -> NDArray[np.bool_]:
        """Paint the grass with sunny and dry places; return where it lies."""
        shore = (
            SHORE
            - 0.10 * (self.x[:1] - 0.25) ** 2
            + 0.008 * self.clouds(self.x[:1] / 0.15, np.zeros_like(self.x[:1]), 4)
        )
        bank = 0.5 * np.clip((self.x[:1] - 0.85) / 0.35, 0, 1) ** 2
        shore = np.maximum(shore - 0.33 * bank, HORIZON + 0.004)
        ground = self.y > shore
        near = self.near()
        broad = self.clouds(self.x / near / 0.9, 1.6 / near, 4)
        blades = self.clouds(self.x / near / 0.05, 18 / near, 3)
        self.paint(ground & (self.y < shore + 0.012), "sand", 0.9)
        lawn = self.y > shore + 0.008
        light = 0.92 + 0.14 * np.clip(broad, -2, 2) + 0.13 * np.clip(blades, -2, 2)
        self.paint(lawn, "grass", light)
        self.paint(lawn * np.clip(broad - 0.2, 0, 1) * 0.45, "straw", light)
        self.paint(lawn * np.clip(-blades - 0.9, 0, 1) * 0.6, "forest", 0.9)
        return np.asarray(lawn, dtype=np.bool_)

    def middle(self, near: Array | np.float64) -> Array:
        """Return where the path lies at a nearness."""
        return np.asarray(1.172 - 0.55 * near**1.5 + 0.30 * np.sin(7.0 * (near - 0.22)) * near)

    def path(self) -> None:
        """Paint the sandy path that winds from the lower edge to the door."""
        near = self.near()
        middle = self.middle(near)
        edge = 0.008 * self.clouds(self.x / 0.04, self.y / 0.03, 3) * near
        wide = 0.012 + 0.085 * near**1.4
        share = np.clip((wide - np.abs(self.x - middle) + edge) / 0.012, 0, 1)
        grit = self.clouds(self.x / near / 0.05, 20 / near, 3)
        self.paint(share * (self.y > 0.565), "sand", 0.95 + 0.07 * grit)

    def flowers(self, lawn: NDArray[np.bool_]) -> None:
        """Strew drifts of poppies, buttercups and cornflowers, larger towards the viewer."""
        kinds = ("buttercup", "poppy", "cornflower")
        drifts = [self.clouds(self.x / self.near() / 0.6, 2.2 / self.near(), 3) for _ in kinds]
        for _ in range(1900):
            near = np.float64(self.random.uniform(0.28, 1.02) ** 0.8)
            y, x = HORIZON + (1 - HORIZON) * near, self.random.uniform(0, COLUMNS / ROWS)
            kind, luck = self.random.randint(3), self.random.uniform(-0.4, 1.2)
            light, size = (
                self.random.uniform(0.75, 1.05),
                0.0085 * near * self.random.uniform(0.7, 1.3),
            )
            i, j = min(int(y * len(self.y)), len(self.y) - 1), int(x * len(self.y))
            on_path = abs(x - float(self.middle(near))) < 0.05 + 0.10 * near**1.4
            if not lawn[i, j] or drifts[kind][i, j] < luck or on_path:
                continue
            away = np.hypot(self.x - x, (self.y - y) * 1.3)
            self.paint(np.clip((size - away) / 0.003, 0, 1), kinds[kind], light)

    def house(self) -> None:
        """Paint a white house with a tiled roof at the end of the path."""
        left, right, top, foot = 1.075, 1.265, 0.475, 0.570
        dark = np.clip((foot + 0.016 - self.y) / 0.014, 0, 1) * (self.y > foot - 0.004)
        self.paint(dark * (self.x > left) * (self.x < right + 0.07) * 0.6, "forest", 0.6)
        body = (self.y > top) & (self.y < foot) & (self.x > left) & (self.x < right)
        self.paint(body, "wall", 0.98 - 0.35 * (self.x > right - 0.055))
        for x, y, wide, high in WINDOWS:
            hole = (self.x > x) & (self.x < x + wide) & (self.y > y) & (self.y < y + high)
            self.paint(hole, "wood", 0.8)
        slope = (self.y - 0.405) / (top + 0.008 - 0.405)
        roof = (slope > 0) & (slope < 1)
        roof &= (self.x > left + 0.025 - 0.038 * slope) & (self.x < right - 0.025 + 0.038 * slope)
        courses = 0.94 + 0.06 * np.sin(self.y * 2 * np.pi / 0.013)
        self.paint(roof, "tiles", courses * (1 - 0.30 * (self.x > right - 0.060 + 0.02 * slope)))
        chimney = (np.abs(self.x - 1.205) < 0.010) & (self.y > 0.380) & (self.y < 0.425)
        self.paint(chimney, "tiles", 0.8)

    def tree(self, x: float, foot: float, high: float, light: float) -> None:
        """Paint a broad tree lit from the upper left, with its shadow on the grass."""
        shadow = np.hypot((self.x - x - 0.25 * high) / 0.55, (self.y - foot) / 0.085) / high
        self.paint(np.clip((1 - shadow) / 0.3, 0, 1) * 0.65, "forest", 0.75)
        trunk = np.abs(self.x - x) < high * (0.030 + 0.04 * np.clip(self.y - foot + 0.05, 0, 1))
        self.paint(trunk & (self.y < foot) & (self.y > foot - 0.5 * high), "wood", 0.8 * light)
        leaves = self.clouds(self.x / high / 0.14, self.y / high / 0.14, 4)
        for ball in range(34):
            angle, reach = 2.4 * ball + self.random.uniform(0, 0.6), ((ball + 0.5) / 34) ** 0.5
            across, up = 0.30 * reach * np.cos(angle), 0.58 + 0.28 * reach * np.sin(angle)
            u, v = (self.x - x) / high - across, (foot - self.y) / high - up
            share = np.clip((0.105 + 0.03 * leaves - np.hypot(u, v)) / 0.02, 0, 1)
            side = 0.80 + 2.6 * (v - u) + 1.1 * (up - 0.58) - 0.8 * across + 0.22 * leaves
            self.paint(share, "crown", light * np.clip(side, 0.45, 1.6))

    def picture(self) -> Array:
        """Paint all and return (112, 160, 16) reflectances without noise."""
        self.sky()
        self.mountains()
        self.lake()
        lawn = self.meadow()
        self.path()
        self.flowers(lawn)
        for x, foot, high in ((0.985, 0.553, 0.15), (1.325, 0.575, 0.22), (1.40, 0.600, 0.26)):
            self.tree(x, foot, high, 0.95)
        self.house()
        self.tree(0.215, 0.79, 0.58, 1.05)
        fine = self.spectra.reshape(ROWS, FINE, COLUMNS, FINE, 16)
        return np.asarray(fine.mean(axis=(1, 3)))


def meadow() -> NDArray[np.uint16]:
    """Return the cube (112, 160, 16): the scene with sensor noise, 10 000 = reflectance 1."""
    scene = Scene()
    clean = scene.picture().clip(0, 1.2)
    deviation = 0.003 + 0.012 * np.sqrt(clean)
    noisy = clean + deviation * scene.random.standard_normal(clean.shape)
    return np.asarray(np.rint(noisy * WHITE).clip(0, 65_535), dtype=np.uint16)


def photograph(name: str) -> NDArray[np.uint8]:
    """Return a photograph that scikit-learn ships, (142, 213, 3), each pixel the mean of 3 × 3."""
    from sklearn.datasets import load_sample_image

    full = load_sample_image(name).astype(np.uint32)
    rows, columns = full.shape[0] // 3, full.shape[1] // 3
    sums = full[: rows * 3, : columns * 3].reshape(rows, 3, columns, 3, 3).sum(axis=(1, 3))
    return np.asarray((sums + 4) // 9, dtype=np.uint8)


def main(folder: Path) -> None:
    """Write ``meadow.npy``, ``palette.png``, ``flower.png`` and ``shapes/`` into a folder."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "meadow.npy", meadow(), allow_pickle=False)
    for file, name in (("palette.png", "china.jpg"), ("flower.png", "flower.jpg")):
        Image.fromarray(photograph(name)).save(folder / file, optimize=True)
    meshes = bodies.write(folder / "shapes")
    print(f"wrote meadow.npy, palette.png, flower.png and {len(meshes)} shapes into {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
