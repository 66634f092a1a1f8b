"""What another's stage does wrong at work: one line that names it, exit 1, and nothing is left."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image

from gwtransfer import registry
from gwtransfer.core.raster import Raster, Rows
from gwtransfer.errors import DataError
from gwtransfer.fit.gmm import Gmm
from gwtransfer.map.mean import Mean
from gwtransfer.plan.mw2 import MW2
from gwtransfer.prepare.color import Color
from gwtransfer_cli.app import main

stage = dataclass(frozen=True, kw_only=True)


class Odd(BaseException):
    """No Exception at all."""


def fail(how: str) -> None:
    """Raise what is asked for."""
    if how == "raise":
        raise ValueError("line one\nline two")
    if how == "exit":
        raise SystemExit(0)
    if how == "odd":
        raise Odd("strange")
    if how == "refuse":
        raise DataError("refused in its own words")


@stage
class Load:
    """Read what the file says shall go wrong."""

    @staticmethod
    def claims(path: Path) -> bool:
        """Tell by the first word."""
        return path.read_bytes().startswith(b"ODD ")

    def __call__(self, path: Path) -> Any:
        """Return a picture of 9 × 9, or something else."""
        how = path.read_text().split()[1]
        fail(how)

        def read(start: int, stop: int) -> Any:
            fail(how.removeprefix("late-"))
            values = np.full((stop - start, 9, 3), 0.5)
            return {
                "rows": values,
                "shape": Rows(values=values[:, :-1]),
                "integers": Rows(values=np.full(values.shape, 128)),
                "bytes": Rows(values=values * 255),
                "alpha": Rows(values=values, alpha=np.ones((9, 9, 1))),
            }.get(how, Rows(values=values))

        raster = Raster(
            name=str(path), rows=9, columns=9, bands=3, read=read, kind="picture", dtype="uint8"
        )
        return {
            "nothing": None,
            "kind": replace(raster, kind="image"),  # type: ignore[arg-type]
            "dtype": replace(raster, dtype="pixels"),
        }.get(how, raster)


@stage
class Prepare:
    """Prepare like `color`, or wrongly."""

    how: str = ""

    def __call__(self, item: Any, *, seed: int) -> Any:
        """Return what `color` makes, or something else."""
        fail(self.how)
        ready = Color()(item, seed=seed)
        if self.how == "nan":
            return replace(ready, points=ready.points * np.nan)
        return None if self.how == "nothing" else ready


@stage
class Fit:
    """Fit like `gmm`, or wrongly."""

    components: int = 2

    how: str = ""

    def __call__(self, points: Any, *, seed: int) -> Any:
        """Return what `gmm` makes, or something else."""
        fail(self.how)
        weights, means, covariances = Gmm(components=self.components)(points, seed=seed)
        return {
            "nothing": None,
            "nan": (weights, means * np.nan, covariances),
            "shape": (weights, means[:, :2], covariances),
            "sum": (weights / 2, means, covariances),
            "two": (weights, means),
        }.get(self.how, (weights, means, covariances))


@stage
class Plan:
    """Plan like `mw2`, or wrongly."""

    how: str = ""

    def __call__(self, source: Any, target: Any, *, guide: Any = None) -> Any:
        """Return what `mw2` makes, or something else."""
        fail(self.how)
        plan = MW2()(source, target, guide=guide)
        if self.how == "marginals":
            return replace(plan, coupling=plan.coupling * 0.5)
        return plan.coupling if self.how == "coupling" else plan


@stage
class Map:
    """Map like `mean`, or wrongly."""

    how: str = ""

    def __call__(self, plan: Any, *, candidates: Any = None) -> Any:
        """Return what `mean` makes, or something else."""
        fail(self.how)
        mapping = Mean()(plan)

        def call(points: Any, index: Any = None) -> Any:
            fail(self.how.removeprefix("late-"))
            images = mapping(points, index)
            return {
                "nan": images * np.nan,
                "shape": images[:, :2],
                "few": images[:-1],
                "integers": images.astype(int),
                "list": images.tolist(),
            }.get(self.how, images)

        return None if self.how == "nothing" else call


@stage
class Write:
    """Write what the name's ending says: nothing, half, elsewhere, or no more than it must."""

    extensions: ClassVar[tuple[str, ...]] = (".odd",)

    def check(self, raster: Any) -> None:
        """Accept what does not ask for failure."""
        fail(Path(raster.name).stem.removeprefix("check-"))

    def __call__(self, raster: Any, path: Path) -> None:
        """Write four bytes, or fewer."""
        how = Path(raster.name).stem
        if how == "nothing":
            return
        path.write_bytes(b"half")
        if how == "away":
            path.unlink()
        fail(how.removeprefix("late-"))
        if how == "disk":
            raise OSError(28, "No space left on device")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with two pictures, where the stages of this file are installed."""
    known = registry.stages()
    added = tuple(
        registry.Stage(
            kind=kind,
            name="odd",
            package="strange",
            version="6.1",
            entry=EntryPoint("odd", f"{__name__}:{kind.capitalize()}", f"gwtransfer.{kind}"),
        )
        for kind in registry.KINDS
    )
    monkeypatch.setattr(registry, "_discover", lambda: (*known, *added))
    rng = np.random.default_rng(0)
    for name in ("photo.png", "palette.png"):
        pixels = rng.integers(0, 256, (9, 9, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


Refused = Callable[..., str]


@pytest.fixture
def refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Run a command that must exit with 1 and one line, and leave the folder as it was."""

    def run(*arguments: str) -> str:
        before = sorted(folder.iterdir())
        capsys.readouterr()
        assert main(list(arguments)) == 1
        out, err = capsys.readouterr()
        assert sorted(folder.iterdir()) == before
        assert out == ""
        (line,) = err.splitlines()
        assert line.startswith("gwtransfer: ")
        return line.removeprefix("gwtransfer: ")

    return run


COLOR = ("color", "photo.png", "photo.png", "-o", "out.png", "-k", "2")


@pytest.mark.parametrize(
    ("kind", "how", "words"),
    [
        ("prepare", "raise", "photo.png: {} failed: ValueError: line one; report it to"),
        ("prepare", "exit", "photo.png: {} failed: SystemExit: 0; report it to those who make"),
        ("prepare", "nan", "photo.png: {} failed: prepared points: a value is not finite"),
        ("prepare", "nothing", "photo.png: {}: expected a Prepared, found None"),
        ("fit", "raise", "photo.png: {} failed: ValueError: line one"),
        ("fit", "odd", "photo.png: {} failed: Odd: strange"),
        ("fit", "nothing", "photo.png: {} failed: TypeError: cannot unpack"),
        ("fit", "two", "photo.png: {} failed: ValueError: not enough values to unpack"),
        ("fit", "nan", "photo.png: {} failed: mixture means: a value is not finite"),
        ("fit", "shape", "photo.png: {} failed: expected means of (2, 3), got (2, 2)"),
        ("fit", "sum", "photo.png: {} failed: expected weights above 1e-08 that sum to 1, got a"),
        ("fit", "refuse", "photo.png: refused in its own words"),
        ("plan", "raise", "{} failed: ValueError: line one"),
        ("plan", "marginals", "{} failed: the coupling misses the source weights by"),
        ("plan", "coupling", "{}: expected a TransportPlan, found a ndarray"),
        ("plan", "refuse", "refused in its own words"),
        ("map", "raise", "{} failed: ValueError: line one"),
        ("map", "late-raise", "{} failed: ValueError: line one"),
        ("map", "late-exit", "{} failed: SystemExit: 0"),
        ("map", "late-odd", "{} failed: Odd: strange"),
        ("map", "nothing", "{}: expected a map that can be called, found None"),
        ("map", "nan", "{}: expected finite images, found NaN or infinite ones"),
        ("map", "shape", "{}: expected images of (81, 3), found (81, 2)"),
        ("map", "few", "{}: expected images of (81, 3), found (80, 3)"),
        ("map", "integers", "{}: expected images as an array of floats, found int64"),
        ("map", "list", "{}: expected images as an array of floats, found a list"),
    ],
)
def test_a_stage_that_fails_at_work_is_named(
    refused: Refused, kind: str, how: str, words: str
) -> None:
    """Stage, package and version, expected and found; a refusal in our words passes as it is."""
    line = refused(*COLOR, "--set", f"{kind}=odd", "--set", f"{kind}.how={how}")
    assert line.startswith(words.format(f"{kind} stage odd of strange 6.1"))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("raise", "{} failed: ValueError: line one"),
        ("exit", "{} failed: SystemExit: 0"),
        ("late-raise", "{} failed: ValueError: line one"),
        ("late-odd", "{} failed: Odd: strange"),
        ("nothing", "{}: expected a Raster or a Cloud, found None"),
        ("kind", "{}: expected the kind picture or cube, found 'image'"),
        ("dtype", "{} failed: TypeError: data type 'pixels' not understood"),
        ("rows", "{}: expected Rows, found a ndarray"),
        ("shape", "{}: expected values of (9, 9, 3), found (9, 8, 3)"),
        ("integers", "{}: expected values as an array of floats, found int64"),
        ("bytes", "{}: expected a picture's values in [0, 1], found 127.5"),
        ("alpha", "{}: expected alpha of (9, 9), found (9, 9, 1)"),
    ],
)
def test_a_loader_that_fails_is_named(refused: Refused, how: str, words: str) -> None:
    """Also where it fails as late as its rows are read."""
    Path("in.file").write_text(f"ODD {how}")
    line = refused("color", "in.file", "palette.png", "-o", "out.png", "-k", "2")
    assert line.startswith("in.file: " + words.format("load stage odd of strange 6.1"))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("check-raise", "check-raise.png: {} failed: ValueError: line one"),
        ("nothing", "out.odd: {}: expected a file written to the path it is given, found nothing"),
        ("away", "out.odd: {}: expected a file written to the path it is given, found nothing"),
        ("late-raise", "out.odd: {} failed: ValueError: line one"),
        ("late-exit", "out.odd: {} failed: SystemExit: 0"),
        ("disk", "out.odd: cannot be written: No space left on device"),
    ],
)
def test_a_writer_that_fails_leaves_nothing(refused: Refused, how: str, words: str) -> None:
    """Half a file, or none, never appears under the output's name, nor under another."""
    Path("photo.png").rename(f"{how}.png")
    line = refused("color", f"{how}.png", "palette.png", "-o", "out.odd", "-k", "2")
    assert line.startswith(words.format("write stage odd of strange 6.1"))


def test_stages_that_do_no_wrong_change_nothing(folder: Path) -> None:
    """Each of ours called through another's gives the bytes that ours give."""
    Path("in.file").write_text("ODD well")
    through = [
        text for kind in ("prepare", "fit", "plan", "map") for text in ("--set", f"{kind}=odd")
    ]
    assert main([*COLOR]) == 0
    assert main(["color", "photo.png", "photo.png", "-o", "through.png", *through]) == 0
    assert Path("through.png").read_bytes() == Path("out.png").read_bytes()
    assert main(["color", "photo.png", "in.file", "-o", "out.odd", "-k", "1"]) == 0
    assert Path("out.odd").read_bytes() == b"half"
