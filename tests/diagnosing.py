"""What tests of diagnoses share: a diagnosis of a file, and the reasons for a number."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from stepgrad.diagnosis import Verdict, diagnose
from stepgrad.diagnosis.reasons import Of, reasons
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
