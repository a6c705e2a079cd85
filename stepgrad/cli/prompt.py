"""The debugger at a prompt: `stepgrad run --plain`, with a keyboard or with lines on stdin."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from threading import current_thread, main_thread
from time import monotonic
from types import FrameType
from typing import Literal, TextIO, TypeVar

from stepgrad.cli.output import echo
from stepgrad.debugger import opening_by
from stepgrad.opening import Opened, session_at
from stepgrad.plain.talk import Answer, Talk, begin, leave_question, respond
from stepgrad.progress import Cancelled, watching
from stepgrad.recording.recording import Recording
from stepgrad.scenario.about import about

Left = Literal["quit", "next", "end"]
"""How a talk ends: the person leaves, wants the next lesson, or types no more."""

PATIENCE = 1.0
"""Seconds of silence before work says that it is at work."""

_Result = TypeVar("_Result")


class Typed:
    """The lines that a person types, or that are on stdin.

    Make it before a program of the user's runs, which may change the streams.
    """

    def __init__(self) -> None:
        self._stream = sys.stdin
        self._keyboard = _is_terminal(sys.stdin)
        self._prompts = self._keyboard and _is_terminal(sys.stdout)
        self._first: str | None = None

    def debugging(self) -> AbstractContextManager[None]:
        """Have `stepgrad.debug()` in a program ask here, if there is a keyboard for it."""
        return opening_by(self._debug) if self._prompts else nullcontext()

    def _debug(self, recording: Recording, said: str) -> None:
        converse(Opened(recording, failure=said), recording.length, self)

    @property
    def some(self) -> bool:
        """Whether there is a keyboard, or at least one line: waits for that."""
        if self._keyboard:
            return self._prompts
        if self._first is None:
            self._first = self._read()
        return self._first != ""

    def line(self) -> str:
        """Return the next line; empty at the end.

        Raises:
            KeyboardInterrupt: Ctrl+C is pressed.
        """
        first, self._first = self._first, None
        return self._read() if first is None else first

    def _read(self) -> str:
        try:
            return self._prompted() if self._prompts else self._piped()
        except UnicodeDecodeError:
            return "\N{REPLACEMENT CHARACTER}\n"

    def _prompted(self) -> str:
        with suppress(ImportError):
            import readline  # noqa: F401, PLC0415 - gives `input` a history, where there is one
        try:
            return f"{input('> ')}\n"
        except EOFError:
            echo()
            return ""

    def _piped(self) -> str:
        stream = self._stream
        return "" if stream is None or stream.closed else stream.readline()


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()


class Interrupts:
    """Ctrl+C: while something is at work, the first interrupts it, and the second leaves.

    Work is interrupted where it says how far it is, so that nothing is left half done.
    """

    def __init__(self) -> None:
        self.pressed = False
        self._waiting = False
        self._begun: float | None = None
        self._before: object = None

    def __enter__(self) -> Interrupts:
        self._ours = current_thread() is main_thread() and callable(
            signal.getsignal(signal.SIGINT)  # where it is ignored, it stays so
        )
        if self._ours:
            self._before = signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *_: object) -> None:
        if self._ours:
            signal.signal(signal.SIGINT, self._before)  # type: ignore[arg-type]

    def wait(self, read: Callable[[], _Result]) -> _Result:
        """Wait for a line: Ctrl+C is heard at once."""
        self.pressed, self._waiting = False, True
        try:
            return read()
        finally:
            self._waiting = False

    def work(self, function: Callable[[], _Result]) -> _Result:
        """Do some work.

        Raises:
            Cancelled: it is interrupted.
        """
        self._begun = monotonic()
        with watching(self._watch):
            return function()

    def _watch(self, _share: float) -> None:
        if self.pressed:
            self.pressed = False
            raise Cancelled
        if self._begun is not None and monotonic() - self._begun > PATIENCE:
            self._begun = None
            echo("Working. Ctrl+C interrupts it.")

    def _press(self, _number: int, _frame: FrameType | None) -> None:
        if self.pressed or self._waiting:
            raise KeyboardInterrupt
        self.pressed = True


def converse(
    opened: Opened,
    position: int,
    typed: Typed,
    note: Callable[[Talk], None] | None = None,
) -> Left:
    """Answer line by line until the person leaves; return how that was.

    In a lesson of the course, `note` gets what has become of it after each line.

    Raises:
        KeyboardInterrupt: Ctrl+C is pressed twice.
    """
    recording, scenario = opened.recording, opened.scenario
    docstring = recording.source.docstring if recording.source else ""  # of a program
    first, _, rest = docstring.partition("\n")
    guides = about(recording, scenario).guides
    session = session_at(opened, position).say(opened.failure)
    title = scenario.title if scenario else first or recording.name
    lesson = scenario.lesson if scenario else rest
    onward = note is not None
    with Interrupts() as interrupts:
        talk, said = _worked(
            interrupts,
            lambda: begin(session, title, lesson, scenario, guides=guides, onward=onward),
        )
        while True:
            _tell(said, interrupts)
            if note is not None:
                note(talk)
            if talk.over:
                return "next" if talk.goes_on else "quit"
            line = _heard(interrupts, typed, talk)
            if line == "":
                return "end"
            talk, said = leave_question(talk) if line is None else _answer(interrupts, talk, line)


def _worked(interrupts: Interrupts, function: Callable[[], Answer]) -> Answer:
    """Do work without which there is nothing to talk about."""
    try:
        return interrupts.work(function)
    except Cancelled:
        raise KeyboardInterrupt from None


def _heard(interrupts: Interrupts, typed: Typed, talk: Talk) -> str | None:
    """Return the next line, empty at the end; None if Ctrl+C leaves the question that is asked.

    Raises:
        KeyboardInterrupt: it is pressed twice where nothing is asked.
    """
    try:
        return interrupts.wait(typed.line)
    except KeyboardInterrupt:
        echo()
        if talk.asking is not None:
            return None
    echo("Ctrl+C again leaves; so does q.")
    return interrupts.wait(typed.line)


def _answer(interrupts: Interrupts, talk: Talk, line: str) -> Answer:
    try:
        return interrupts.work(lambda: respond(talk, line))
    except Cancelled:
        return talk, ["Interrupted: nothing has changed."]


def _tell(said: Sequence[str], interrupts: Interrupts) -> None:
    """Print sentences, a line each, until Ctrl+C is pressed."""
    for text in said:
        if interrupts.pressed:
            break
        echo(text)
