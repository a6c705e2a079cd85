"""What a diagnosis says: a cause, with its numbers, and where to see it (`Verdict`)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from stepgrad.engine.tape import Place
from stepgrad.recording.recording import Recording
from stepgrad.replay.state import State
from stepgrad.replay.telling.titles import line_of, made_by

if TYPE_CHECKING:
    from stepgrad.diagnosis.survey import Survey


@dataclass(frozen=True, slots=True)
class Verdict:
    """A cause that was found, and its evidence.

    Args:
        name: which question found it, such as `dead`.
        text: a clause that says the cause, with its numbers; no full stop, as more may follow.
        advice: a sentence that says what people do about it; empty for a note.
        events: the events to look at, by the position just after each; the most telling first.
        nodes: the nodes that it is about.
        note: whether it is only worth knowing. A note is no verdict: it fails nothing.
        unless: the names of verdicts of which this is only a consequence: beside one of them, it is
            left out.
        lasts: whether it becomes a note there, in place of being left out.
        places: the lines to blame, if these are not the lines of the events or nodes.
        wrong: whether a derivative is wrong. This fails a check that is not strict, too.
    """

    name: str
    text: str
    advice: str
    events: Sequence[int]
    nodes: Sequence[int] = ()
    note: bool = False
    unless: Collection[str] = ()
    lasts: bool = False
    places: Sequence[Place] = ()
    wrong: bool = False

    def lines(self, recording: Recording) -> Sequence[str]:
        """Return the lines of the program or scenario that are to blame, such as `train.py:12`.

        Those are its places; or the lines at which its events wrote by hand; or else those of its
        nodes. A rule of the program's own backward pass is as little to blame as one of ours.
        """
        states = (State(recording, each) for each in self.events)
        places = self.places or [
            state.place for state in states if state.place and state.phase != "backward"
        ]
        found = [line_of(recording, place) for place in places]
        found = [line for line in found if line]
        found = found or [made_by(recording, recording.node(node)) for node in self.nodes]
        return [*dict.fromkeys(filter(None, found))]

    def beside(self, causes: Collection[str]) -> Verdict | None:
        """Return it as it is beside verdicts of other names: None where it is left out."""
        if not any(name in causes for name in self.unless):
            return self
        return replace(self, note=True, advice="") if self.lasts else None

    def head(self, recording: Recording) -> str:
        """Return its name, and the lines to blame that its evidence does not show.

        Such as `engine, train.py:12`.
        """
        return ", ".join([self.name, *(self.lines(recording) if self.places else ())])


@dataclass(frozen=True, slots=True)
class Question:
    """A row of the table of questions (`questions.py`): a cause that a recording may show.

    Args:
        name: the name of the verdict.
        asks: the question, in a few words.
        definition: when exactly the verdict is given.
        find: yields the verdicts, or nothing. Without evidence there is no verdict.
        about: what a recording has to have for it to apply: backward passes, or steps, too.
    """

    name: str
    asks: str
    definition: str
    find: Callable[[Survey], Iterator[Verdict]]
    about: Literal["all", "passes", "steps"] = "all"

    def applies(self, brief: Survey) -> bool:
        """Whether a recording has what it is about."""
        return bool({"all": True, "passes": brief.passes, "steps": brief.steps}[self.about])
