"""`Session`: everything that a debugger remembers. A command turns one into the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from stepgrad.engine.tape import Place
from stepgrad.recording.blocks import Backward
from stepgrad.recording.events import Accumulate
from stepgrad.recording.recording import Recording
from stepgrad.replay.conditions.language import Condition
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.graph.folding import Quotient, quotient
from stepgrad.replay.graph.outline import Outline, folds, outline
from stepgrad.replay.graph.scene import Scene, scene
from stepgrad.replay.hints import key
from stepgrad.replay.ledger import last_write, next_write, walk
from stepgrad.replay.quiz.answers import Score
from stepgrad.replay.state import State
from stepgrad.replay.stops import NodeStop, Stop, find
from stepgrad.replay.titles import title

Program = Callable[[Mapping[str, float]], Recording]
"""Runs the recorded program again, with other numbers for some named leaves."""

View = Literal["near", "whole", "plot"]
"""How much of the graph is drawn: what is near the subject, all of it, or all of it as dots."""


_NO_NODE = "there is no node yet"


@dataclass(frozen=True, slots=True)
class Progress:
    """The share, from 0 to 1, of a recording that is being made, or was `stopped`."""

    share: float
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """Where a replay is, what it looks at, and where it stops.

    `selected` is the node that a person points at; without one, the `subject` is what the last
    event is about. `folded` scopes show as one line; the `whole` graph is drawn, or what is near.
    `said` is the message of the last command, if any; it names commands, not keys (`hints`). A
    `program` can be run again with `edits`, and `original` is the recording without them.
    `progress` is set while the recording is incomplete. `score` counts predictions, and while one
    is asked for, the local derivatives of the `secret` node stay hidden: they would give it away.
    """

    cursor: Cursor
    selected: int | None = None
    stops: tuple[Stop, ...] = ()
    bookmarks: tuple[int, ...] = ()
    sought: str = ""
    said: str = ""
    folded: frozenset[str] = frozenset()
    constants: bool = False
    view: View = "near"
    zoom: int = 0
    program: Program | None = None
    edits: tuple[tuple[str, float], ...] = ()
    original: Recording | None = None
    progress: Progress | None = None
    score: Score = field(default_factory=Score)
    secret: int | None = None

    @classmethod
    def open(cls, cursor: Cursor, program: Program | None = None) -> Session:
        """Begin at a cursor; where there is too much to look at, scopes are folded."""
        steps = cursor.recording.steps
        training = cursor.seek(max(cursor.position, steps[0] + 1)) if steps else cursor
        return cls(cursor, folded=folds(training.state.scene), program=program)

    @property
    def recording(self) -> Recording:
        """What is replayed."""
        return self.cursor.recording

    @property
    def state(self) -> State:
        """What can be asked about the position."""
        return self.cursor.state

    @property
    def scene(self) -> Scene:
        """The nodes that can be pointed at: those of the state, with constants if they show."""
        return scene(self.recording, *self.state.step_bounds, constants=self.constants)

    @property
    def outline(self) -> Outline:
        """The scene under its scopes."""
        return outline(self.scene, self.folded)

    @property
    def quotient(self) -> Quotient:
        """The graph of the scene, in which each folded scope is one box."""
        return quotient(self.state.scene, self.folded)

    @property
    def subject(self) -> int | None:
        """The node that commands and panels are about; None where there is none at all."""
        if self.selected is not None:
            return self.selected
        focus = self.state.focus
        return next(iter(self.state.scene), None) if focus is None else focus

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

    def clear_selection(self) -> Session:
        """Follow the cursor again."""
        return self.say("nothing is selected") if self.selected is None else self.select(None)

    def say(self, said: str, **changes: Any) -> Session:
        """Change something, and say so."""
        return replace(self, said=said, **changes)

    def select(self, node: int | None) -> Session:
        """Point at a node, or at none."""
        return replace(self, selected=node, said="")

    def select_by(self, lines: int) -> Session:
        """Select the node, or the folded scope, that many lines below (above, if negative)."""
        outline = self.outline
        if not outline.targets:
            return self.say("there is no node to select")
        known = self.selected if self.selected is not None else self.state.focus
        at = outline.target_of(known)
        target = max(0, min((-1 if at is None else at) + lines, outline.targets - 1))
        if self.selected is not None and target == at:
            return self.say(f"this is the {'last' if lines > 0 else 'first'} node")
        return self.select(outline.node_of(target))

    def run(self, *, forward: bool) -> Session:
        """Go on, or back, to the next place to stop, or to the end."""
        position = self.cursor.position
        end = self.recording.length if forward else 0
        start = position if forward else position - 1
        found = find(self.recording, self.stops, start, forward=forward) if start >= 0 else None
        if found is not None:
            index, stop = found
            return self.go(self.cursor.seek(index + 1), f"stopped: {stop.text}")
        which = "end" if forward else "start"
        why = "no stop on the way" if self.stops else f"no stops are set ({key('break')} sets one)"
        return self.go(self.cursor.seek(end), f"{why}: this is the {which}")

    def toggle_stop(self, *, every: bool) -> Session:
        """Add a stop at the subject (or at `every` change of it), or remove it."""
        if self.subject is None:
            return self.say("there is no node to stop at")
        node, stop = self.subject, NodeStop.at(self.recording, self.subject, every=every)
        kind, verb = ("watch", "watching") if every else ("stop", "stop at")
        rest = tuple(each for each in self.stops if not self._stands_for(each, node, every=every))
        if rest != self.stops:
            return self.say(f"{kind} removed: {stop.text}", stops=rest)
        said = f"{verb} {stop.text}: press {key('continue')} to go there"
        return self.say(said, stops=(*self.stops, stop))

    def _stands_for(self, stop: Stop, node: int, *, every: bool) -> bool:
        """Whether a stop is at a node, or at its counterpart in another training step."""
        if not isinstance(stop, NodeStop):
            return False
        return stop.every == every and stop.covers(self.recording, node)

    def stop_where(self, condition: str) -> Session:
        """Add a stop where a condition holds, or remove it; an empty one removes all stops.

        Raises:
            ConditionError: it is not a condition.
        """
        if not condition.strip():
            said = "all stops removed" if self.stops else "no stops are set"
            return self.say(said, stops=())
        stop = Condition(condition.strip())
        if stop in self.stops:
            rest = tuple(each for each in self.stops if each != stop)
            return self.say(f"stop removed: {stop.text}", stops=rest)
        said = f"stop where {stop.text}: press {key('continue')} to go there"
        return self.say(said, stops=(*self.stops, stop))

    def who_wrote(self) -> Session:
        """Go back to the latest write to the subject's gradient; from there, to the one before."""
        node = self.subject
        if node is None:
            return self.say(_NO_NODE)
        name, position = title(self.recording, node), self.cursor.position
        index = last_write(self.recording, node, position)
        if index is not None and index + 1 == position:  # this very event
            index = last_write(self.recording, node, index)
            if index is None:
                here = f"written right here: event {position}{self._source_of_write(position - 1)}"
                return self.say(f"{here}; no earlier write")
        if index is None:
            return self.say(f"no earlier write to {name}.grad")
        said = f"{name}.grad was written here{self._source_of_write(index)}"
        return replace(self.go(self.cursor.seek(index + 1), said), selected=node)

    def _source_of_write(self, index: int) -> str:
        """Where a contribution comes from: `, from w1·x`. Empty for other writes."""
        event = self.recording.events[index]
        return f", from {title(self.recording, event.out)}" if isinstance(event, Accumulate) else ""

    def next_write(self) -> Session:
        """Go on to the next write to the subject's gradient."""
        node = self.subject
        if node is None:
            return self.say(_NO_NODE)
        name = title(self.recording, node)
        index = next_write(self.recording, node, self.cursor.position)
        if index is None:
            return self.say(f"no later write to {name}.grad")
        said = f"{name}.grad is written here{self._source_of_write(index)}"
        return replace(self.go(self.cursor.seek(index + 1), said), selected=node)

    def go_to_edge(self, out: int, slot: int) -> Session:
        """Go to the backward step of an edge: where a pass of this training step walks it.

        Of several passes it is the first that is not over; without one, where the node was made.
        """
        passes = [
            block
            for block in self.recording.blocks_between(*self.state.step_bounds)
            if isinstance(block, Backward) and walk(block, out, slot) is not None
        ]
        here = self.cursor.position
        ahead = (block for block in passes if block.start + block.length >= here)
        block = next(ahead, passes[-1] if passes else None)
        walked = None if block is None else walk(block, out, slot)
        if walked is None:
            made = self.recording.history.made_at(out)
            return self.go(self.cursor.seek(made), "no backward pass reaches this edge: made here")
        return self.go(self.cursor.seek(walked), "this edge's backward step")

    def bookmark(self) -> Session:
        """Set a bookmark at the position, or remove it."""
        here = self.cursor.position
        if here in self.bookmarks:
            rest = tuple(each for each in self.bookmarks if each != here)
            return self.say("bookmark removed", bookmarks=rest)
        marks = tuple(sorted((*self.bookmarks, here)))
        return self.say(
            f"bookmark at {here}: press {key('next_bookmark')} to come back", bookmarks=marks
        )

    def next_bookmark(self) -> Session:
        """Go to the next bookmark; after the last, to the first."""
        if not self.bookmarks:
            return self.say(f"no bookmarks yet: {key('bookmark')} sets one")
        here = self.cursor.position
        ahead = (mark for mark in self.bookmarks if mark > here)
        mark = next(ahead, self.bookmarks[0])
        return self.go(self.cursor.seek(mark), f"bookmark at {mark}")
