"""`--skip-existing` and `--depfile`: outputs that are current stay, and what they are made of."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gwtransfer_cli import calls, console
from gwtransfer_cli.calls import Answer

if TYPE_CHECKING:
    from gwtransfer_cli.calls import Call, Function


def kept_up(
    function: "Function", call: "Call", given: Mapping[str, Any], common: Mapping[str, Any]
) -> Answer:
    """Carry out a call, unless its outputs are current; note what they were made of."""
    from gwtransfer import upkeep
    from gwtransfer.errors import UsageError

    skips, depfile = common.get("skip_existing", False), common.get("depfile")
    call.skips = skips
    inputs, outputs = call.paths(call.traits.reads), call.paths(call.traits.writes)
    if skips and (Path("-") in [*inputs, *outputs] or not outputs):
        raise UsageError("--skip-existing: expected a named output and inputs, found a stream")
    if skips and not call.traits.many:
        check_apart(inputs, outputs)
    recipe = common.get("recipe_file")
    recipes = [] if recipe is None or str(recipe) == "-" else [recipe]
    if depfile is not None:
        logs = [] if common["log_file"] is None else [common["log_file"]]
        check_depfile(depfile, [*inputs, *recipes, *outputs, *logs])
    if skips and not call.traits.many:
        answer = _unless_current(function, call, given, inputs, outputs)
    else:
        answer = function(**given)
    if depfile is not None and answer.code == 0:
        rules = [(one, inputs) for one in outputs] if answer.rules is None else answer.rules
        upkeep.write_depfile(depfile, [(one, [*made_of, *recipes]) for one, made_of in rules])
    return answer


def check_apart(inputs: list[Path], outputs: list[Path]) -> None:
    """Refuse an output in a folder that is read: it would change what it is made of.

    Raises
    ------
    UsageError
    """
    from gwtransfer.errors import UsageError

    for output in outputs:
        for one in inputs:
            if one.is_dir() and output.resolve().is_relative_to(one.resolve()):
                raise UsageError(
                    f"--skip-existing: {output} lies in {one}, which it is made of; write it "
                    "elsewhere"
                )


def check_depfile(path: Path, others: list[Path]) -> None:
    """Refuse a depfile before any work is done.

    Raises
    ------
    UsageError
        It is one of the other files, or one of them is a stream.
    WriteError
        It cannot be written.
    """
    from gwtransfer import upkeep
    from gwtransfer.errors import UsageError
    from gwtransfer.io import files

    if Path("-") in [path, *others]:
        raise UsageError("--depfile: expected named files, found a stream")
    for one in others:
        if path.resolve() == one.resolve():
            raise UsageError(f"{path}: the depfile is {one}; choose another name")
    upkeep.check_names(path, [one for one in others if not files.is_pattern(one)])
    files.check_output(path, overwrite=True, inputs=others)


def _unless_current(
    function: "Function",
    call: "Call",
    given: Mapping[str, Any],
    inputs: list[Path],
    outputs: list[Path],
) -> Answer:
    from gwtransfer import upkeep

    key = upkeep.key_of(keywords(call), inputs)
    if all(upkeep.is_current(output, key) for output in outputs):
        console.say(f"{'kept':<9}{', '.join(map(str, outputs))}")
        return Answer(figures={"kept": [str(output) for output in outputs]})
    ours = all(upkeep.is_ours(output) for output in outputs if output.exists())
    refused = [one for one in outputs if one.exists() and not (ours or given["overwrite"])]
    with upkeep.keeping([] if refused else outputs, key) as good:
        answer = function(**{**given, "overwrite": given["overwrite"] or ours})
        if answer.code:
            good.clear()
    return answer


class Keeper:
    """Keeps up the outputs of a call that may have many.

    Attributes
    ----------
    beside : list of Path
        What every output is made of beside its own source.
    """

    def __init__(self, beside: list[Path]) -> None:
        self.beside = beside
        self._call = calls.current()
        self._keys: dict[Path, str] = {}

    def keeps(self, source: Path, output: Path) -> bool:
        """Tell whether an output is current and shall stay."""
        from gwtransfer import upkeep
        from gwtransfer.errors import ReadError

        if not self._call.skips:
            return False
        try:
            key = upkeep.key_of(keywords(self._call), [source, *self.beside])
        except ReadError:
            return False  # who opens it says what is wrong
        self._keys[output] = key
        return upkeep.is_current(output, key)

    @contextmanager
    def keeping(self, output: Path, *, overwrite: bool) -> Iterator[bool]:
        """Note what an output is made of by the block, which is told whether it may replace it."""
        from gwtransfer import upkeep

        if output not in self._keys:
            yield overwrite
            return
        may = overwrite or upkeep.is_ours(output)
        with upkeep.keeping([output] if may or not output.exists() else [], self._keys[output]):
            yield may


def keywords(call: "Call") -> dict[str, Any]:
    """Return all of a call that decides what it makes, beside the contents of its inputs."""
    from gwtransfer import registry
    from gwtransfer.recipefile import OF_THIS_RUN

    said = {
        call.form.keys[name]: value
        for name, value in call.given.items()
        if call.form.keys[name] not in OF_THIS_RUN and name not in call.traits.reads
    }
    read = {name: call.given[name] for name in call.traits.reads if call.given[name]}
    words = {
        name: value
        for name, value in read.items()
        if isinstance(value, str) and not call.paths([name])  # "from-folder" is no file
    }
    said |= {"reads": sorted(read), **words}  # a mask is not a palette of the same contents
    owners = {(one.package, one.version) for one in registry.stages()}
    others = [list(one) for one in sorted(owners) if one[0] != "gwtransfer"]
    return {
        "command": call.name,
        **_plain(said),
        "tables": _plain(call.tables),
        "plug-ins": others,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value
