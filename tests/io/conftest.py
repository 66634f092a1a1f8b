"""Nothing this room does may reach stdout or stderr."""

import pytest


@pytest.fixture(autouse=True)
def silence(capfd: pytest.CaptureFixture[str]):
    yield
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
