"""Opening the debugger: from the command line, or from the middle of a program."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from threading import current_thread, main_thread
from typing import TYPE_CHECKING

from stepgrad.engine.tape import active_tape
from stepgrad.errors import StepgradError
from stepgrad.recording.recorder import Recorder
from stepgrad.recording.recording import Recording
from stepgrad.scenario.load import ScenarioFile

if TYPE_CHECKING:
    from stepgrad.tui.work import Growing


class NothingRecordedError(StepgradError):
    """There is nothing to open the debugger on; says how to record."""


def has_screen() -> bool:
    """Whether there is a terminal to draw on, and a keyboard: a dumb one is neither."""
    terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
    return terminal and os.environ.get("TERM") != "dumb"


@contextmanager
def loading() -> Iterator[None]:
    """Look for no garbage: what is loaded here is there to stay.

    Python would go through all of it again and again, which is a tenth of the time to start.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def open_debugger(
    recording: Recording | None,
    scenario: ScenarioFile | None = None,
    growing: Growing | None = None,
    *,
    theme: str = "",
    position: int = 0,
) -> int:
    """Show a recording from a position on, or a choice of lessons, until the person quits.

    `growing` is what still adds to the recording, if anything does. Returns the exit status: 1 if
    the screen has crashed, and printed a traceback; else 0.

    Raises:
        ThemeError: there is no such theme.
    """
    with loading():
        # Textual is for the screen only.
        from stepgrad.tui.app import DebuggerApp  # noqa: PLC0415
        from stepgrad.tui.keymap import keymap_path  # noqa: PLC0415

    app = DebuggerApp(
        recording, scenario, growing, theme=theme, keys=keymap_path(), position=position
    )
    app.run()
    return app.return_code or 0


def check_theme(name: str) -> None:
    """Make sure that a screen could be shown in these colours, whether or not one will be.

    Raises:
        ThemeError: there is no such theme.
    """
    with loading():
        from stepgrad.tui import app  # noqa: PLC0415 - Textual is for the screen only

    app.check_theme(name)


def debug() -> None:
    """Open the debugger on what has been recorded so far, at its end; quitting it goes on.

    Where it cannot be drawn (there is no terminal, or an event loop runs), a line on stderr says
    so, and the program goes on.

    Raises:
        NothingRecordedError: this is not inside of a recording.
    """
    tape = active_tape()
    if not isinstance(tape, Recorder) or (tape.closed and not tape.recording.spent):
        raise NothingRecordedError(
            "nothing is being recorded: start the program with `stepgrad run`, "
            "or call debug() inside of `with stepgrad.record():`"
        )
    recording = tape.recording
    recording.settle()
    if obstacle := _obstacle():
        so_far = recording.incomplete or f"{recording.length} events so far"
        print(f"stepgrad.debug(): {obstacle}, so this goes on; {so_far}", file=sys.stderr)
        return
    sys.stdout.flush()
    # In a context of its own nothing that the debugger does is heard by the recording.
    Context().run(open_debugger, recording, position=recording.length)


def _obstacle() -> str | None:
    """Why a debugger cannot be drawn here, if it cannot."""
    if not has_screen():
        return "there is no terminal here"
    if current_thread() is not main_thread():
        return "this is not the main thread"
    from asyncio import get_running_loop  # noqa: PLC0415 - slow, and the screen needs it anyway

    try:
        get_running_loop()
    except RuntimeError:
        return None
    return "an event loop is running"
