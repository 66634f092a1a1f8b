"""Stages are discovered without importing, imported one at a time, and fail by name."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import distributions
from pathlib import Path

import pytest

from gwtransfer import declared, registry
from gwtransfer.errors import (
    AmbiguousError,
    PluginError,
    ReadError,
    UnknownStageError,
    UsageError,
)

Install = Callable[..., None]

HEAD = """
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal
from gwtransfer.errors import UsageError

stage = dataclass(frozen=True, kw_only=True)
"""

FIT = '''
@stage
class Kmeans:
    """Fit by k-means.

    Attributes
    ----------
    components : int
        How many Gaussians;
        at least one.
    tolerance, floor : float
        Relative to the scale of the data.

    Raises
    ------
    UsageError
        No components.
    """

    components: int = 10
    tolerance: float = 1e-3
    floor: float = 0.0
    restart: bool = False
    shape: Literal["full", "diagonal"] = "full"
    most: int | None = None
    label: str | None = None
    power: Literal["auto"] | float = "auto"
    sizes: list[int] = field(default_factory=lambda: [1, 2])
    kind: ClassVar[str] = "fit"

    def __post_init__(self):
        if self.components < 1:
            raise UsageError("components: expected at least 1")

    def __call__(self, points, *, seed):
        return None
'''


def loader(name: str, claim: str, options: str = "") -> str:
    """Return the source of a load stage whose ``claims`` evaluates an expression of ``path``."""
    return f"""
@stage
class {name}:
    {options}
    @staticmethod
    def claims(path):
        return {claim}
    def __call__(self, path):
        return None
"""


ABC = loader("Abc", "path.read_bytes().startswith(b'ABC')", "variable: str | None = None")


def broken_fit(body: str) -> str:
    """Return the source of a fit stage with a body of its own."""
    return f"@stage\nclass Stage:\n    def __call__(self, points, *, seed): ...\n    {body}"


def writer(name: str, extensions: object) -> str:
    """Return the source of a write stage."""
    return f"""
@stage
class {name}:
    quality: int = 90
    extensions: ClassVar[tuple[str, ...]] = {extensions!r}
    def check(self, raster):
        return None
    def __call__(self, raster, path):
        return None
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Lay packages with a dist-info in a folder that is the only place stages are looked for."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    before = set(sys.modules)

    monkeypatch.setattr(declared, "distributions", lambda: distributions(path=[str(site)]))

    def lay(
        package: str,
        stages: Mapping[str, str],
        code: str,
        version: str = "1.2",
        entries: str | bytes = "",
    ) -> None:
        (site / f"{package}.py").write_text(HEAD + code)
        info = site / f"{package}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
        )
        lines = []
        for place, name in stages.items():
            kind, _, called = place.partition(".")
            lines += [f"[gwtransfer.{kind}]", f"{called} = {package}:{name}"]
        text = entries or "\n".join(lines) + "\n"
        (info / "entry_points.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
        registry.refresh()

    registry.refresh()
    yield lay
    registry.refresh()
    for name in set(sys.modules) - before:
        if str(site) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def kmeans(install: Install) -> None:
    install("clusters", {"fit.kmeans": "Kmeans"}, FIT)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "field.abc"
    path.write_bytes(b"ABC1")
    return path


# ---------------------------------------------------------------- discovery


def test_an_installed_package_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dist-info anywhere on sys.path brings its stages in."""
    info = tmp_path / "wild-3.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wild\nVersion: 3.0\n")
    (info / "entry_points.txt").write_text("[gwtransfer.map]\nwild-map = wild:Wild\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.refresh()
    found = [stage for stage in registry.stages("map") if stage.name == "wild-map"]
    registry.refresh()
    assert [(s.kind, s.package, s.version, s.entry.value) for s in found] == [
        ("map", "wild", "3.0", "wild:Wild")
    ]


def test_listing_imports_nothing(install: Install) -> None:
    """Stages are listed in the order of the verbs, then by name, and no module is loaded."""
    install("second", {"fit.b": "B", "load.z": "Z"}, "raise RuntimeError('imported')")
    install("first", {"fit.a": "A"}, "raise RuntimeError('imported')")
    listed = [(s.kind, s.name, s.package) for s in registry.stages()]
    assert listed == [("load", "z", "second"), ("fit", "a", "first"), ("fit", "b", "second")]
    assert [s.name for s in registry.stages("fit")] == ["a", "b"]
    assert {"first", "second"}.isdisjoint(sys.modules)


def test_find_imports_only_the_stage_asked_for(install: Install, kmeans: None) -> None:
    """A broken neighbour is not imported, so it cannot harm."""
    install("broken", {"fit.other": "Other"}, "import no_such_module_anywhere")
    assert registry.find("fit", "kmeans").__name__ == "Kmeans"
    assert "broken" not in sys.modules


def test_the_registry_loads_no_heavy_library() -> None:
    """Listing stages for a help text must not cost the import of numpy."""
    code = (
        "import sys, gwtransfer.registry as r; r.stages(); "
        "print(sorted({'numpy', 'scipy', 'ot', 'sklearn', 'rasterio'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ---------------------------------------------------------------- failures by name


def test_an_unknown_name_lists_the_names_there_are(kmeans: None) -> None:
    """A misspelt stage is answered with the nearest and with all."""
    with pytest.raises(UnknownStageError, match=r"no fit stage .*'kmean'.*mean kmeans\?.*\(exp"):
        registry.find("fit", "kmean")
    with pytest.raises(UnknownStageError, match="'anything'; there are none"):
        registry.find("map", "anything")


def test_an_unknown_kind_lists_the_kinds(kmeans: None) -> None:
    """A misspelt kind is answered with the six verbs."""
    with pytest.raises(UnknownStageError, match=r"'fits'; did you mean fit\? .*load, prepare"):
        registry.find("fits", "kmeans")
    with pytest.raises(UnknownStageError, match="no kind"):
        registry.stages("read")


def test_two_owners_are_an_error_naming_both_only_when_asked(install: Install) -> None:
    """A collision is listed twice, and stops only the run that needs the name."""
    install("clusters", {"fit.kmeans": "Kmeans"}, FIT)
    install("rival", {"fit.kmeans": "Kmeans", "load.kmeans": "Abc"}, FIT + ABC, version="0.9")
    assert [s.package for s in registry.stages("fit")] == ["clusters", "rival"]
    with pytest.raises(PluginError, match=r"clusters 1\.2 and rival 0\.9"):
        registry.find("fit", "kmeans")
    assert registry.find("load", "kmeans").__module__ == "rival"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import no_such_module_anywhere", "ModuleNotFoundError: No module named 'no_such_mod"),
        ("raise RuntimeError('line one\\nline two')", "RuntimeError: line one$"),
        ("class Other: pass", "AttributeError"),
        ("Stage = 3", "is not a frozen dataclass"),
        ("class Stage: pass", "is not a frozen dataclass"),
        ("@dataclass\nclass Stage: pass", "is not a frozen dataclass"),
        ("@stage\nclass Stage:\n    size: int", "gives its option size no default"),
        ("@stage\nclass Stage:\n    size: int = 1", "does not define __call__"),
        (
            "@stage\nclass Stage:\n    size: 'Nowhere' = 1\n    def __call__(self): ...",
            "types cannot be told: name 'Nowhere'",
        ),
        ("raise SystemExit(3)", "cannot be imported: SystemExit: 3$"),
        ("class Odd(BaseException): pass\nraise Odd('enough')", "imported: Odd: enough$"),
        ("def (:", "cannot be imported: SyntaxError: invalid syntax"),
        ("import os\nos.environ['NO_SUCH_NAME']", "cannot be imported: KeyError"),
        (
            "@stage\nclass Stage:\n    sizes: list[int] = []\n    def __call__(self, points): ...",
            "cannot be imported: ValueError: mutable default",
        ),
        (
            "@stage\nclass Stage:\n    def __call__(self, points): ...",
            r"has a __call__ that cannot be called with \(self, points, \*, seed\): got an unexp",
        ),
        (broken_fit("path: Path = Path('x')"), "option path a default that no recipe can hold"),
        (
            broken_fit("levels: list[int] = 4"),
            "option levels a default of another type: expected list, found 4$",
        ),
        (broken_fit("mode: Literal['a'] = 'b'"), "expected one of a, found 'b'$"),
        (broken_fit("size: int = '4'"), "expected an integer, found '4'$"),
        (broken_fit("def __post_init__(self): 1 / 0"), "with its defaults: ZeroDivisionError"),
        (
            broken_fit("sizes: list[int] = field(default_factory=lambda: int('x'))"),
            "with its defaults: ValueError: invalid literal",
        ),
    ],
)
def test_a_plugin_that_cannot_provide_names_itself(install: Install, code: str, words: str) -> None:
    """The error names the stage, the package, its version and the cause, on one line."""
    install("faulty", {"fit.thing": "Stage"}, code, version="7.0")
    with pytest.raises(PluginError, match=words) as caught:
        registry.find("fit", "thing")
    assert "fit stage thing of faulty 7.0" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_loader_must_claim_and_a_writer_must_check(install: Install) -> None:
    """The duties of a kind are looked at before the stage is used."""
    code = "@stage\nclass Stage:\n    def __call__(self, *given): ..."
    install("half", {"load.half": "Stage", "write.half": "Stage"}, code)
    with pytest.raises(PluginError, match="does not define claims"):
        registry.find("load", "half")
    with pytest.raises(PluginError, match="does not define check"):
        registry.find("write", "half")


@pytest.mark.parametrize(
    "extensions", [".abc", (), ("abc",), (".ABC",), (".",), [".abc"], (b".abc",), None]
)
def test_a_writer_of_odd_extensions_takes_no_file_from_others(
    install: Install, extensions: object
) -> None:
    """A text for a tuple would end many names: it is refused, and the proper writer is found."""
    install("short", {"write.tif": "Tif"}, writer("Tif", (".tif",)))
    install("odd", {"write.odd": "Odd"}, writer("Odd", extensions))
    assert type(registry.writer_for(Path("abc.tif"), write=None)).__name__ == "Tif"
    with pytest.raises(PluginError, match=r"odd of odd 1\.2 cannot be used: odd:Odd .*extensions"):
        registry.find("write", "odd")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("there:Nothing", "AttributeError: module 'there' has no attribute 'Nothing'"),
        ("nowhere.at.all:Stage", "ModuleNotFoundError: No module named 'nowhere'"),
        ("there:", "expected an entry point MODULE:CLASS, found 'there:'"),
        ("there", "is not a frozen dataclass"),
    ],
)
def test_an_entry_point_to_nowhere_is_named(install: Install, value: str, words: str) -> None:
    """The declared target does not exist: the stage, its package and the cause are said."""
    install("there", {}, "")
    install("odd", {"fit.odd": "X"}, "", entries=f"[gwtransfer.fit]\nodd = {value}\n")
    with pytest.raises(PluginError, match=r"fit stage odd of odd 1\.2") as caught:
        registry.find("fit", "odd")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "entries",
    [b"[gwtransfer.fit]\nno equals sign\n", b"[gwtransfer.fit]\nx = \xff\xfe:Y\n", b"\xff\xfe\x00"],
)
def test_damaged_metadata_hide_no_other_package(
    install: Install, kmeans: None, entries: bytes
) -> None:
    """The others are found, the folder of the damaged one is said where a stage is not."""
    install("damaged", {}, "", entries=entries)
    assert [stage.name for stage in registry.stages()] == ["kmeans"]
    (said,) = registry.unread()
    assert "damaged-1.2.dist-info is damaged: " in said
    with pytest.raises(UnknownStageError, match=r"not asked: .*damaged-1\.2"):
        registry.find("fit", "other")


def test_metadata_that_say_nothing_still_declare(install: Install, tmp_path: Path) -> None:
    """Without name or version the stages work, and messages say that these are not known."""
    install("plain", {"fit.kmeans": "Kmeans"}, FIT)
    (tmp_path / "site" / "plain-1.2.dist-info" / "METADATA").write_bytes(b"\n")
    registry.refresh()
    (stage,) = registry.stages()
    assert str(stage) == "fit stage kmeans of an unnamed package of unknown version"
    assert registry.find("fit", "kmeans").__name__ == "Kmeans"


def test_two_copies_of_one_package_are_one(install: Install) -> None:
    """An older copy left behind is no rival: Python would not import it either."""
    install("clusters", {"fit.kmeans": "Kmeans"}, FIT, version="2.0")
    install("clusters", {"fit.kmeans": "Kmeans"}, FIT, version="1.0")
    assert len(registry.stages()) == 1
    assert registry.find("fit", "kmeans").__name__ == "Kmeans"


def test_what_a_plugin_prints_does_not_reach_stdout(
    install: Install, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Imported, asked and made, a chatty plug-in speaks to stderr: stdout holds results."""
    claims = "print('asked') is None and path.read_bytes().startswith(b'ABC')"
    code = loader("Abc", claims) + "    def __post_init__(self): print('made')\nprint('imported')\n"
    install("chatty", {"load.abc": "Abc"}, code)
    registry.loader_for(file, load=None, options={})
    out, err = capsys.readouterr()
    assert out == ""
    assert {"imported", "asked", "made"} == set(err.split())


def test_a_stage_that_breaks_when_it_is_made_is_named(install: Install) -> None:
    """What __post_init__ raises by mistake becomes one line; what it refuses stays its own."""
    body = "size: int = 1\n    def __post_init__(self): [][self.size - 1 :] or {1: 1}[self.size]"
    install("fragile", {"fit.thing": "Stage"}, broken_fit(body))
    assert registry.build("fit", "thing", {"size": "1"}).size == 1
    with pytest.raises(PluginError, match=r"^fit stage thing of fragile 1\.2 cannot be made: KeyE"):
        registry.build("fit", "thing", {"size": "2"})


def test_errors_of_a_plugins_own_class_are_told_with_the_file(install: Install, file: Path) -> None:
    """A refusal whose class takes more than a message is told as the class of ours it extends."""
    code = """
class Picky(UsageError):
    def __init__(self, one, two):
        super().__init__(f"{one} is not {two}")
"""
    body = (
        "size: int = 1\n    def __post_init__(self):\n        if self.size > 1: raise Picky(1, 2)"
    )
    install("picky", {"load.abc": "Abc"}, code + loader("Abc", "True", body))
    with pytest.raises(UsageError, match=r"field\.abc: 1 is not 2$"):
        registry.loader_for(file, load=None, options={"size": 2})


def test_the_owner_of_a_stage_at_work_is_known(install: Install, kmeans: None) -> None:
    """Another's stage tells its package, also by a name it was imported to; our own tell none."""
    install("door", {"fit.again": "Kmeans"}, "from clusters import Kmeans")
    again = registry.owner(registry.build("fit", "again", {}))
    assert str(again) == "fit stage again of door 1.2"
    assert registry.owner(object()) is None


# ---------------------------------------------------------------- options


def test_options_come_from_the_fields_and_the_docstring(kmeans: None) -> None:
    """Name, type in words, default and help of each field, in order; class variables are none."""
    listed = registry.options(registry.find("fit", "kmeans"))
    assert [(o.name, o.type, o.default) for o in listed] == [
        ("components", "an integer", 10),
        ("tolerance", "a number", 1e-3),
        ("floor", "a number", 0.0),
        ("restart", "true or false", False),
        ("shape", "one of full, diagonal", "full"),
        ("most", "an integer or none", None),
        ("label", "text or none", None),
        ("power", "one of auto or a number", "auto"),
        ("sizes", "list", [1, 2]),
    ]
    said = {o.name: o.help for o in listed}
    assert said["components"] == "How many Gaussians; at least one."
    assert said["tolerance"] == said["floor"] == "Relative to the scale of the data."
    assert said["restart"] == ""


@pytest.mark.parametrize(
    ("option", "given", "value"),
    [
        ("components", "15", 15),
        ("components", 15, 15),
        ("tolerance", "1e-6", 1e-6),
        ("tolerance", 1, 1.0),
        ("restart", "yes", True),
        ("restart", "False", False),
        ("restart", True, True),
        ("shape", "diagonal", "diagonal"),
        ("most", "none", None),
        ("most", "7", 7),
        ("most", None, None),
        ("label", "12", "12"),
        ("label", "none", None),
        ("power", "auto", "auto"),
        ("power", "0.5", 0.5),
        ("sizes", [3], [3]),
    ],
)
def test_text_and_values_become_the_declared_type(
    kmeans: None, option: str, given: object, value: object
) -> None:
    """The command line gives text and a recipe gives values; both make the same stage."""
    made = getattr(registry.build("fit", "kmeans", {option: given}), option)
    assert made == value
    assert type(made) is type(value)


@pytest.mark.parametrize(
    ("option", "given", "words"),
    [
        ("components", "abc", "option components of kmeans: expected an integer, got 'abc'"),
        ("components", "1.5", "expected an integer, got '1.5'"),
        ("components", 1.5, "expected an integer, got 1.5"),
        ("components", True, "expected an integer, got True"),
        ("tolerance", "nan", "expected a number, got 'nan'"),
        ("tolerance", float("inf"), "expected a number, got inf"),
        ("tolerance", 10**400, "expected a number, got 1000"),
        ("restart", "maybe", "expected true or false, got 'maybe'"),
        ("restart", 1, "expected true or false, got 1"),
        ("shape", "round", "expected one of full, diagonal, got 'round'"),
        ("most", "few", "expected an integer or none, got 'few'"),
        ("label", 3, "expected text or none, got 3"),
        ("sizes", "1,2", "expected list, got '1,2'"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(
    kmeans: None, option: str, given: object, words: str
) -> None:
    """The message names the option, the stage, what was expected and what was found."""
    with pytest.raises(UsageError) as caught:
        registry.build("fit", "kmeans", {option: given})
    assert words in str(caught.value)


def test_an_unknown_option_is_answered_with_the_nearest(kmeans: None) -> None:
    """A misspelt option never passes silently."""
    with pytest.raises(UnknownStageError, match=r"'component'; did you mean components\?"):
        registry.build("fit", "kmeans", {"component": "3"})


def test_what_a_stage_refuses_passes_through(kmeans: None) -> None:
    """Range checks are the stage's own and arrive in its words."""
    with pytest.raises(UsageError, match=r"^components: expected at least 1$"):
        registry.build("fit", "kmeans", {"components": "0"})


# ---------------------------------------------------------------- files


def test_the_one_claimant_loads(install: Install, file: Path) -> None:
    """Content decides, and options reach the loader."""
    install("abc_files", {"load.abc": "Abc"}, ABC)
    install("never", {"load.never": "Never"}, loader("Never", "False"))
    made = registry.loader_for(file, load=None, options={"variable": "cube"})
    assert (type(made).__name__, made.variable) == ("Abc", "cube")  # type: ignore[attr-defined]


def test_two_claimants_stop_and_ask(install: Install, file: Path) -> None:
    """Nothing is guessed; naming one is enough."""
    install("abc_files", {"load.abc": "Abc"}, ABC)
    install("greedy", {"load.greedy": "Greedy"}, loader("Greedy", "True"))
    with pytest.raises(AmbiguousError, match=r"abc and greedy .*--load abc or --load greedy"):
        registry.loader_for(file, load=None, options={})
    assert type(registry.loader_for(file, load="greedy", options={})).__name__ == "Greedy"


def test_no_claimant_names_the_broken(install: Install, file: Path) -> None:
    """The message names the file, and each plug-in that could not be asked."""
    install("never", {"load.never": "Never"}, loader("Never", "False"))
    install("broken", {"load.lost": "Lost"}, "import no_such_module_anywhere")
    install("stumbling", {"load.odd": "Odd"}, loader("Odd", "1 / 0"))
    with pytest.raises(ReadError) as caught:
        registry.loader_for(file, load=None, options={})
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert "lost of broken 1.2 cannot be imported: ModuleNotFoundError" in message
    assert "odd fails to look at it: ZeroDivisionError" in message


def test_a_broken_plugin_does_not_hide_the_others(install: Install, file: Path) -> None:
    """A file is read although another loader cannot be imported or stumbles."""
    install("abc_files", {"load.abc": "Abc"}, ABC)
    install("broken", {"load.lost": "Lost"}, "import no_such_module_anywhere")
    install("stumbling", {"load.odd": "Odd"}, loader("Odd", "1 / 0"))
    install("ending", {"load.end": "End"}, loader("End", "exit(4)"))
    assert type(registry.loader_for(file, load=None, options={})).__name__ == "Abc"


def test_an_option_the_format_has_not_names_the_file(install: Install, file: Path) -> None:
    """``--variable`` on a picture says that pictures have none."""
    install("abc_files", {"load.abc": "Abc"}, ABC)
    with pytest.raises(UsageError, match=r"field\.abc: abc files have no option 'band'"):
        registry.loader_for(file, load=None, options={"band": 1})
    with pytest.raises(UsageError, match=r"field\.abc: option variable of abc: expected text"):
        registry.loader_for(file, load=None, options={"variable": 1})


def test_missing_empty_and_odd_paths_say_so(install: Install, tmp_path: Path) -> None:
    """A file that is not there is not called a file of unknown format."""
    install("greedy", {"load.greedy": "Greedy"}, loader("Greedy", "True"))
    empty = tmp_path / "empty.abc"
    empty.touch()
    for path, words in [
        (tmp_path / "none.abc", "no such file"),
        (empty, "empty file"),
        (tmp_path / ("x" * 5000), "too long"),
        (empty / "below.abc", "no such file"),
    ]:
        with pytest.raises(ReadError, match=words):
            registry.loader_for(path, load=None, options={})


def test_a_folder_nobody_knows_is_refused_as_one(tmp_path: Path) -> None:
    """A folder that is neither Zarr nor one image a band is told what a folder may be."""
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ReadError, match=r"expected a file, a Zarr folder, or a folder of one"):
        registry.loader_for(tmp_path, load=None, options={})
    with pytest.raises(ReadError, match="expected a pattern of at least two images"):
        registry.loader_for(tmp_path / "*.png", load=None, options={})


def test_the_extension_chooses_the_writer(install: Install) -> None:
    """Case does not matter, the longer extension wins, options reach the writer."""
    install("short", {"write.tif": "Tif"}, writer("Tif", (".tif", ".tiff")))
    install("long", {"write.ome": "Ome"}, writer("Ome", (".ome.tif",)))
    made = registry.writer_for(Path("a.TIF"), write=None, options={"quality": "5"})
    assert (type(made).__name__, made.quality) == ("Tif", 5)  # type: ignore[attr-defined]
    assert type(registry.writer_for(Path("a.ome.tif"), write=None)).__name__ == "Ome"
    assert type(registry.writer_for(Path("a.ome.tif"), write="tif")).__name__ == "Tif"


def test_an_extension_nobody_writes_lists_those_written(install: Install) -> None:
    """An unknown or absent extension is a misuse told before any work."""
    install("short", {"write.tif": "Tif"}, writer("Tif", (".tif", ".tiff")))
    install("broken", {"write.lost": "Lost"}, "import no_such_module_anywhere")
    with pytest.raises(UsageError, match=r"a\.xyz: nothing writes \.xyz; .*\.tif, \.tiff; .*lost"):
        registry.writer_for(Path("a.xyz"), write=None)
    with pytest.raises(UsageError, match="nothing writes files without extension"):
        registry.writer_for(Path("out"), write=None)
    with pytest.raises(UsageError, match=r"tif does not write \.xyz"):
        registry.writer_for(Path("a.xyz"), write="tif")
    with pytest.raises(PluginError, match="lost of broken"):
        registry.writer_for(Path("a.tif"), write="lost")


def test_two_writers_of_one_extension_stop_and_ask(install: Install) -> None:
    """Nothing is guessed; ``--write`` chooses."""
    install("one", {"write.one": "One"}, writer("One", (".abc",)))
    install("two", {"write.two": "Two"}, writer("Two", (".abc",)))
    with pytest.raises(AmbiguousError, match="--write one or --write two"):
        registry.writer_for(Path("a.abc"), write=None)
    assert type(registry.writer_for(Path("a.abc"), write="two")).__name__ == "Two"
