"""`color` is `fit` + `fit` + `plan` + `apply`, byte for byte, and the same every time."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from gwtransfer.jobs import load_plan

from .conftest import QUICK, Run


@dataclass(frozen=True, kw_only=True)
class Job:
    """One transfer, with each option at the step that owns it."""

    source: str
    palette: str
    output: str
    fit: tuple[str, ...] = ("-k", "3")
    plan: tuple[str, ...] = QUICK
    apply: tuple[str, ...] = ()
    needs_palette: bool = field(default=False)


MW2 = {"source": "photo.png", "palette": "palette.png", "output": "out.png", "plan": ()}
CUBE = {"source": "cube.npy", "palette": "palette.png", "output": "out.png"}
BACK = {"source": "photo.png", "palette": "cube.npy"}

JOBS = {
    "cube to RGB": Job(**CUBE),
    "cube to JPEG": Job(**(CUBE | {"output": "out.jpg"})),
    "cube with holes": Job(**(CUBE | {"source": "holes.npy"})),
    "RGB to RGB": Job(**MW2),
    "RGB to RGB anchored": Job(**(MW2 | {"plan": ("--anchor", "0.5")})),
    "RGBA to RGB": Job(**(MW2 | {"source": "rgba.png"})),
    "gray to RGB": Job(source="gray.png", palette="palette.png", output="out.tif"),
    "RGB to gray": Job(source="photo.png", palette="gray.png", output="out.png"),
    "gray to gray": Job(source="gray.png", palette="gray.png", output="out.png", plan=()),
    "RGB to cube, npy": Job(**BACK, output="out.npy"),
    "RGB to cube, tif": Job(**BACK, output="out.tif"),
    "cube to cube": Job(source="cube.npy", palette="holes.npy", output="out.npy"),
    "rand": Job(**CUBE, apply=("--map", "rand")),
    "rand upwards": Job(**BACK, output="out.npy", apply=("--map", "rand")),
    "nearest": Job(**CUBE, apply=("--map", "nearest"), needs_palette=True),
    "nearest upwards": Job(
        **BACK, output="out.npy", apply=("--map", "nearest"), needs_palette=True
    ),
    "gain cap": Job(**CUBE, apply=("--gain-cap", "0.5")),
    "no gain cap": Job(**CUBE, apply=("--gain-cap", "none")),
    "strength": Job(**CUBE, apply=("--strength", "0.4")),
    "strength in RGB": Job(**MW2, apply=("--strength", "0.4")),
    "noise off": Job(**CUBE, fit=("-k", "3", "--no-noise")),
    "every band": Job(**CUBE, fit=("-k", "3", "--variance", "1")),
    "few axes": Job(**CUBE, fit=("-k", "3", "--variance", "0.8", "--sample", "100")),
    "seed": Job(**CUBE, fit=("-k", "3", "--seed", "5"), apply=("--map", "rand")),
    "seed and nearest": Job(
        **CUBE, fit=("-k", "3", "--seed", "5"), apply=("--map", "nearest"), needs_palette=True
    ),
    "mgw2": Job(**CUBE, plan=("--solver", "mgw2", "--anchor", "0", *QUICK)),
    "anchor": Job(**CUBE, plan=("--anchor", "3", *QUICK)),
    "soft marginals": Job(**CUBE, plan=("--marginals", "soft", "--penalty", "0.3", *QUICK)),
    "soft marginals of one space": Job(**(MW2 | {"plan": ("--marginals", "soft")})),
    "few starts": Job(**CUBE, plan=("--starts", "few")),
    "few starts of an exact plan": Job(**(MW2 | {"plan": ("--starts", "few")})),
    "settings": Job(
        **CUBE,
        fit=(
            "--set",
            "fit.components=4",
            "--set",
            "fit.floor=0.01",
            "--set",
            "prepare.variance=0.9",
        ),
        plan=("--set", "plan=mew2", "--set", "plan.signs=2", *QUICK),
        apply=("--set", "map=rand", "--set", "map.gain_cap=2"),
    ),
}


@pytest.mark.parametrize("name", list(JOBS))
def test_color_is_its_four_steps(done: Run, folder: Path, name: str) -> None:
    """The same bytes, whichever way."""
    job = JOBS[name]
    done("color", job.source, job.palette, "-o", job.output, *job.fit, *job.plan, *job.apply)
    stepped = "stepped" + Path(job.output).suffix
    done("fit", job.source, "-o", "source.npz", *job.fit)
    done("fit", job.palette, "-o", "target.npz", *job.fit)
    done("plan", "source.npz", "target.npz", "-o", "plan.npz", *job.plan)
    palette = ("--palette", job.palette) if job.needs_palette else ()
    done("apply", "plan.npz", job.source, "-o", stepped, *job.apply, *palette)
    assert Path(stepped).read_bytes() == Path(job.output).read_bytes()


def test_artefacts_keep_everything(done: Run, folder: Path) -> None:
    """A stored mixture and plan say the same of themselves as what made them."""
    done("fit", "cube.npy", "-o", "c.npz", "-k", "2")
    done("fit", "photo.png", "-o", "p.npz", "-k", "2")
    assert "axes of 6 bands coordinates" in done("inspect", "c.npz").out
    assert "3 axes of 3 oklab coordinates" in done("inspect", "p.npz").out


def test_a_plan_keeps_how_many_starts_were_asked_for(done: Run, folder: Path) -> None:
    """--starts is plan.starts, whichever way it is said, and for every solver."""
    done("fit", "photo.png", "-o", "p.npz", "-k", "2")
    for solver in ("mw2", "mgw2", "mew2"):
        ways = {"flag": ("--starts", "few"), "set": ("--set", "plan.starts=few")}
        for way, option in ways.items():
            plan = f"{way}-{solver}.npz"
            done("plan", "p.npz", "p.npz", "-o", plan, "--solver", solver, *option)
            assert load_plan(Path(plan))[1]["plan"]["starts"] == "few"
        assert Path(f"flag-{solver}.npz").read_bytes() == Path(f"set-{solver}.npz").read_bytes()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--starts", "some"), "option starts of mew2: expected one of full, few, got 'some'"),
        (("--starts", "few", "--set", "plan.starts=full"), "plan.starts was given already"),
    ],
)
def test_other_starts_are_refused(
    run: Run, done: Run, folder: Path, given: tuple[str, ...], words: str
) -> None:
    """The message says what there is."""
    done("fit", "photo.png", "-o", "p.npz", "-k", "2")
    result = run("plan", "p.npz", "p.npz", "-o", "q.npz", "--solver", "mew2", *given)
    assert result.code == 2
    assert words in result.err
    assert not Path("q.npz").exists()


def test_equal_runs_give_equal_bytes(done: Run, folder: Path) -> None:
    """Pictures, mixtures and plans."""
    for turn in ("one", "two"):
        done("color", "cube.npy", "palette.png", "-o", f"{turn}.png", "-k", "3", *QUICK)
        done("fit", "cube.npy", "-o", f"{turn}.npz", "-k", "3")
        done("plan", "one.npz", "one.npz", "-o", f"{turn}p.npz", *QUICK)
    for suffix in (".png", ".npz", "p.npz"):
        assert Path("one" + suffix).read_bytes() == Path("two" + suffix).read_bytes()


def test_another_seed_draws_other_colours(done: Run, folder: Path) -> None:
    """With the random map; --overwrite gives the first bytes back."""
    rand = ("color", "cube.npy", "palette.png", "-k", "3", "--map", "rand", *QUICK)
    done(*rand, "-o", "a.png")
    first = Path("a.png").read_bytes()
    done(*rand, "-o", "b.png", "--seed", "1")
    assert Path("b.png").read_bytes() != first
    done(*rand, "-o", "b.png", "--seed", "0", "--overwrite")
    assert Path("b.png").read_bytes() == first


def test_a_plan_maps_other_rasters_of_the_same_bands(done: Run, folder: Path) -> None:
    """A pixel goes where it goes, whatever file it comes in."""
    done("fit", "cube.npy", "-o", "a.npz", "-k", "2")
    done("fit", "palette.png", "-o", "b.npz", "-k", "2")
    done("plan", "a.npz", "b.npz", "-o", "p.npz", *QUICK)
    done("apply", "p.npz", "cube.npy", "-o", "one.npy", "--smooth", "0")
    done("apply", "p.npz", "holes.npy", "-o", "two.npy", "--smooth", "0")
    one, two = np.load("one.npy"), np.load("two.npy")
    valid = np.isfinite(two).all(axis=2)
    assert valid.sum() == 24 * 20 - 21
    np.testing.assert_array_equal(two[valid], one[valid])
