"""Opening the debugger: from the command line, or from the middle of a program."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from threading import current_thread, main_thread
from typing import TYPE_CHECKING

from stepgrad.engine.tape import active_tape
from stepgrad.errors import StepgradError
from stepgrad.loading import loading
from stepgrad.recording.recorder import Recorder
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.hints import key
from stepgrad.scenario.load import ScenarioFile

if TYPE_CHECKING:
    from stepgrad.course.lessons import Course
    from stepgrad.tui.work import Growing


Opener = Callable[[Recording, str], object]
"""Opens a debugger at the end of a recording, with a message to begin with."""

_opener: ContextVar[Opener | None] = ContextVar("stepgrad opener", default=None)


class NothingRecordedError(StepgradError):
    """There is nothing to debug; says how to record."""


def has_screen() -> bool:
    """Whether there is a keyboard and a terminal to draw on; a dumb terminal does not count.

    A browser has both, which Textual reaches through a driver that its own variable names.
    """
    if "TEXTUAL_DRIVER" in os.environ:
        return True
    terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
    return terminal and os.environ.get("TERM") != "dumb"


def open_debugger(  # noqa: PLR0913 - what the app takes
    recording: Recording | None,
    scenario: ScenarioFile | None = None,
    growing: Growing | None = None,
    *,
    original: Recording | None = None,
    theme: str = "",
    position: int = 0,
    said: str = "",
    course: Course | None = None,
) -> int:
    """Show a recording at a position, or the lessons of a course, until the person quits.

    The first message is what is `said`, as if a command had said it.

    A signal that asks the program to end does so once the terminal is restored. Where the
    terminal is gone, nothing is shown, and the screen is left at once.

    `growing` is what still adds to the recording, if anything does; `original` is the recording
    without edits, if this one has some. Returns the exit status: 1 if
    the screen has crashed, and printed a traceback; else 0.

    Raises:
        ThemeError: there is no such theme.
    """
    from stepgrad.tui.leaving import is_gone, restoring  # noqa: PLC0415

    if is_gone():  # since it was looked for: a program has outlived it
        return 0
    with loading():
        # Textual is for the screen only.
        from stepgrad.tui.app import DebuggerApp  # noqa: PLC0415
        from stepgrad.tui.keymap import keymap_path  # noqa: PLC0415

    app = DebuggerApp(
        recording,
        scenario,
        growing,
        original=original,
        theme=theme,
        keys=keymap_path(),
        position=position,
        said=said,
        course=course,
    )
    with restoring(app):
        app.run()
    return app.return_code or 0


def check_theme(name: str) -> None:
    """Check that the theme exists, whether or not a screen will be shown.

    Raises:
        ThemeError: there is no such theme.
    """
    with loading():
        from stepgrad.tui import themes  # noqa: PLC0415 - Textual is for the screen only

    themes.check_theme(name)


@contextmanager
def opening_by(opener: Opener) -> Iterator[None]:
    """Have `debug()` open something else than the screen in what runs inside."""
    token = _opener.set(opener)
    try:
        yield
    finally:
        _opener.reset(token)


def debug() -> None:
    """Open the debugger on what has been recorded so far, at its end; quitting continues.

    Where it cannot be drawn (there is no terminal, or an event loop is running), a line on stderr
    says so, and the program continues.

    Raises:
        NothingRecordedError: nothing is being recorded here.
    """
    tape = active_tape()
    if not isinstance(tape, Recorder) or (tape.closed and not tape.log.spent):
        raise NothingRecordedError(
            "nothing is being recorded: start the program with `stepgrad run`, "
            "or call debug() inside `with stepgrad.record():`"
        )
    recording = tape.log
    assert isinstance(recording, Recording), "so it began"
    recording.settle()
    said = f"{key('quit')} continues the program"
    if (opener := _opener.get()) is not None:
        sys.stdout.flush()
        Context().run(opener, recording, said)
        return
    if obstacle := _obstacle():
        so_far = recording.incomplete or f"{recording.length} events so far"
        print(f"stepgrad.debug(): {obstacle}, so the program continues; {so_far}", file=sys.stderr)
        return
    sys.stdout.flush()
    # In its own context, the debugger's own Values are not recorded.
    Context().run(open_debugger, recording, position=recording.length, said=said)


def _obstacle() -> str | None:
    """Why the debugger cannot be drawn here, if it cannot."""
    if not has_screen():
        return "there is no terminal"
    if current_thread() is not main_thread():
        return "this is not the main thread"
    from asyncio import get_running_loop  # noqa: PLC0415 - slow, and the screen needs it anyway

    try:
        get_running_loop()
    except RuntimeError:
        return None
    return "an event loop is running"
