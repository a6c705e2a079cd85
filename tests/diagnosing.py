"""What tests of diagnoses share: verdicts, reasons, and questions that are easy to meet."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from stepgrad.diagnosis import Question, Verdict, diagnose
from stepgrad.diagnosis.reasons import Of, reasons
from stepgrad.diagnosis.survey import Survey
from stepgrad.opening import open_typed
from stepgrad.recording.recording import Recording

PAIRS = Path(__file__).parent / "diagnosis" / "pairs"
"""For each verdict, what has it (`dead.yaml`, `dead_2.py`), and near misses (`dead_near.yaml`)."""


def recorded(path: Path | str) -> Recording:
    """Record a scenario or a program; what it prints is dropped."""
    with redirect_stdout(io.StringIO()):
        return open_typed(str(path)).recording


def verdicts(recording: Recording) -> Sequence[Verdict]:
    """The verdicts on a recording, without notes."""
    return [each for each in diagnose(recording) if not each.note]


def why(recording: Recording, name: str, position: int | None = None) -> list[tuple[int, str]]:
    """The reasons for `w` or `w.grad`, each with its event."""
    label, _, end = name.partition(".")
    of: Of = "gradient" if end == "grad" else "tangent" if end == "tangent" else "value"
    at = recording.length if position is None else position
    names = recording.names(recording.length) | recording.names(at)
    return [(each.position, each.text) for each in reasons(recording, names[label], at, of)]


def _named(name: str, *, note: bool = False) -> Question:
    """A question that finds every node of a name."""

    def find(brief: Survey) -> Iterator[Verdict]:
        recording = brief.recording
        node = recording.names(recording.length).get(name)
        if node is not None:
            text = f"a node is called {name}"
            advice = "" if note else f"Call {name} something else."
            events = [recording.history.made_at(node), recording.length]
            yield Verdict(name, text, advice, events, [node], note)

    return Question(name, f"is a node called {name}?", f"a node is called {name}", find)


def ask_for_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have diagnoses find nodes by their names: `dead` and `uphill` are verdicts, `odd` a note."""
    asked = [_named("dead"), _named("odd", note=True), _named("uphill")]
    monkeypatch.setattr("stepgrad.diagnosis.QUESTIONS", asked)
