"""Standard input and output, quiet and verbose runs, the log, and what JSON holds."""

import io
import json
import shlex
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from gwtransfer_cli.schemas import FIGURES, schema_of

from .conftest import QUICK, Run

COLOR = ("color", "cube.npy", "palette.png", "-k", "3", *QUICK)


class Piped(io.TextIOWrapper):
    """A standard stream that holds bytes."""

    def __init__(self, held: bytes = b"") -> None:
        super().__init__(io.BytesIO(held), encoding="utf-8", write_through=True)

    @property
    def held(self) -> bytes:
        """All that was written."""
        return self.buffer.getvalue()  # type: ignore[attr-defined]


def piped(
    monkeypatch: pytest.MonkeyPatch, run: Run, *arguments: object, given: bytes = b""
) -> tuple[int, bytes, str]:
    """Run with bytes in; return the exit code, bytes out and stderr."""
    out = Piped()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", Piped(given))
        patch.setattr(sys, "stdout", out)
        result = run(*arguments)
    return result.code, out.held, result.err


@pytest.mark.parametrize("source", ["cube.npy", "photo.png"])
def test_pictures_come_and_go_through_pipes(
    done: Run, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """The bytes on stdout are those of the file; the summary goes to stderr, in plain words."""
    arguments = ("palette.png", "-k", "3", *(QUICK if source == "cube.npy" else ()))
    done("color", source, *arguments, "-o", "out.png")
    code, out, err = piped(
        monkeypatch, run, "color", "-", *arguments, "-o", "-", given=Path(source).read_bytes()
    )
    assert (code, out) == (0, Path("out.png").read_bytes())
    assert "source   standard input: 24 × 20 pixels" in err
    assert "result   standard output:" in err
    assert "/tmp" not in err


def test_other_outputs_go_to_pipes(
    done: Run, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mixtures, plans, tables of colours, another format; and a palette comes in."""
    for arguments, name in (
        (("fit", "photo.png", "-k", "2"), "m.npz"),
        (("plan", "m.npz", "m.npz"), "p.npz"),
        (("lut", "p.npz", "--size", "5"), "l.cube"),
    ):
        done(*arguments, "-o", name)
        code, out, _ = piped(monkeypatch, run, *arguments, "-o", "-", "-q")
        assert (code, out) == (0, Path(name).read_bytes())
    jpeg = ("color", "photo.png", "-", "-k", "2", "-o", "-", "--format", "jpg", "-q")
    code, out, err = piped(monkeypatch, run, *jpeg, given=Path("palette.png").read_bytes())
    assert (code, out[:3], err) == (0, b"\xff\xd8\xff", "")


def test_tables_are_read_from_pipes(
    done: Run, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`pairwise -o -` into `evaluate -`."""
    Path("shapes").mkdir()
    for number, name in enumerate(("a1.xyz", "a2.xyz", "b1.xyz")):
        points = np.random.default_rng(number).normal(size=(30, 3))
        np.savetxt(Path("shapes", name), points)
    code, table, err = piped(
        monkeypatch, run, *("pairwise", "shapes", "-o", "-", "-k", "2", "--cache", "w"), "-q"
    )
    assert (code, err, table[:11]) == (0, "", b"name,a1.xyz")
    Path("l.csv").write_text("name,label\na1.xyz,a\na2.xyz,a\nb1.xyz,b\n")
    code, out, _ = piped(
        monkeypatch, run, "evaluate", "-", "--labels", "l.csv", "--json", given=table
    )
    assert (code, json.loads(out)["overall"]["queries"]) == (0, 2)


WRONG = {
    ("color", "-", "-", "-o", "out.png"): "expected one input from standard input, found several",
    (*COLOR, "-o", "-", "--json"): "--json and --output - both want standard output",
    (*COLOR, "-o", "out.png", "--save-plan", "-"): "--save-plan -: expected a file",
    (*COLOR, "-o", "out.png", "--format", "png"): "--format says what goes to standard output",
    (*COLOR, "-o", "-", "--skip-existing"): "--skip-existing: expected a named output",
    (*COLOR, "-o", "-", "--depfile", "d"): "--depfile: expected named files",
    (*COLOR, "-o", "-", "--format", "xyz"): ".xyz",
    (*COLOR, "-o", "out.png", "--log-file", "out.png"): "the log is out.png",
    (*COLOR, "-o", "out.png", "--log-file", "no/log"): "no/log: cannot be written",
    (*COLOR, "-o", "out.png", "--depfile", "cube.npy"): "the depfile is cube.npy",
    (*COLOR, "-o", "a=b.png", "--depfile", "d"): "make understands no name with '=', found a=b.png",
    (*COLOR, "-o", "out.png", "--depfile", "-"): "--depfile: expected named files",
    ("schema", "colr"): "did you mean color?",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_streams_that_cannot_be_are_refused(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """One line, before any work; nothing appears."""
    code, out, err = piped(monkeypatch, run, *arguments)
    assert (code in (1, 2), out, err.count("\n")) == (True, b"", 1)
    assert WRONG[arguments] in err
    assert not Path("out.png").exists()


def test_a_terminal_gets_no_picture(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes of a picture would only garble it, and nobody types a picture."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Piped())
        patch.setattr(sys.stdout, "isatty", lambda: True)
        result = run(*COLOR, "-o", "-")
    assert (result.code, "found a terminal; add > FILE" in result.err) == (2, True)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", Piped())
        patch.setattr(sys.stdin, "isatty", lambda: True)
        result = run("inspect", "-")
    assert (result.code, "found a terminal" in result.err) == (2, True)


def test_quiet_says_what_was_asked_for_only(done: Run, folder: Path) -> None:
    """No summary, no notes; a number or a table is what was asked for."""
    assert done(*COLOR, "-o", "out.png", "-q").out == ""
    loud = done("distance", "photo.png", "palette.png", "-k", "2").out
    assert done("distance", "photo.png", "palette.png", "-k", "2", "-q").out == loud
    assert done("inspect", "photo.png", "--quiet").out.startswith("kind")


def test_verbose_and_the_log_tell_the_steps(run: Run, folder: Path) -> None:
    """Steps in their order, on stderr; the log has all that was said, run after run."""
    result = run(*COLOR, "-o", "out.png", "-v", "--log-file", "log.txt")
    assert result.code == 0
    steps = [line.split(" s  ", 1)[1] for line in result.err.strip().split("\n")]
    settled = "settled: prepare color, fit gmm, plan mew2, map mean"
    fits = ["fit palette.png", "fit cube.npy"]
    assert steps == [settled, *fits, "plan", "apply"]
    run(*COLOR, "-o", "out.png", "--log-file", "log.txt")
    lines = [line[10:].split(maxsplit=1) for line in Path("log.txt").read_text().splitlines()]
    assert lines[0] == ["run", f"gwtransfer {' '.join(COLOR)} -o out.png -v --log-file log.txt"]
    assert [kind for kind, _ in lines] == (["run"] + ["step"] * 5 + ["said"] * 5 + ["run", "error"])
    assert lines[-1][1] == "out.png: already exists; add --overwrite to replace it"


OUTPUTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "color": ((*COLOR, "-o", "out.png", "--skip-existing"),) * 2,
    "fit": (("fit", "photo.png", "-o", "f.npz", "-k", "2"),),
    "plan": (("plan", "a.npz", "b.npz", "-o", "p.npz"),),
    "apply": (
        ("apply", "ab.npz", "photo.png", "-o", "x.png"),
        ("apply", "ab.npz", "photo.png", "gray.png", "-o", "x/"),
    ),
    "lut": (("lut", "ab.npz", "-o", "x.cube", "--size", "5"),),
    "measure": (("measure", "photo.png", "palette.png"), ("measure", "photo.png", "photo.png")),
    "diagnose": (("diagnose", "ab.npz"), ("diagnose", "ab.npz", "--source", "photo.png")),
    "distance": (("distance", "a.npz", "b.npz"), ("distance", "m.xyz", "n.xyz", "-k", "2")),
    "match": (
        ("match", "m.xyz", "n.xyz", "--rigid", "-o", "m.csv", "--report", "m.html"),
        ("match", "m.off", "m.off", "--prepare", "xyz", "-k", "2", "--truth", "same-index"),
    ),
    "pairwise": (
        ("pairwise", "shapes", "-o", "d.csv", "-k", "2", "--report", "d.html"),
        ("pairwise", "shapes", "-o", "d.csv", "-k", "2", "--shard", "1/2"),
    ),
    "evaluate": (("evaluate", "t.csv", "--labels", "l.csv"),),
    "embed": (("embed", "t.csv", "-o", "t2.csv"),),
    "report": (("report", "ab.npz", "-o", "r.html"),),
    "study": (
        ("study", "starts", "photo.png", "palette.png", "-o", "s", "-k", "2", "--seeds", "2"),
        ("study", "noise", "m.xyz", "n.xyz", "-o", "n", "-k", "3", "--levels", "0.1"),
    ),
    "inspect": (("inspect", "cube.npy"), ("inspect", "ab.npz"), ("inspect", "m.xyz")),
    "stages": (("stages",), ("stages", "map")),
}


@pytest.mark.parametrize("command", OUTPUTS)
def test_json_is_what_its_schema_says(run: Run, folder: Path, command: str) -> None:
    """One object on one line, valid under `gwtransfer schema`; nothing else on stdout."""
    for number, name in enumerate(("m.xyz", "n.xyz")):
        points = np.random.default_rng(number).normal(size=(30, 3)) * (1, 2, 3)
        np.savetxt(name, points)
    faces = "3 0 2 1\n3 0 1 3\n3 0 3 2\n3 1 2 3\n"
    Path("m.off").write_text(f"OFF\n4 4 0\n0 0 0\n1 0 0\n0 2 0\n0 0 3\n{faces}")
    Path("shapes").mkdir()
    for name in ("m.xyz", "n.xyz"):
        Path("shapes", name).write_bytes(Path(name).read_bytes())
    if "npz" in str(OUTPUTS[command]):
        run("fit", "photo.png", "-o", "a.npz", "-k", "2")
        run("fit", "palette.png", "-o", "b.npz", "-k", "2")
        run("plan", "a.npz", "b.npz", "-o", "ab.npz")
    Path("t.csv").write_text("name,a,b,c\na,0,1,2\nb,1,0,3\nc,2,3,0\n")
    Path("l.csv").write_text("name,label\na,x\nb,x\nc,y\n")
    schema = json.loads(run("schema", command).out)
    jsonschema.Draft202012Validator.check_schema(schema)
    for arguments in OUTPUTS[command]:
        result = run(*arguments, "--json")
        assert (result.code in (0, 3), result.out.count("\n")) == (True, 1), result.err
        told = json.loads(result.out)
        jsonschema.validate(told, schema)
        assert told["command"] == command


def test_every_command_with_json_has_a_schema(run: Run) -> None:
    """And an example here, but for the one that writes a package, which is tried elsewhere."""
    assert set(OUTPUTS) | {"new-stage"} == set(FIGURES)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"gwtransfer": "0", "command": "plan"}, schema_of("plan"))


PROGRAM = (sys.executable, "-c", "from gwtransfer_cli.program import run; run()")


def test_a_reader_who_leaves_is_no_error(folder: Path) -> None:
    """SIGPIPE is quiet: no traceback, no word."""
    process = subprocess.Popen(
        [*PROGRAM, "stages"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(30) == 1


def test_colours_are_for_terminals(folder: Path) -> None:
    """Away from one there is no escape sequence, in help, results or errors."""
    for arguments in (["color", "--help"], ["stages", "map"], ["color"]):
        done = subprocess.run(
            [*PROGRAM, *arguments], capture_output=True, env={"FORCE_COLOR": ""}, check=False
        )
        assert b"\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&-"])
def test_closed_streams_are_no_errors(folder: Path, closed: str) -> None:
    """As under daemons and in cron: the work is done, and nobody is told."""
    line = " ".join(map(shlex.quote, [*PROGRAM, "fit", "photo.png", "-k", "2", "-o", "m.npz"]))
    done = subprocess.run(f"{line} {closed}", shell=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert Path("m.npz").exists()


def test_words_that_nobody_can_read_change_no_exit_code(folder: Path) -> None:
    """A lost terminal or a full disk on stderr: the code still says what happened."""
    line = " ".join(map(shlex.quote, PROGRAM))
    for arguments, code in (
        ("color --bogus", 2),
        ("inspect no.png", 1),
        ("inspect -v photo.png", 0),
    ):
        done = subprocess.run(
            f"{line} {arguments} 2>/dev/full", shell=True, capture_output=True, check=False
        )
        assert done.returncode == code


def test_a_closed_output_is_refused(folder: Path) -> None:
    """A picture cannot go where nothing is."""
    line = " ".join(map(shlex.quote, [*PROGRAM, *COLOR, "-o", "-"]))
    done = subprocess.run(f"{line} >&-", shell=True, capture_output=True, text=True, check=False)
    assert (done.returncode, "found standard output closed" in done.stderr) == (2, True)


def test_two_runs_in_two_threads_keep_apart(folder: Path) -> None:
    """Each artefact says what it was made by."""
    from threading import Thread

    from gwtransfer.io import store
    from gwtransfer_cli.app import main

    jobs = [("photo.png", "a.npz"), ("palette.png", "b.npz")]
    threads = [
        Thread(target=main, args=(["fit", source, "-o", name, "-k", "2", "-q"],))
        for source, name in jobs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for source, name in jobs:
        assert store.load_artefact(Path(name))[1]["recipe"]["file"] == source
