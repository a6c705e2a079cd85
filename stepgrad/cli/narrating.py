"""A recording, or a position in it, as the lines that a command prints where there is no screen."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from stepgrad import headless
from stepgrad.opening import Opened
from stepgrad.recording.recording import Recording
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.telling.sentences import say
from stepgrad.scenario.diagnosed import Diagnosis, diagnosed
from stepgrad.scenario.load import ScenarioFile


def narration(
    recording: Recording, plain: bool, scenario: ScenarioFile | None = None
) -> Iterable[str]:
    """Narrate every event in notation; if `plain`, in sentences, after title and lesson.

    Where something is wrong, the lesson begins with that, as it does on the screen.
    """
    if not plain:
        return headless.narration(recording)
    about = recording.source.docstring if recording.source else ""  # of a program
    title = scenario.title if scenario else recording.name
    lesson = scenario.lesson if scenario else about
    parts = (title, _alarm(diagnosed(recording, scenario)), lesson.strip())
    opening = [line for text in parts if text for line in (*text.split("\n"), "")]
    return chain(opening, (say(recording, index) for index in range(recording.length)))


def described(opened: Opened, cursor: Cursor, plain: bool) -> Iterable[str]:
    """Describe a position in a report; if `plain`, the last event in a sentence."""
    if not plain:
        return headless.report(opened.scenario, cursor)
    event = cursor.position - 1
    return [say(cursor.recording, event) if event >= 0 else "Nothing has happened yet."]


def _alarm(found: Diagnosis) -> str:
    """Say the first verdict, if there is one to be said."""
    if not found.open:
        return ""
    more = f" stepgrad diagnose says {len(found.open) - 1} more." if len(found.open) > 1 else ""
    return f"Something is wrong: {found.open[0].text}{more}"
