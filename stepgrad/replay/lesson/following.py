"""How far a learner has come in a lesson: a fold over the commands that they carry out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.table import BY_NAME, GROUPS
from stepgrad.replay.lesson.steps import Demand, Step, steps
from stepgrad.replay.session import Session

_MOVES = {command.name for command in GROUPS["Timeline"]} - {
    "faster", "slower", "break_where", "bookmark",
} | {"jump", "who_wrote", "next_write"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lesson:
    """The steps of a lesson, of which the first are ticked; one that is ticked stays so.

    What steps wait for is `met` in order, the next perhaps for some of its `times`. A step that
    waits for nothing is `read` once a key moves. Who reads on and presses the keys of a later step
    need not press them again when that step becomes the current one.
    """

    steps: tuple[Step, ...] = ()
    met: int = 0
    times: int = 0
    read: int = 0

    @classmethod
    def of(cls, markdown: str, recording: Recording) -> Lesson:
        """Begin a lesson about a recording."""
        return cls(steps(markdown, recording))

    @property
    def ticked(self) -> int:
        """The number of steps that are ticked, which is the index of the current one."""
        met, read = self.met, self.read
        for number, step in enumerate(self.steps):
            if step.demands:
                met -= len(step.demands)
            else:
                read -= 1
            if met < 0 or read < 0:
                return number
        return len(self.steps)

    @property
    def current(self) -> Step | None:
        """The step to do; None at the end."""
        ticked = self.ticked
        return self.steps[ticked] if ticked < len(self.steps) else None

    @property
    def done(self) -> bool:
        """Whether all steps are ticked; a lesson without any has no end."""
        return bool(self.steps) and self.current is None

    @property
    def due(self) -> int:
        """How many demands of the current step are met."""
        before = sum(len(step.demands) for step in self.steps[: self.ticked])
        return self.met - before

    def after(self, command: str, session: Session) -> Lesson:
        """Return the lesson after a command has led to a session."""
        current = self.current
        if current is None:
            return self
        reads = not current.demands and command in _MOVES
        met = self._meeting(command, session)
        return replace(met, read=self.read + 1) if reads else met

    def _meeting(self, command: str, session: Session) -> Lesson:
        """Count a command for the next of all demands, wherever it is."""
        demand = next(islice(self._demands, self.met, None), None)
        if demand is None:
            return self
        times = self.times + (command == demand.command)
        if _is_met(demand, command, times, session):
            return replace(self, met=self.met + 1, times=0)
        return replace(self, times=times)

    @property
    def _demands(self) -> Iterator[Demand]:
        return (demand for step in self.steps for demand in step.demands)


def _is_met(demand: Demand, command: str, times: int, session: Session) -> bool:
    """Whether a demand is met by a command that led to a session."""
    place = demand.place
    if not demand.command:
        return place is not None and place.is_past(session)
    if not demand.keeps:
        return times >= demand.times or (place is not None and place.is_at(session))
    if command != demand.command:
        return False
    return place.is_at(session) if place is not None else _is_over(command, session)


def _is_over(command: str, session: Session) -> bool:
    """Whether a key has been pressed long enough: a phase ends here, or it leads no further."""
    cursor = session.cursor
    ends = cursor.step(-1).phase_end() == cursor and command != "phase_end"
    act = BY_NAME[command].act
    return ends or (act is not None and act(session).cursor == cursor)
