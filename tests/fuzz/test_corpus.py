"""Every input that the fuzzer started from or found comes back soon: read, or refused in a line."""

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .targets import SLOW, TARGETS, run

CORPUS = Path(__file__).parent / "corpus"
INPUTS = {name: sorted((CORPUS / name).iterdir()) for name in TARGETS}


@pytest.mark.parametrize("target", TARGETS)
def test_the_corpus_is_read_or_refused(
    target: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Within the time and memory an input may take, and in silence; something of it is read."""
    read = 0
    for place, path in enumerate(INPUTS[target]):
        folder = tmp_path / str(place)
        folder.mkdir()
        begun = time.process_time()
        read += run(target, path.read_bytes(), folder) is None
        assert time.process_time() - begun < SLOW, path.name
    assert read
    assert capfd.readouterr() == ("", "")


@given(data=st.data())
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("target", TARGETS)
def test_changed_inputs_are_read_or_refused(
    target: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With bytes changed, cut out, doubled or cut off, as the fuzzer does where it is at hand."""
    content = bytearray(data.draw(st.sampled_from(INPUTS[target])).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(len(content) - 1, 0)))
        change = data.draw(st.sampled_from(["set", "cut", "double", "end"]))
        length = data.draw(st.integers(1, 16))
        if change == "set":
            content[at : at + length] = data.draw(st.binary(min_size=length, max_size=length))
        elif change == "cut":
            del content[at : at + length]
        elif change == "double":
            content[at:at] = content[at : at + length]
        else:
            del content[at:]
    run(target, bytes(content), tmp_path_factory.mktemp("changed"))


def test_the_corpus_is_small() -> None:
    """It is kept with the code: less than 300 kB."""
    assert sum(path.stat().st_size for paths in INPUTS.values() for path in paths) < 300_000
