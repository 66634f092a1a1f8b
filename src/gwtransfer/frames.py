"""One plan for many files: which files, what their images are called, what became of each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gwtransfer import registry
from gwtransfer.errors import GwTransferError, ReadError, UsageError, WriteError
from gwtransfer.imaging import Colored
from gwtransfer.io.files import is_folder, is_pattern, listed, natural
from gwtransfer.io.gdal.envi import is_envi_header


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one file.

    Attributes
    ----------
    source, output : Path
    done : Colored or None
    error : GwTransferError or None
        Why there is no output.
    """

    source: Path
    output: Path
    done: Colored | None
    error: GwTransferError | None


def is_many(sources: Sequence[Path], output: Path, text: str) -> bool:
    """Tell whether a command is about several files: several are named, or OUT is a folder.

    Parameters
    ----------
    text : str
        OUT as it was typed; a slash at its end makes it a folder.
    """
    if len(sources) > 1 or output.is_dir() or text.endswith("/"):
        return True
    return not output.suffix and (is_folder(sources[0]) or is_pattern(sources[0]))


def check_folder(folder: Path, text: str) -> None:
    """Refuse a file's name where a folder is needed, unless it is one or a slash ends it.

    Raises
    ------
    UsageError
        Something writes files of that extension.
    """
    if folder.exists() or text.endswith("/") or not _is_written(folder):
        return
    raise UsageError(
        f"{folder}: expected a folder, as there are several sources; {folder.stem}/ is one"
    )


def expanded(sources: Sequence[Path]) -> list[Path]:
    """Return the files that paths, folders and patterns name, folders in natural order.

    In a folder everything that a loader knows counts, and what is called like a picture and then
    fails with its reason; hidden files and ENVI headers, whose data lie beside them, do not.

    Raises
    ------
    ReadError
        A folder or a pattern holds no such file, or a file is missing.
    """
    found: list[Path] = []
    for source in sources:
        if not (source.is_dir() or is_pattern(source)):
            found.append(source)
            continue
        known = [path for path in sorted(listed(source), key=natural) if _is_input(path)]
        if not known:
            kind = "folder" if source.is_dir() else "pattern"
            raise ReadError(f"{source}: expected pictures or cubes, found none in this {kind}")
        found += known
    return found


def _is_input(path: Path) -> bool:
    if path.name.startswith(".") or is_envi_header(path):
        return False
    try:
        return registry.loader_name(path) != "mesh"
    except GwTransferError:
        return _is_written(path)


def _is_written(path: Path) -> bool:
    """Tell whether something writes files of this name."""
    try:
        registry.writer_for(path, write=None)
    except GwTransferError:
        return False
    return True


def output_names(sources: Sequence[Path], folder: Path, extension: str | None) -> list[Path]:
    """Return the outputs of files: their names in a folder, with an extension that is written.

    Parameters
    ----------
    extension : str or None
        With or without the dot; None keeps each file's own where something writes it, and takes
        ``.png`` elsewhere, ``.mp4`` for films.

    Raises
    ------
    UsageError
        Two files would have one output, one its own name, or the extension is none.
    """
    if extension is not None:
        if "/" in extension:
            raise UsageError(f"--format {extension}: expected an extension like png")
        extension = f".{extension.lstrip('.')}"
    named: dict[Path, Path] = {}
    for source in sources:
        output = folder / (source.stem + (extension or _own_extension(source)))
        if output.exists() and output.samefile(source):
            raise UsageError(f"{output}: the output is the input; choose another folder")
        if output in named:
            raise UsageError(
                f"{output}: both {named[output]} and {source} would be written there; "
                "use two folders"
            )
        named[output] = source
    return list(named)


def _own_extension(source: Path) -> str:
    if _is_written(source):
        return source.suffix
    return ".mp4" if registry.loader_name(source) == "film" else ".png"


def make_folder(folder: Path) -> None:
    """Make the output folder if there is none.

    Raises
    ------
    WriteError
        A file has that name, or the folder above is missing or not writable.
    """
    if folder.exists() and not folder.is_dir():
        raise WriteError(f"{folder}: expected a folder, as there are several sources, found a file")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise WriteError(f"{folder}: cannot be made: {error.strerror}") from error


def each(
    sources: Sequence[Path], outputs: Sequence[Path], one: Callable[[Path, Path], Colored]
) -> Iterator[Outcome]:
    """Do one file after the other; a file that fails does not stop the rest."""
    for source, output in zip(sources, outputs, strict=True):
        try:
            yield Outcome(source=source, output=output, done=one(source, output), error=None)
        except GwTransferError as error:
            yield Outcome(source=source, output=output, done=None, error=error)
