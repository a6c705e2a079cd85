"""Importing many modules: what that leaves for Python to collect."""

from __future__ import annotations

import gc
from unittest import mock

from processes import python, run
from stepgrad.loading import loading

# Each is new to this process.
IMPORTS = """
import gc
from stepgrad.loading import loading
with loading():
    assert not gc.isenabled()
    import colorsys
assert gc.isenabled()
assert gc.get_freeze_count() == 0, "garbage would never be collected"
with loading():
    import wave
    gc.freeze()
assert gc.get_freeze_count() > 0, "what is frozen inside stays frozen"
with loading():
    import quopri
assert gc.get_freeze_count() > 0, "what was frozen before stays frozen"
"""


def test_what_is_loaded_is_old_and_what_is_frozen_stays_so() -> None:
    ended = run(python("-c", IMPORTS))
    assert (ended.returncode, ended.stderr) == (0, "")


def test_where_nothing_is_loaded_nothing_is_counted() -> None:
    with mock.patch.object(gc, "get_freeze_count") as counted, loading():
        pass
    counted.assert_not_called()


OPENED = """
import gc, sys
from unittest import mock
import stepgrad.cli.run as command

def opened(recording, *_, **__):
    print("stepgrad.tui.app" in sys.modules, len(gc.get_objects(generation=0)) < 10_000)
    return 0

with mock.patch.multiple(command, has_screen=lambda: True, open_debugger=opened):
    command.run.main(["two_layer"])
"""


def test_the_screen_is_loaded_before_what_is_there_counts_as_old() -> None:
    ended = run(python("-c", OPENED))
    assert (ended.stdout, ended.stderr) == ("True True\n", "")
