"""Colours and correspondences between spaces of different dimension, by mixture transport.

Importing the package loads nothing; a name is looked up when it is used. `docs/python.md` tells
what each does.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gwtransfer.api.applying import apply
    from gwtransfer.api.coloring import transfer
    from gwtransfer.api.comparing import distance, match
    from gwtransfer.api.estimator import MixtureTransport
    from gwtransfer.api.items import raster, values
    from gwtransfer.api.steps import fit_mixture, load, plan_between, save, stage, stages
    from gwtransfer.core.raster import Raster
    from gwtransfer.core.types import Cloud, GaussianMixture, Space, TransportPlan
    from gwtransfer.errors import GwTransferError
    from gwtransfer.recipe import Recipe

__version__ = "0.1.0"

__all__ = [
    "Cloud",
    "GaussianMixture",
    "GwTransferError",
    "MixtureTransport",
    "Raster",
    "Recipe",
    "Space",
    "TransportPlan",
    "__version__",
    "apply",
    "distance",
    "fit_mixture",
    "load",
    "match",
    "plan_between",
    "raster",
    "save",
    "stage",
    "stages",
    "transfer",
    "values",
]

_HOMES = {
    "api.applying": ("apply",),
    "api.coloring": ("transfer",),
    "api.comparing": ("distance", "match"),
    "api.estimator": ("MixtureTransport",),
    "api.items": ("raster", "values"),
    "api.steps": ("fit_mixture", "load", "plan_between", "save", "stage", "stages"),
    "core.raster": ("Raster",),
    "core.types": ("Cloud", "GaussianMixture", "Space", "TransportPlan"),
    "errors": ("GwTransferError",),
    "recipe": ("Recipe",),
}

if not TYPE_CHECKING:  # a checker that sees __getattr__ would accept any name

    def __getattr__(name: str) -> object:
        """Import what a public name stands for."""
        for home, names in _HOMES.items():
            if name in names:
                value = getattr(import_module(f"{__name__}.{home}"), name)
                globals()[name] = value
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
