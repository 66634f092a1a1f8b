"""Mixtures and plans as .npz files without pickle, checked by a sum over their contents."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.foreign import reason
from gwtransfer.core.types import GaussianMixture, Space, TransportPlan
from gwtransfer.errors import GwTransferError, ReadError, UsageError
from gwtransfer.io.files import check_readable
from gwtransfer.io.npz import decoded

Members = Mapping[str, NDArray[Any]]

VERSION = 1
MIXTURE, PLAN = "gwtransfer mixture", "gwtransfer plan"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MOST_FORMAT_BYTES = 4096

_COMMON = {"format", "version", "checksum", "provenance"}
_OF_MIXTURE = {
    "weights", "means", "covariances", "noise", "guide", "seed", "space_origin", "space_axes",
    "space_unit", "space_coordinates", "space_wavelengths",
}  # fmt: skip
_OF_PLAN = {f"{side}_{name}" for side in ("source", "target") for name in _OF_MIXTURE}
_OF_PLAN |= {field.name for field in fields(TransportPlan)} - {"source", "target"}
_MEMBERS = {MIXTURE: _COMMON | _OF_MIXTURE, PLAN: _COMMON | _OF_PLAN}


def save_mixture(mixture: GaussianMixture, path: Path, provenance: Mapping[str, Any]) -> None:
    """Write a mixture and where it comes from; equal contents give equal bytes.

    Parameters
    ----------
    mixture : GaussianMixture
    path : Path
        Written as it is; see `gwtransfer.io.files.whole` for a safe name.
    provenance : mapping
        What JSON can hold.

    Raises
    ------
    UsageError
        ``provenance`` or the seed cannot be stored.
    """
    _save(MIXTURE, _mixture_members(mixture, ""), path, provenance)


def save_plan(plan: TransportPlan, path: Path, provenance: Mapping[str, Any]) -> None:
    """Write a plan with both its mixtures and where it comes from.

    Parameters and errors are those of `save_mixture`.
    """
    members = _mixture_members(plan.source, "source_") | _mixture_members(plan.target, "target_")
    for field in fields(TransportPlan):
        value = getattr(plan, field.name)
        if field.name not in ("source", "target") and value is not None:
            members[field.name] = np.asarray(value)
    _save(PLAN, members, path, provenance)


def load_artefact(path: Path) -> tuple[GaussianMixture | TransportPlan, dict[str, Any]]:
    """Read what `save_mixture` or `save_plan` wrote, bit by bit the same.

    Returns
    -------
    artefact : GaussianMixture or TransportPlan
    provenance : dict

    Raises
    ------
    ReadError
        Not such a file, from a newer version, truncated, changed, or inconsistent.
    """
    check_readable(path)
    raw = _unzipped(path)
    kind = _text(path, raw, "format")
    if kind not in (MIXTURE, PLAN):
        raise ReadError(f"{path}: expected a gwtransfer mixture or plan, found {kind[:60]!r}")
    version = _array(path, raw, "version")
    if version.dtype.kind != "i" or version.shape != () or int(version) < 1:
        raise ReadError(f"{path}: expected a version number, found {str(version)[:60]!r}")
    if int(version) > VERSION:
        raise ReadError(
            f"{path}: expected version {VERSION} of the format, found {int(version)}; "
            "update gwtransfer"
        )
    if _text(path, raw, "checksum") != _checksum(raw):
        raise ReadError(f"{path}: its contents do not match their checksum; make it again")
    members = {name: _array(path, raw, name) for name in raw}
    unknown = sorted(members.keys() - _MEMBERS[kind])
    if unknown:
        raise ReadError(
            f"{path}: expected the members of a {kind} of version {VERSION}, found "
            f"{unknown[0][:60]!r} too; was it made by another program?"
        )
    try:
        provenance = json.loads(members["provenance"].tobytes())
        if not isinstance(provenance, dict):
            raise ValueError(f"its provenance is {type(provenance).__name__}, not a dict")
        if kind == MIXTURE:
            return _mixture(members, ""), provenance
        return _plan(members), provenance
    except KeyError as error:
        raise ReadError(f"{path}: expected a member {error}, found none; make it again") from error
    except (GwTransferError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise ReadError(f"{path}: holds no valid {kind}: {reason(error)}") from error


def is_artefact(path: Path) -> bool:
    """Tell whether a file is an archive that calls itself a mixture or plan; never raises."""
    try:
        with path.open("rb") as file:
            if file.read(4) != b"PK\x03\x04":
                return False
        with zipfile.ZipFile(path) as archive:
            said = archive.getinfo("format.npy")
            if said.file_size > _MOST_FORMAT_BYTES:
                return False
            return str(decoded(archive.read(said))).startswith("gwtransfer ")
    except Exception:
        return False


def _mixture_members(mixture: GaussianMixture, prefix: str) -> dict[str, NDArray[Any]]:
    space = mixture.space
    members: dict[str, Any] = {
        "weights": mixture.weights,
        "means": mixture.means,
        "covariances": mixture.covariances,
        "space_origin": space.origin,
        "space_axes": space.axes,
        "space_unit": np.float64(space.unit),
        "space_coordinates": space.coordinates,
        "space_wavelengths": space.wavelengths,
        "noise": mixture.noise,
        "guide": mixture.guide,
        "seed": mixture.seed,
    }
    return {prefix + key: np.asarray(value) for key, value in members.items() if value is not None}


def _mixture(members: Members, prefix: str) -> GaussianMixture:
    space = Space(
        origin=members[prefix + "space_origin"],
        axes=members[prefix + "space_axes"],
        unit=float(members[prefix + "space_unit"]),
        coordinates=str(members[prefix + "space_coordinates"]),
        wavelengths=members.get(prefix + "space_wavelengths"),
    )
    return GaussianMixture(
        weights=members[prefix + "weights"],
        means=members[prefix + "means"],
        covariances=members[prefix + "covariances"],
        space=space,
        noise=members.get(prefix + "noise"),
        guide=members.get(prefix + "guide"),
        seed=int(members[prefix + "seed"]),
    )


def _plan(members: Members) -> TransportPlan:
    bound = members.get("bound")
    return TransportPlan(
        source=_mixture(members, "source_"),
        target=_mixture(members, "target_"),
        coupling=members["coupling"],
        embedding=members.get("embedding"),
        solver=str(members["solver"]),
        value=float(members["value"]),
        bound=None if bound is None else float(bound),
        starts=int(members["starts"]),
        reached=int(members["reached"]),
        converged=bool(members["converged"]),
        history=members["history"],
        tilt=members.get("tilt"),
        attained=members["attained"],
    )


def _save(
    kind: str, members: dict[str, NDArray[Any]], path: Path, provenance: Mapping[str, Any]
) -> None:
    try:
        text = json.dumps(provenance, sort_keys=True, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{path}: provenance cannot be stored: {reason(error)}") from error
    members |= {
        "format": np.asarray(kind),
        "version": np.asarray(VERSION),
        "provenance": np.frombuffer(text.encode(errors="replace"), dtype=np.uint8),
    }
    raw = {name: _encoded(path, name, value) for name, value in members.items()}
    raw["checksum"] = _encoded(path, "checksum", np.asarray(_checksum(raw)))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(raw):
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), raw[name])


def _encoded(path: Path, name: str, value: NDArray[Any]) -> bytes:
    if value.dtype.kind not in "fiubU":
        raise UsageError(f"{path}: {name} cannot be stored: expected numbers, got {value.dtype}")
    buffer = io.BytesIO()
    np.lib.format.write_array(
        buffer, np.asarray(value, dtype=value.dtype.newbyteorder("<")), allow_pickle=False
    )
    return buffer.getvalue()


def _unzipped(path: Path) -> dict[str, bytes]:
    """Return the stored members by name, without their .npy."""
    try:
        with zipfile.ZipFile(path) as archive:
            listed = archive.infolist()
            if any(one.compress_type != zipfile.ZIP_STORED for one in listed):
                raise ReadError(f"{path}: expected a gwtransfer .npz, found a compressed archive")
            names = {one.filename for one in listed}
            held = path.stat().st_size
            if len(names) < len(listed) or sum(one.file_size for one in listed) > held:
                raise ReadError(
                    f"{path}: expected {len(names)} members side by side, found some twice or in "
                    "one place; make it again"
                )
            return {one.filename.removesuffix(".npy"): archive.read(one) for one in listed}
    except ReadError:
        raise
    except Exception as error:
        raise ReadError(
            f"{path}: expected a gwtransfer .npz, found a file that is truncated, changed or "
            f"something else: {reason(error)}"
        ) from error


def _array(path: Path, raw: Mapping[str, bytes], name: str) -> NDArray[Any]:
    if name not in raw:
        raise ReadError(f"{path}: expected a gwtransfer .npz with {name!r}, found none in it")
    try:
        array = decoded(raw[name])
    except Exception as error:
        raise ReadError(f"{path}: {name} cannot be read: {reason(error)}") from error
    if array.dtype.kind not in "fiubU":
        raise ReadError(f"{path}: expected {name} to be numbers or text, found {array.dtype}")
    return array


def _text(path: Path, raw: Mapping[str, bytes], name: str) -> str:
    array = _array(path, raw, name)
    if array.dtype.kind != "U" or array.shape != ():
        raise ReadError(f"{path}: expected {name} to be text, found {array.dtype} {array.shape}")
    return str(array)


def _checksum(raw: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(raw):
        if name != "checksum":
            digest.update(f"{name}\0{len(raw[name])}\0".encode())
            digest.update(raw[name])
    return digest.hexdigest()
