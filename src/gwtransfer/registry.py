"""Find stages by kind and name: discover without importing, import one when asked."""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, get_args, get_type_hints

from gwtransfer.errors import (
    AmbiguousError,
    GwTransferError,
    PluginError,
    ReadError,
    UnknownStageError,
    UsageError,
)
from gwtransfer.io.files import check_readable, is_folder, is_pattern
from gwtransfer.io.unsupported import refusal
from gwtransfer.options import Option, instead, option_names, options, understood

__all__ = [
    "KINDS",
    "Kind",
    "Loader",
    "Option",
    "Stage",
    "Writer",
    "build",
    "find",
    "loader_for",
    "loader_name",
    "option_names",
    "options",
    "refresh",
    "stages",
    "writer_for",
]

if TYPE_CHECKING:
    from gwtransfer.core.raster import Raster
    from gwtransfer.core.types import Cloud

Kind = Literal["load", "prepare", "fit", "plan", "map", "write"]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""The six verbs, in the order in which they run; the entry-point group is ``gwtransfer.KIND``."""

DUTIES: Mapping[str, tuple[str, ...]] = {
    "load": ("__call__", "claims"),
    "write": ("__call__", "check", "extensions"),
}
"""What a stage of a kind must define; the kinds not named here define ``__call__``."""


class Loader(Protocol):
    """What a load stage offers."""

    @staticmethod
    def claims(path: Path) -> bool:
        """Tell by content whether the file is of this format; never raise."""
        ...

    def __call__(self, path: Path) -> "Raster | Cloud":
        """Read the file."""
        ...


class Writer(Protocol):
    """What a write stage offers.

    Attributes
    ----------
    extensions : tuple of str
        Lower case, with the dot.
    """

    extensions: ClassVar[tuple[str, ...]]

    def check(self, raster: "Raster") -> None:
        """Refuse, before any work, a raster that the format cannot hold."""
        ...

    def __call__(self, raster: "Raster", path: Path) -> None:
        """Write the raster to exactly this path."""
        ...


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage some installed package declares; its code has not been imported.

    Attributes
    ----------
    kind : str
        One of KINDS.
    name : str
    package, version : str
        The distribution that declares it.
    entry : EntryPoint
        Where its class is.
    """

    kind: Kind
    name: str
    package: str
    version: str
    entry: EntryPoint

    def __str__(self) -> str:
        return f"{self.kind} stage {self.name} of {self.package} {self.version}"


@cache
def _discover() -> tuple[Stage, ...]:
    declared = entry_points()  # once: each call reads the metadata of every package
    found = [
        Stage(
            kind=kind,
            name=entry.name,
            package=(entry.dist and entry.dist.name) or "an unnamed package",
            version=(entry.dist and entry.dist.version) or "of unknown version",
            entry=entry,
        )
        for kind in KINDS
        for entry in declared.select(group=f"gwtransfer.{kind}")
    ]
    return tuple(sorted(found, key=lambda s: (KINDS.index(s.kind), s.name, s.package)))


def refresh() -> None:
    """Forget what was discovered, for a process that installs a package while it runs."""
    _discover.cache_clear()


def stages(kind: str | None = None) -> tuple[Stage, ...]:
    """List the declared stages of a kind, or of all, without importing any.

    Two packages that declare one name both appear.

    Raises
    ------
    UnknownStageError
        There is no such kind.
    """
    if kind is not None and kind not in KINDS:
        raise UnknownStageError(f"no kind of stage is called {kind!r}{instead(kind, KINDS)}")
    return tuple(stage for stage in _discover() if kind in (None, stage.kind))


def find(kind: str, name: str) -> type[Any]:
    """Import one stage.

    Raises
    ------
    UnknownStageError
        There is no such kind or name; the message lists what there is.
    PluginError
        Two packages declare the name, or the one that does cannot provide a proper stage.
    """
    known = stages(kind)
    owners = [stage for stage in known if stage.name == name]
    if not owners:
        names = [stage.name for stage in known]
        raise UnknownStageError(f"no {kind} stage is called {name!r}{instead(name, names)}")
    if len(owners) > 1:
        packages = " and ".join(f"{stage.package} {stage.version}" for stage in owners)
        raise PluginError(f"{kind} stage {name} is declared by {packages}; uninstall one of them")
    stage = owners[0]
    try:
        cls = stage.entry.load()
    except Exception as error:  # a package may fail in any way while it is imported
        cause = f"{type(error).__name__}: {error}".splitlines()[0]
        raise PluginError(f"{stage} cannot be imported: {cause}") from error
    fault = _fault(stage.kind, cls)
    if fault:
        raise PluginError(f"{stage} cannot be used: {stage.entry.value} {fault}")
    return cls  # type: ignore[no-any-return]  # _fault has seen that it is a class


def _fault(kind: Kind, cls: Any) -> str:
    """Return what keeps an imported object from being a stage; empty when nothing does."""
    settings = getattr(cls, "__dataclass_params__", None)
    if not (isinstance(cls, type) and is_dataclass(cls) and settings and settings.frozen):
        return "is not a frozen dataclass"
    for field in fields(cls):
        if field.init and field.default is MISSING and field.default_factory is MISSING:
            return f"gives its option {field.name} no default"
    for duty in DUTIES.get(kind, ("__call__",)):
        if not any(duty in vars(base) for base in cls.__mro__):
            return f"does not define {duty}"
    try:
        get_type_hints(cls)
    except Exception as error:  # evaluating annotations runs the package's code
        return f"has options whose types cannot be told: {error}"
    return ""


def build(kind: str, name: str, options: Mapping[str, object]) -> Any:
    """Make a stage with the options given; text is understood as the option's type.

    Raises
    ------
    UnknownStageError
        There is no such stage, or it has no such option.
    UsageError
        A value is not of the option's type, or the stage refuses it.
    PluginError
        As for `find`.
    """
    cls = find(kind, name)
    return cls(**understood(cls, options, kind=kind, name=name))


def loader_for(path: Path, *, load: str | None, options: Mapping[str, object]) -> Loader:
    """Return the loader of a file: the one named, or the only one that claims the file.

    Parameters
    ----------
    path : Path
    load : str or None
        Name of a load stage; None asks them all.
    options : mapping
        Options of the loader, text or values.

    Raises
    ------
    ReadError
        The file is missing, empty or of no known format.
    AmbiguousError
        Several loaders claim it.
    UsageError
        The loader has no such option, or it is given a wrong value.
    """
    loader: Loader = _build_for(path, "load", loader_name(path, load=load), options)
    return loader


def loader_name(path: Path, *, load: str | None = None) -> str:
    """Return the name of a file's loader: the one named, or the only one that claims the file.

    Raises
    ------
    ReadError
        The file is missing, empty or of no known format.
    AmbiguousError
        Several loaders claim it.
    """
    if not (is_folder(path) or is_pattern(path)):
        check_readable(path)
    return load or _claimant(path)


def writer_for(
    path: Path, *, write: str | None, options: Mapping[str, object] | None = None
) -> Writer:
    """Return the writer of a file: the one named, or the only one of its extension.

    Of two writers that fit, as for ``.ome.tif`` and ``.tif``, the longer extension wins.

    Raises
    ------
    UsageError
        No writer writes this extension, or it has no such option.
    AmbiguousError
        Several writers write it.
    """
    broken: list[str] = []
    known: dict[str, set[str]] = {}
    for name in [write] if write else sorted({stage.name for stage in stages("write")}):
        try:
            extensions = find("write", name).extensions
        except PluginError as error:
            if write:
                raise
            broken.append(str(error))
            continue
        for extension in extensions:
            known.setdefault(extension, set()).add(name)
    fitting = [extension for extension in known if path.name.lower().endswith(extension)]
    if not fitting:
        what = f"{write} does not write" if write else "nothing writes"
        raise UsageError(
            f"{path}: {what} {path.suffix or 'files without extension'}; "
            f"expected one of {', '.join(sorted(known))}{_aside(broken)}"
        )
    names = sorted(known[max(fitting, key=len)])
    if len(names) > 1:
        raise AmbiguousError(f"{path}: {_choice(names, '--write')}")
    writer: Writer = _build_for(path, "write", names[0], options or {})
    return writer


def _claimant(path: Path) -> str:
    """Return the name of the one load stage that claims the file."""
    claimants, broken = [], []
    for name in sorted({stage.name for stage in stages("load")}):
        try:
            cls = find("load", name)
            if cls.claims(path):
                claimants.append(name)
        except PluginError as error:
            broken.append(str(error))
        except Exception as error:  # a plug-in that stumbles over a file must not hide the others
            broken.append(f"load stage {name} fails to look at it: {type(error).__name__}: {error}")
    if not claimants and is_folder(path):
        raise ReadError(
            f"{path}: expected a file, a Zarr folder, or a folder of one image a band, found "
            f"another folder; name a file inside it{_aside(broken)}"
        )
    if not claimants and is_pattern(path):
        raise ReadError(
            f"{path}: expected a pattern of at least two images, one a band, found less"
        )
    said = None if claimants else refusal(path)
    if said is not None:
        raise ReadError(f"{said}{_aside(broken)}")
    if not claimants:
        raise ReadError(
            f"{path}: expected a picture, cube, film or shape, found none of the known formats "
            f"(`gwtransfer stages` lists them){_aside(broken)}"
        )
    if len(claimants) > 1:
        raise AmbiguousError(f"{path}: {_choice(claimants, '--load')}")
    return claimants[0]


def _build_for(path: Path, kind: Kind, name: str, options: Mapping[str, object]) -> Any:
    """Build a stage for a file, so that a wrong option is told with the file's name."""
    known = option_names(find(kind, name))
    for option in options:
        if option not in known:
            raise UsageError(
                f"{path}: {name} files have no option {option!r}{instead(option, known)}"
            )
    try:
        return build(kind, name, options)
    except GwTransferError as error:
        raise type(error)(f"{path}: {error}") from error


def _choice(names: Iterable[str], flag: str) -> str:
    names = list(names)
    chosen = " or ".join(f"{flag} {name}" for name in names)
    return f"{' and '.join(names)} all apply to this file; choose with {chosen}"


def _aside(broken: Iterable[str]) -> str:
    """Return the clause that names the plug-ins nobody could ask."""
    return "".join(f"; not asked: {reason}" for reason in broken)
