"""Block kernels on other arrays than numpy's: the standard's strictest, and PyTorch's."""

import sys
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import array_api_strict
import numpy as np
import pytest
from tests.core.strategies import drawn, product_plan, random_mixture, stiefel

from gwtransfer.adapters import torch as adapter
from gwtransfer.core import em, kernels
from gwtransfer.core.densities import Densities
from gwtransfer.core.device import HOST, Device
from gwtransfer.core.maps import mean_map
from gwtransfer.core.pixels import Pixels
from gwtransfer.core.raster import Raster, Rows
from gwtransfer.core.trial import STEP, tried
from gwtransfer.core.types import Prepared, Space, TransportPlan
from gwtransfer.errors import DataError, MissingError, UsageError
from gwtransfer.fit.gmm import Gmm
from gwtransfer.map.mean import Mean
from gwtransfer.map.nearest import Nearest
from gwtransfer_cli.app import main


class Strict:
    """A device of arrays that know the standard's functions and no others."""

    enlarged = 2

    def put(self, values: np.ndarray) -> Any:
        """Return a copy."""
        return array_api_strict.asarray(values, copy=True)

    def run(self, kernel: Callable[..., Any], *blocks: Any) -> Any:
        """Return what the kernel makes, as arrays of numpy."""
        made = kernel(array_api_strict, *blocks)
        return tuple(map(np.asarray, made)) if isinstance(made, tuple) else np.asarray(made)


class Off(Strict):
    """A device whose results are off by so many times themselves."""

    def __init__(self, error: float) -> None:
        self.error = error

    def run(self, kernel: Callable[..., Any], *blocks: Any) -> Any:
        """Return one array, and that wrong."""
        return super().run(kernel, *blocks) * (1 + self.error)


@pytest.fixture
def plan() -> TransportPlan:
    rng = np.random.default_rng(0)
    return product_plan(
        random_mixture(rng, 5, 6), random_mixture(rng, 4, 3), embedding=stiefel(rng, 6, 3)
    )


@pytest.fixture(params=["strict", "torch on the processor", "torch on a GPU"])
def device(request: pytest.FixtureRequest) -> Device:
    """Every device there is here."""
    if request.param == "strict":
        return Strict()
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra gpu)")
    pytest.importorskip("array_api_compat", reason="array-api-compat is not installed (extra gpu)")
    if request.param == "torch on the processor":
        return adapter.Torch("cpu")
    if not torch.cuda.is_available():
        pytest.skip("PyTorch finds no GPU here")
    return adapter.Torch("cuda")


def mixed(dimension: int, count: int = 1500) -> tuple[np.ndarray, np.ndarray, Densities]:
    """Return points of a mixture, how much they count, and its densities."""
    rng = np.random.default_rng(dimension)
    mixture = random_mixture(rng, 4, dimension, spread=0.4)
    densities = Densities.of(mixture.weights, mixture.means, mixture.covariances)
    return drawn(mixture, rng, count), rng.random(count), densities


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("dimension", [1, 3, 15, em.WIDE + 1])
def test_kernels_need_the_standard_alone(dimension: int, dtype: type[np.floating]) -> None:
    """And give what they give on numpy's arrays, to the last bit, in either precision."""
    points, weights, densities = mixed(dimension)
    linear = np.random.default_rng(1).normal(size=(4 * 2, dimension + 1))
    block = em.with_ones(points)
    for kernel, arrays in (
        (kernels.quadratic_features, (block,)),
        (kernels.expectation, (block, weights, densities.coefficients)),
        (kernels.wide_expectation, (block, weights, *densities.arrays)),
        (kernels.mean_images, (block, *densities.arrays, linear)),
    ):
        given = [array.astype(dtype) for array in arrays]
        expected = HOST.run(kernel, *given)
        device = Strict()
        found = device.run(kernel, *map(device.put, given))
        pairs = (
            zip(found, expected, strict=True) if isinstance(found, tuple) else [(found, expected)]
        )
        for one, other in pairs:
            assert one.dtype == dtype
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dimension", [3, 15, em.WIDE + 1])
def test_statistics_are_those_of_this_processor(device: Device, dimension: int) -> None:
    """In double precision to rounding, whatever the blocks."""
    points, weights, densities = mixed(dimension)
    for counted in (None, weights):
        expected = em.statistics(points, counted, densities)
        found = em.statistics(points, counted, densities, device)
        assert found.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-12)
        np.testing.assert_allclose(found.sums, expected.sums, rtol=1e-12, atol=1e-10)


def test_images_are_those_of_double_precision_here(device: Device, plan: TransportPlan) -> None:
    """In double precision to rounding; in single within a quarter of a step of 16 bits."""
    points = drawn(plan.source, np.random.default_rng(1), 5000)
    expected = mean_map(plan)(points)
    double = replace(mean_map(plan), device=device)
    np.testing.assert_allclose(double(points), expected, rtol=0, atol=1e-12)
    single = tried(replace(mean_map(plan, dtype=np.float32), device=device))
    images = single(points)
    assert images.dtype == np.float32
    assert np.abs(images - expected).max() < np.ptp(expected) * STEP / 4
    assert single(points[:0]).shape == (0, 3)


def test_points_beyond_single_floats_are_mapped_in_double(
    device: Device, plan: TransportPlan
) -> None:
    points = drawn(plan.source, np.random.default_rng(3), 10)
    points[3] = 1e25
    images = replace(mean_map(plan, dtype=np.float32), device=device)(points)
    np.testing.assert_allclose(images, mean_map(plan)(points), rtol=1e-5)


def test_a_fit_passes_over_a_raster(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stage hands its device to the pixels, and the mixture is that of this processor."""
    values = mixed(4)[0].reshape(50, 30, 4)
    raster = Raster(
        name="cube", rows=50, columns=30, bands=4, kind="cube", dtype="float64", reads=10**6,
        read=lambda start, stop: Rows(values=values[start:stop]),
    )  # fmt: skip
    space = Space.raw(4)
    prepared = Prepared(
        points=values.reshape(-1, 4)[::3], space=space, whole=Pixels(raster=raster, space=space)
    )
    expected = Gmm(components=3, passes=4).of_prepared(prepared, seed=0)
    monkeypatch.setattr("gwtransfer.fit.gmm.device", lambda name: device)
    found = Gmm(components=3, passes=4, device="cuda").of_prepared(prepared, seed=0)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-9)
    elsewhere = replace(prepared, whole=SimpleNamespace(sample=None, statistics=None))
    with pytest.raises(UsageError, match="not by --scheduler"):
        Gmm(components=3, passes=4, device="cuda").of_prepared(elsewhere, seed=0)


def test_stages_hand_their_device_on(plan: TransportPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    points = drawn(plan.source, np.random.default_rng(1), 100)
    candidates = drawn(plan.target, np.random.default_rng(2), 50)
    expected = Mean()(plan)(points), Nearest()(plan, candidates=candidates)(points)
    device = Strict()
    monkeypatch.setattr("gwtransfer.map.piecewise.device", lambda name: device)
    mean, nearest = Mean(device="cuda")(plan), Nearest(device="cuda")(plan, candidates=candidates)
    assert (mean.device, nearest.mean.device) == (device, device)
    np.testing.assert_array_equal(mean(points), expected[0])
    np.testing.assert_array_equal(nearest(points), expected[1])


@pytest.mark.parametrize("error", [1e-3, np.nan])
def test_a_device_that_is_off_is_refused(plan: TransportPlan, error: float) -> None:
    """An error like that of a product in half precision, or nothing at all, is found at once."""
    mapping = mean_map(plan, dtype=np.float32)
    assert tried(mapping) is mapping
    with pytest.raises(DataError, match=r"off by .* give --set map\.precision=double"):
        tried(replace(mapping, device=Off(error)))


@pytest.mark.parametrize("missing", ["torch", "array_api_compat"])
def test_what_is_missing_is_named(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line with what to install, before any file is opened."""
    monkeypatch.setitem(sys.modules, missing, None)
    for command in (
        "color no.png no.png -o o.png",
        "apply no.npz no.png -o o.png",
        "fit no.png -o o.npz",
    ):
        assert main([*command.split(), "--device", "cuda"]) == 1
        words = capsys.readouterr().err
        assert words.count("\n") == 1
        assert "needs PyTorch and array-api-compat (" in words
        assert "pip install 'gwtransfer[gpu]'" in words


@pytest.mark.parametrize(
    ("built", "words"), [(None, "built without CUDA"), ("13.0", "finds no NVIDIA GPU")]
)
def test_no_gpu_is_said(built: str | None, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = SimpleNamespace(
        __version__="2.9",
        cuda=SimpleNamespace(is_available=lambda: False),
        version=SimpleNamespace(cuda=built),
    )
    compat = SimpleNamespace(torch=torch)
    for name, module in (
        ("torch", torch), ("array_api_compat", compat), ("array_api_compat.torch", torch),
    ):  # fmt: skip
        monkeypatch.setitem(sys.modules, name, module)
    with pytest.raises(MissingError, match=f"PyTorch 2.9 .*{words}"):
        Mean(device="cuda")
    with pytest.raises(MissingError, match=words):
        Gmm(device="cuda")


@pytest.mark.parametrize(
    ("options", "words"),
    [("--device gpu", "expected one of cpu, cuda"), ("--device cuda --map rand", "no option 'dev")],
)
def test_what_a_gpu_cannot_do_is_refused(
    options: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["apply", "no.npz", "no.png", "-o", "o.png", *options.split()]) == 2
    assert words in capsys.readouterr().err
