"""Find stages by kind and name: discover without importing, import one when asked."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from importlib.metadata import EntryPoint
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from gwtransfer import errors
from gwtransfer.declared import KINDS, OWN, Kind, Stage, declared, in_a_line
from gwtransfer.errors import (
    AmbiguousError,
    GwTransferError,
    PluginError,
    ReadError,
    UnknownStageError,
    UsageError,
)
from gwtransfer.fitness import fault
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
    "owner",
    "refresh",
    "stages",
    "unread",
    "writer_for",
]

if TYPE_CHECKING:
    from gwtransfer.core.raster import Raster
    from gwtransfer.core.types import Cloud

_ONE_AT_A_TIME = RLock()
"""`sys.stdout` belongs to the whole process, so it is changed by one thread only."""


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


def _discover() -> tuple[Stage, ...]:
    return declared().stages


def refresh() -> None:
    """Forget what was discovered, for a process that installs a package while it runs."""
    declared.cache_clear()


def unread() -> tuple[str, ...]:
    """List the packages whose metadata are damaged, so that their stages are not known."""
    return declared().unread


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
    stage = _declared_once(kind, name)
    if not EntryPoint.pattern.match(stage.entry.value):
        raise PluginError(
            f"{stage} cannot be imported: expected an entry point MODULE:CLASS, found "
            f"{stage.entry.value!r}"
        )
    with _aside(stage):
        try:
            cls = stage.entry.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a package may fail in any way, even end the program
            raise PluginError(f"{stage} cannot be imported: {in_a_line(error)}") from error
        try:
            wrong = fault(stage.kind, cls)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            wrong = f"cannot be made with its defaults: {in_a_line(error)}"
    if wrong:
        raise PluginError(f"{stage} cannot be used: {stage.entry.value} {wrong}")
    return cls  # type: ignore[no-any-return]  # fault has seen that it is a class


def _declared_once(kind: str, name: str) -> Stage:
    """Return the one stage of a kind and name."""
    known = stages(kind)
    owners = [stage for stage in known if stage.name == name]
    if not owners:
        names = [stage.name for stage in known]
        raise UnknownStageError(
            f"no {kind} stage is called {name!r}{instead(name, names)}{_not_asked(unread())}"
        )
    if len(owners) > 1:
        packages = " and ".join(f"{stage.package} {stage.version}" for stage in owners)
        raise PluginError(f"{kind} stage {name} is declared by {packages}; uninstall one of them")
    return owners[0]


@contextmanager
def _aside(stage: Stage) -> Iterator[None]:
    """Send to stderr what another's code prints while it is imported, made or asked."""
    if stage.package == OWN:
        yield
        return
    with _ONE_AT_A_TIME, redirect_stdout(sys.stderr):
        yield


def owner(stage: object) -> Stage | None:
    """Return what other package a stage at work comes from; None for the built-in ones.

    Nothing is imported: what is at work has been.
    """
    for known in _discover():
        if known.package != OWN and _named(known.entry) is type(stage):
            return known
    return None


def _named(entry: EntryPoint) -> object:
    """Return what an entry point names, as far as its module has been imported."""
    module, _, names = entry.value.partition(":")
    found: object = sys.modules.get(module.strip())
    for name in names.strip().split("."):
        found = getattr(found, name, None)
    return found


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
    values = understood(cls, options, kind=kind, name=name)
    stage = _declared_once(kind, name)
    try:
        with _aside(stage):
            return cls(**values)
    except (KeyboardInterrupt, GwTransferError):
        raise
    except BaseException as error:  # the class may be anybody's
        raise PluginError(f"{stage} cannot be made: {in_a_line(error)}") from error


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
            f"expected one of {', '.join(sorted(known))}{_not_asked(broken)}"
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
            with _aside(_declared_once("load", name)):
                if cls.claims(path):
                    claimants.append(name)
        except PluginError as error:
            broken.append(str(error))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # one that stumbles over a file must not hide the others
            broken.append(f"load stage {name} fails to look at it: {in_a_line(error)}")
    if not claimants and is_folder(path):
        raise ReadError(
            f"{path}: expected a file, a Zarr folder, or a folder of one image a band, found "
            f"another folder; name a file inside it{_not_asked(broken)}"
        )
    if not claimants and is_pattern(path):
        raise ReadError(
            f"{path}: expected a pattern of at least two images, one a band, found less"
        )
    said = None if claimants else refusal(path)
    if said is not None:
        raise ReadError(f"{said}{_not_asked(broken)}")
    if not claimants:
        raise ReadError(
            f"{path}: expected a picture, cube, film or shape, found none of the known formats "
            f"(`gwtransfer stages` lists them){_not_asked(broken)}"
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
        ours = next(cls for cls in type(error).__mro__ if cls.__module__ == errors.__name__)
        raise ours(f"{path}: {error}") from error


def _choice(names: Iterable[str], flag: str) -> str:
    names = list(names)
    chosen = " or ".join(f"{flag} {name}" for name in names)
    return f"{' and '.join(names)} all apply to this file; choose with {chosen}"


def _not_asked(broken: Iterable[str]) -> str:
    """Return the clause that names the plug-ins nobody could ask."""
    return "".join(f"; not asked: {reason}" for reason in broken)
