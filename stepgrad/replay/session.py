"""`Session`: everything that a debugger remembers. A command turns one into the next."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from stepgrad.engine.tape import Place
from stepgrad.recording.recording import Recording
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.graph.folding import FoldedGraph, folded_graph
from stepgrad.replay.graph.network.rows import rows_at
from stepgrad.replay.graph.outline import Outline, folds, outline
from stepgrad.replay.graph.scene import Scene, scene
from stepgrad.replay.program import Edit, Program, Variant
from stepgrad.replay.quiz.answers import Score
from stepgrad.replay.quiz.tasks import Sitting
from stepgrad.replay.state import State
from stepgrad.replay.stops.stop import Stop

View = Literal["network", "near", "whole", "plot"]
"""What is drawn: neurons in layers; what is near the subject, all nodes, or all of them as dots."""


class Progress(NamedTuple):
    """The share, from 0 to 1, of a recording that is being made, or was `stopped`."""

    share: float
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """Where a replay is, what it looks at, and where it stops.

    `selected` is the node that a person points at; without one, the `subject` is what the last
    event is about. `folded` scopes show as one line, and so does the matrix of a parameter that is
    selected and `closed`. What is drawn is what was `chosen`, or the
    `view` that suits the recording; if it has to `fit` its panel, as small as that takes. In the
    view of a network, the `opened` neuron (such as `layer1/neuron2`) is drawn as the graph of its
    nodes. `said` is the message of the last command, if any; it names commands, not keys (`hints`).
    A `program` can be run again with `edits` or in a world, and `original` is the recording
    without; `past` and `future` are the variants that can be returned to. `progress` is set while
    the recording is incomplete. `score` counts predictions, and while one is asked for, the local
    derivatives of the `secret` node stay hidden: they would give it away. `sitting` is
    the work on the exercises, once they have been asked for.
    """

    cursor: Cursor
    selected: int | None = None
    stops: tuple[Stop, ...] = ()
    bookmarks: tuple[int, ...] = ()
    sought: str = ""
    said: str = ""
    folded: frozenset[str] = frozenset()
    closed: int | None = None
    constants: bool = False
    chosen: View | None = None
    opened: str = ""
    zoom: int = 0
    fit: bool = False
    program: Program | None = None
    edits: tuple[tuple[str, Edit], ...] = ()
    original: Recording | None = None
    past: tuple[Variant, ...] = ()
    future: tuple[Variant, ...] = ()
    progress: Progress | None = None
    score: Score = field(default_factory=Score)
    secret: int | None = None
    sitting: Sitting | None = None

    @classmethod
    def open(
        cls, cursor: Cursor, program: Program | None = None, original: Recording | None = None
    ) -> Session:
        """Begin at a cursor; where there is too much to look at, scopes are folded."""
        steps = cursor.recording.steps
        training = cursor.seek(max(cursor.position, steps[0] + 1)) if steps else cursor
        folded = folds(training.state.scene)
        return cls(cursor, folded=folded, program=program, original=original)

    @property
    def recording(self) -> Recording:
        """What is replayed."""
        return self.cursor.recording

    @property
    def changed(self) -> bool:
        """Whether there are edits or another world, which can be undone."""
        return self.original is not None and self.recording is not self.original

    @property
    def variant(self) -> Variant:
        """How the recording differs from the original."""
        return Variant(self.edits, self.recording.world)

    @property
    def state(self) -> State:
        """What can be asked about the position."""
        return self.cursor.state

    @property
    def before(self) -> State | None:
        """The same position in the original, if this recording is another."""
        if self.original is None or not self.changed:
            return None
        return State(self.original, min(self.cursor.position, self.original.length))

    @property
    def scene(self) -> Scene:
        """The nodes that can be pointed at: those of the state, with constants if they show."""
        return scene(self.recording, *self.state.step_bounds, constants=self.constants)

    @property
    def outline(self) -> Outline:
        """The scene under its scopes."""
        return outline(self.scene, self.folded)

    @property
    def graph(self) -> FoldedGraph:
        """The graph of the scene, in which each folded scope is one box; none in an open neuron."""
        return folded_graph(self.state.scene, frozenset() if self.opened else self.folded)

    @property
    def view(self) -> View:
        """What is drawn: what was chosen, or else the network, if there is one."""
        if self.chosen not in (None, "network"):
            return self.chosen
        return "near" if rows_at(self.state) is None else "network"

    @property
    def subject(self) -> int | None:
        """The node that commands and panels are about; None where there is none at all."""
        if self.selected is not None:
            return self.selected
        focus = self.state.focus
        return next(iter(self.state.scene), None) if focus is None else focus

    @property
    def in_closed(self) -> bool:
        """Whether a parameter is selected whose matrix stays closed."""
        return self.selected is not None and self.closed == self.selected

    @property
    def place(self) -> Place:
        """Where in the program the subject was made, or has just been written to by hand."""
        subject, state = self.subject, self.state
        if subject is None:
            return Place()
        written = state.place if subject == state.focus else None
        return written or self.recording.node(subject).place

    def go(self, cursor: Cursor, said: str = "") -> Session:
        """Move, and clear the selection."""
        return replace(self, cursor=cursor, selected=None, said=said, secret=None)

    def point_at(self, node: int | None) -> Session:
        """Select a node that the last event is not about, so that commands act on it."""
        return self if node is None or node == self.state.focus else replace(self, selected=node)

    def say(self, said: str, **changes: Any) -> Session:
        """Change something, and say so."""
        return replace(self, said=said, **changes)

    def select(self, node: int | None, *, closed: bool = False) -> Session:
        """Point at a node, or at none; its matrix may stay closed in the list of parameters."""
        return replace(self, selected=node, said="", closed=node if closed else None)
