"""What tests of diagnoses share: a diagnosis of a file, or of a scenario's text."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from stepgrad.diagnosis import Verdict, diagnose
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
