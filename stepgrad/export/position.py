"""Which position to export: on paper, a training step is shown whole."""

from __future__ import annotations

from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.places import goto
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.gradients.ledger import latest_pass
from stepgrad.replay.state import State
from stepgrad.replay.training import trains


def end(recording: Recording) -> int:
    """Return the default position: the end.

    For training it is the end of the last step with a backward pass; what follows only looks at
    the result.
    """
    last = latest_pass(recording, recording.length)
    if last is None or not trains(recording):
        return recording.length
    return State(recording, last.start + 1).step_bounds[1]


def finished(state: State) -> bool:
    """Whether a training step, a pass or the recording is over: the numbers are results."""
    return 0 < state.position == state.step_bounds[1]


def find(recording: Recording, where: str) -> int:
    """Return the position of `14`, `50%`, `step 20` (the end of that step) or a name.

    Raises:
        CommandError: there is no such place.
    """
    found = goto(Cursor(recording), where)
    step = where.strip().removeprefix(":").strip().startswith("step ")
    return found.state.step_bounds[1] if step else found.position
