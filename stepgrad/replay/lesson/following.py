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
    need not press them again when that step becomes the current one. After what the last step
    asked for, it may be `explaining`: the next key that moves leaves it, and reads nothing else.
    `pointed` is what was selected when the current step became that.
    """

    steps: tuple[Step, ...] = ()
    met: int = 0
    times: int = 0
    read: int = 0
    explaining: bool = False
    pointed: int | None = None

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
    def shown(self) -> int:
        """The index of the step to look at: the last one while it explains, else the current."""
        return self.ticked - self.explaining

    @property
    def done(self) -> bool:
        """Whether all steps are ticked; a lesson without any has no end."""
        return bool(self.steps) and self.current is None

    @property
    def waits_for(self) -> str:
        """The command that the current step waits for; empty if for none, or for a place."""
        step = self.current
        return step.demands[self.due].command if step and step.demands else ""

    @property
    def due(self) -> int:
        """How many demands of the current step are met."""
        before = sum(len(step.demands) for step in self.steps[: self.ticked])
        return self.met - before

    def reads_on(self, session: Session, *, onward: bool) -> bool:
        """Whether Enter is for the lesson: its step, or the lesson itself, has nothing left to do.

        What has been selected since is what a person means instead, or the neuron that is open.
        `onward` is whether another lesson follows this one.
        """
        if not self.steps or session.opened or session.selected not in (None, self.pointed):
            return False
        if self.explaining:
            return True
        return onward if self.current is None else not self.current.demands

    def after(self, command: str, session: Session) -> Lesson:
        """Return the lesson after a command has led to a session."""
        exercised = command == "predict" and session.cursor.position == 0  # a prediction moves on
        current, moves = self.current, command in _MOVES and not exercised
        reads = moves and not self.explaining and current is not None and not current.demands
        led = replace(self._meeting(command, session), read=self.read + reads)
        if led.ticked > self.ticked:
            explaining = led.steps[led.ticked - 1].explains
            return replace(led, explaining=explaining, pointed=session.selected)
        return replace(led, explaining=self.explaining and not moves)

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
