"""What HyperSpy's files say about the axes of their arrays."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gwtransfer.io.arrays.variables import Index, Numbers, Variable


def with_axes(
    variables: Mapping[str, Variable], attributes: Mapping[str, Mapping[str, Any]]
) -> dict[str, Variable]:
    """Return the variables of a file, those of HyperSpy's experiments with their axes.

    In other files nothing changes. Of the arrays beside the experiments' data only those remain
    that list the places along an axis. An axis of the signal holds the bands when it is the only
    one; in a stack of images it is the one axis of navigation.

    Parameters
    ----------
    variables : mapping of name to Variable
    attributes : mapping of group to its attributes

    Returns
    -------
    dict of name to Variable
    """
    if str(attributes.get("", {}).get("file_format", "")).lower() != "hyperspy":
        return dict(variables)
    found: dict[str, Variable] = {}
    for name, variable in variables.items():
        parts = name.split("/")
        if len(parts) == 3 and parts[0] == "Experiments" and parts[2] == "data":
            found |= _described(variable, attributes)
    known = {name for name in found if not name.endswith("/data")}
    for name in sorted(known):
        values = variables.get(f"{name.rpartition('/')[0]}/axis")
        if values is not None:
            found[name] = replace(found[name], read=values.read, dtype=values.dtype)
    return found


def _described(
    variable: Variable, attributes: Mapping[str, Mapping[str, Any]]
) -> dict[str, Variable]:
    """Return an experiment's data with its axes, and the coordinates of its signal axis."""
    group = variable.group
    held = [attributes.get(f"{group}/axis-{place}", {}) for place in range(len(variable.shape))]
    signal = [place for place, axis in enumerate(held) if not axis.get("navigate", True)]
    ground = [place for place in range(len(held)) if place not in signal]
    alone = signal if len(signal) == 1 else ground
    if not all(held) or len(alone) != 1 or len(held) != 3:
        return {variable.name: variable}
    band = alone[0]
    listed = f"{group}/axis-{band}/places"
    dims = ["", "", ""]
    dims[band] = listed
    axis = held[band]
    places = np.asarray(axis.get("offset", 0.0)) + np.asarray(axis.get("scale", 1.0)) * np.arange(
        variable.shape[band]
    )

    def read(index: Index) -> Numbers:
        return np.asarray(places, dtype=np.float64)[index[0]]

    coordinates = Variable(
        name=listed,
        shape=(variable.shape[band],),
        dtype=np.dtype(np.float64),
        read=read,
        attributes=axis,
    )
    return {
        variable.name: replace(variable, dims=tuple(dims), band=band),
        listed: coordinates,
    }
