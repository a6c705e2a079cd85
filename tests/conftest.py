from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, settings

from browsers import MISSING, chromium
from tries import tries

pytest_plugins = ["pytester", "browsing"]

# Whoever keeps Python from writing bytecode would have each worker rewrite every test file, and
# each process under test compile all of the package.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Look for garbage among what is old seldom. What is new is looked at as often as ever, since the
# memory budget of a recording depends on it.
gc.set_threshold(gc.get_threshold()[0], 50, 50)


def pytest_collection_finish() -> None:
    """Modules and tests are no garbage: look for it only among what comes after them."""
    gc.freeze()


def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object]) -> None:
    """Import what a run in this process imports, before pytester remembers what there was.

    Numpy cannot be imported a second time.
    """
    if fixturedef.argname == "pytester":
        from plugin_runs import import_everything  # noqa: PLC0415 - it needs PyTorch's time

        import_everything()


@pytest.fixture(scope="module", autouse=True)
def left() -> Iterator[None]:
    """Nor is what the tests of a file have left, such as recordings that others share.

    To look through a million old objects again and again takes a fifth of the time.
    """
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def disk() -> Iterator[None]:
    """Files need not be on the disk: no test cuts the power."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


# Nothing on a screen moves by itself, unless a test asks for it.
os.environ["TEXTUAL_ANIMATIONS"] = "none"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what is skipped where PyTorch or a browser is not installed."""
    if find_spec("torch") is None:
        terminalreporter.write_line(
            "without PyTorch, its tests are skipped: pip install '.[torch]'"
        )
    if chromium() is None:
        terminalreporter.write_line(MISSING)


def pytest_xdist_auto_num_workers() -> int:
    """Run one test more than there are processors: some wait for a screen or for a process.

    Each process collects all tests, which takes seconds.
    """
    return 1 + (os.cpu_count() or 1)


# No test reads or writes the progress of whoever runs it; neither do the processes that one starts.
os.environ["STEPGRAD_STATE"] = "off"

# How fast a machine is says nothing about the code.
settings.register_profile(
    "any machine",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=tries(100),
)
settings.load_profile("any machine")
