"""Saving the recording that is replayed, and asking once before one is lost that took long."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from stepgrad.errors import RecordingError
from stepgrad.printable import counted, printable
from stepgrad.recording.recording import SAVED, Recording
from stepgrad.replay.commands.hints import key
from stepgrad.replay.commands.places import CommandError
from stepgrad.replay.session import Session

LONG = 10.0
"""Seconds of a program's time that are too many to lose without a word."""


def form(session: Session) -> str:
    """Say what to type: the name of a file."""
    return f"the name of a file; leave empty for {_usual(session.recording)}"


def save(session: Session, name: str) -> Session:
    """Save the recording to a new file, in the current folder unless its name says otherwise.

    Raises:
        CommandError: the recording is still growing, the name is for something else, or the file
            exists.
        RecordingError: it cannot be written.
    """
    if session.progress is not None and not session.progress.stopped:
        raise CommandError("this is still being recorded; stop it, or wait until all is there")
    path = _absolute(name.strip() or _usual(session.recording))
    session.recording.save(path)
    events, size = counted(session.recording.length, "event"), path.stat().st_size
    return session.say(f"saved in {printable(str(path))}: {events}, {size:,} bytes")


def leaving(session: Session) -> Session | None:
    """Return the session that says what leaving would lose; None if a person may leave.

    They may if it is what was said last.
    """
    unsaved = session.recording.unsaved
    said = (
        f"this recording took {unsaved:.0f} s and is not saved: {key('save')} saves it, "
        f"{key('quit')} again leaves it"
    )
    return None if unsaved < LONG or session.said == said else session.say(said)


def _usual(recording: Recording) -> str:
    """Return the name of the recording as that of a file in the current folder that is not there.

    Like `train.stepgrad`, and then `train-2.stepgrad`.
    """
    stem = Path(recording.name).stem or "recording"
    return next(name for name in _numbered(stem) if not Path(name).exists())


def _numbered(stem: str) -> Iterator[str]:
    yield f"{stem}{SAVED}"
    yield from (f"{stem}-{number}{SAVED}" for number in count(2))


def _absolute(name: str) -> Path:
    try:
        path = Path(name).absolute()
    except OSError as error:  # the current folder was deleted
        raise RecordingError(name, f"cannot be written: {error.strerror}") from error
    if not path.suffix:
        path = path.with_suffix(SAVED)
    if path.suffix != SAVED:
        raise CommandError(f"{printable(name)}: end the name in {SAVED}")
    if path.exists():
        raise CommandError(f"{printable(name)}: there is such a file; write another name")
    return path
