"""What all maps made of affine pieces can be told."""

from dataclasses import dataclass, replace
from typing import Literal, TypedDict

import numpy as np

from gwtransfer.adapters.torch import Name, device
from gwtransfer.core.maps import MeanMap
from gwtransfer.core.trial import tried
from gwtransfer.errors import UsageError


class How(TypedDict):
    """How to make a map, as `core.maps` takes it."""

    gain_cap: float
    dtype: type[np.floating]


@dataclass(frozen=True, kw_only=True)
class Piecewise:
    """The options of a map made of affine pieces; each stage says what they mean."""

    gain_cap: float | None = 5.0
    precision: Literal["single", "double"] = "single"

    def __post_init__(self) -> None:
        if self.gain_cap is not None and not self.gain_cap > 0:
            raise UsageError(f"option gain_cap: expected a number above 0, got {self.gain_cap}")

    @property
    def how(self) -> How:
        """The options as the map takes them."""
        cap = np.inf if self.gain_cap is None else self.gain_cap
        return How(gain_cap=cap, dtype=np.float32 if self.precision == "single" else np.float64)


@dataclass(frozen=True, kw_only=True)
class Collapsed(Piecewise):
    """The options of a map made by way of T_mean, which a GPU can compute."""

    device: Name = "cpu"

    def __post_init__(self) -> None:
        super().__post_init__()
        device(self.device)

    def placed(self, mapping: MeanMap) -> MeanMap:
        """Return a map with the device computing its images.

        Raises
        ------
        MissingError, DataError
            As `adapters.torch.device` and `core.trial.tried`.
        """
        return tried(replace(mapping, device=device(self.device)))
