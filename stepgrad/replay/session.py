"""`Session`: everything that a debugger remembers. A command makes a new one of it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

from stepgrad.engine.tape import Place
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording
from stepgrad.replay.conditions.language import Condition
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.ledger import last_write, next_write, walk
from stepgrad.replay.outline import LARGE, Outline, enclosing, folds, outline
from stepgrad.replay.quiz.answers import Score
from stepgrad.replay.quotient import Quotient, quotient
from stepgrad.replay.scene import Scene, scene
from stepgrad.replay.state import State
from stepgrad.replay.stops import NodeStop, Stop, find
from stepgrad.replay.titles import title

Program = Callable[[Mapping[str, float]], Recording]
"""Runs what was recorded again, with other numbers for some named leaves."""

View = Literal["near", "whole", "plot"]
"""How much of the graph is drawn: what is near the subject, all of it, or all of it as dots."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much there is, from 0 to 1, of a recording that is being made, or was `stopped`."""

    share: float
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """Where a replay is, what it looks at, and where it stops.

    `selected` is the node that a person points at; without one, the `subject` is what the last
    event is about. `folded` scopes show as one line; the `whole` graph is drawn, or what is near.
    `said` is what the last command has to say, if anything. Where there is a
    `program`, it can be run again with `edits`, and `original` is the recording without them.
    Where not all of the recording is there (yet), `progress` says how much. `score` counts what was
    predicted, and while a number is asked for, the local derivatives of the `secret` node, which
    would tell it, are not to be shown.
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
        """The node to speak of; None where there is none at all."""
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
        """Move, and let go of the selection."""
        return replace(self, cursor=cursor, selected=None, said=said, secret=None)

    def say(self, said: str, **changes: Any) -> Session:
        """Change something, and say so."""
        return replace(self, said=said, **changes)

    def select(self, node: int | None) -> Session:
        """Point at a node, or at none."""
        return replace(self, selected=node, said="")

    def select_by(self, lines: int) -> Session:
        """Point at the node, or the folded scope, so many below, or above, in the outline."""
        outline = self.outline
        if not outline.targets:
            return self
        known = self.selected if self.selected is not None else self.state.focus
        at = outline.target_of(known)
        target = (-1 if at is None else at) + lines
        return self.select(outline.node_of(max(0, min(target, outline.targets - 1))))

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
        said = f"nothing to stop at: this is the {which}" if self.stops else ""
        return self.go(self.cursor.seek(end), said)

    def toggle_stop(self, *, every: bool) -> Session:
        """Stop at the subject (or at `every` change of it), or no longer."""
        if self.subject is None:
            return self
        node, stop = self.subject, NodeStop.at(self.recording, self.subject, every=every)
        verb = "watch" if every else "stop at"
        rest = tuple(each for each in self.stops if not self._stands_for(each, node, every=every))
        if rest != self.stops:
            return self.say(f"no longer: {verb} {stop.text}", stops=rest)
        return self.say(f"{verb} {stop.text}: press c to go there", stops=(*self.stops, stop))

    def _stands_for(self, stop: Stop, node: int, *, every: bool) -> bool:
        """Whether a stop is at a node, or at its like in another training step."""
        if not isinstance(stop, NodeStop):
            return False
        return stop.every == every and stop.covers(self.recording, node)

    def stop_where(self, condition: str) -> Session:
        """Stop where a condition holds, or no longer; with an empty one, nowhere any more.

        Raises:
            ConditionError: it is none.
        """
        if not condition.strip():
            return self.say("no stops are left", stops=())
        stop = Condition(condition.strip())
        if stop in self.stops:
            rest = tuple(each for each in self.stops if each != stop)
            return self.say(f"no longer: {stop.text}", stops=rest)
        return self.say(f"stop where {stop.text}: press c", stops=(*self.stops, stop))

    def who_wrote(self) -> Session:
        """Go back to the event that wrote the subject's gradient last; again, to the one before."""
        node = self.subject
        if node is None:
            return self
        name = title(self.recording, node)
        position = self.cursor.position
        here = position and self.state.focus == node and self.state.phase not in ("forward", "mark")
        index = last_write(self.recording, node, position - 1 if here else position)
        if index is None:
            return self.say(f"nobody has written the gradient of {name} before")
        moved = self.go(self.cursor.seek(index + 1), f"the gradient of {name} was written here")
        return replace(moved, selected=node)

    def next_write(self) -> Session:
        """Go on to the event that writes the subject's gradient next; again, to the one after."""
        node = self.subject
        if node is None:
            return self
        name = title(self.recording, node)
        index = next_write(self.recording, node, self.cursor.position)
        if index is None:
            return self.say(f"nobody writes to this gradient of {name} any more")
        moved = self.go(self.cursor.seek(index + 1), f"the gradient of {name} is written here")
        return replace(moved, selected=node)

    def go_to_edge(self, out: int, slot: int) -> Session:
        """Go to where a backward pass of this training step walks the edge into a node's operand.

        Of several passes, the first that is not over; of none, to where the edge came to be.
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
            return self.go(self.cursor.seek(made), "no backward pass walks this edge: made here")
        return self.go(self.cursor.seek(walked), "this edge is walked here")

    def bookmark(self) -> Session:
        """Set a bookmark at the position, or take it away."""
        here = self.cursor.position
        if here in self.bookmarks:
            rest = tuple(each for each in self.bookmarks if each != here)
            return self.say(f"no bookmark at {here} any more", bookmarks=rest)
        marks = tuple(sorted((*self.bookmarks, here)))
        return self.say(f"bookmark at {here}: press ' to come back", bookmarks=marks)

    def next_bookmark(self) -> Session:
        """Go to the next bookmark; after the last, to the first."""
        if not self.bookmarks:
            return self.say("no bookmarks yet: m sets one")
        here = self.cursor.position
        ahead = (mark for mark in self.bookmarks if mark > here)
        mark = next(ahead, self.bookmarks[0])
        return self.go(self.cursor.seek(mark), f"bookmark at {mark}")

    def search(self, text: str) -> Session:
        """Select the next node whose name contains a text."""
        return replace(self, sought=text.strip()).next_hit(1)

    def next_hit(self, by: int) -> Session:
        """Select the next node that was searched for, or the one before, and open its scopes."""
        if not self.sought:
            return self.say("nothing was searched for: / does that")
        hits = _hits(self.state.scene, self.sought.casefold())
        if not hits:
            return self.say(f"no node is called {self.sought}")
        now = -1 if self.subject is None else self.subject
        at = bisect_right(hits, now) if by > 0 else bisect_left(hits, now) - 1
        at %= len(hits)
        shut = enclosing(self.recording.node(hits[at]).place.scope)
        opened = self.folded.difference(shut)
        return self.say(f"{at + 1} of {len(hits)}", selected=hits[at], folded=opened)


@lru_cache(maxsize=4)
def _hits(scene: Scene, word: str) -> list[int]:
    """Return the nodes whose names have a word in them; where none has, those that compute it.

    What the nodes of a large scene compute would take seconds to write down.
    """
    named = [node for node, name in scene.names if word in name.casefold()]
    if named or len(scene) > LARGE:
        return named
    return [node for node in scene if word in title(scene.recording, node).casefold()]
