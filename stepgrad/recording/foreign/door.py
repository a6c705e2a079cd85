"""The door of a recorder for engines that are not ours (`Door`).

Our own engine asks its tape to run a backward pass. Any other one runs its passes itself, and is
watched: whoever watches it says here what it has done, write by write, and on which line.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import TYPE_CHECKING, Protocol

from stepgrad.engine.node import Node
from stepgrad.engine.tape import WriteKind, current_place
from stepgrad.recording.changes import Writing
from stepgrad.recording.foreign.walks import WIDTH, Walked
from stepgrad.recording.naming.sites import Spot
from stepgrad.recording.pending import Pending
from stepgrad.recording.places import Places

if TYPE_CHECKING:
    from stepgrad.recording.callers import Callers
    from stepgrad.recording.naming.paths import Where


class Recorder(Protocol):
    """What a door asks of its recorder."""

    closed: bool
    write: Writing

    def adopt(self, value: Node) -> None:
        """Log what is pending, and a node, if that is not yet logged."""

    def log_written(self) -> None:
        """Write what was written by hand into the log."""

    def divide(self) -> None:
        """Write evaluations that are over into the log, if much is pending."""

    def settle(self) -> None:
        """Write everything that is pending into the log."""


class Door:
    """Takes note of what an engine does that runs its backward passes itself.

    A pass begins with `seeded`, or with the first rule that writes. It is over with `ended`, or
    when anything else comes that is no write to a gradient. What is written to gradients during a
    pass by no rule comes after the pass in the log, if no rule of it looks there any more;
    else the pass is divided there.

    Args:
        recorder: the recorder that this is the door of.
        pending: what it has collected.
        places: makes places of lines.
        callers: what finds where the program is, if that is noted.
    """

    def __init__(
        self, recorder: Recorder, pending: Pending, places: Places, callers: Callers | None
    ) -> None:
        self._recorder = recorder
        self._places = places
        self._callers = callers
        self.where: Callable[[FrameType], Where | None] = _nowhere
        if callers is not None:
            self.where = callers.find
        self._pending = pending
        self._walked = pending.walked
        self._note: Callable[[Walked], None] = pending.walked.extend
        self._noted = pending.made.extend
        self._written = pending.written
        self.alert = False  # whether the recorder has to be asked first if it goes on

    def watched(self, stands_for: Callable[[object], Node | None]) -> None:
        """Name leaves by what holds the objects of the program that they stand for."""
        if self._callers is not None:
            self._callers.holders.stand_in(stands_for)
            self._callers.holders.register(vars(sys.modules["__main__"]))

    def where_through(self, frame: FrameType, way: Iterable[FrameType]) -> Where | None:
        """Return where a frame is that calls others, if that is noted.

        Where one of these goes on with what it gets, what is made is not the result of what the
        program does there.
        """
        if self._callers is None:
            return None
        found = self._callers.find(frame)
        if found is None or all(map(self._callers.returns, way)):
            return found
        return found.within

    def made_at(self, node: Node, where: Where | None) -> None:
        """A node was made, at that place, whoever calls."""
        if self._walked:
            if not self._goes_on():
                return
        elif self.alert and not self._divided():
            return
        if where is None or self._callers is None:
            self._pending.append_at(node, None)
        else:
            self._noted((node, where, current_place()))

    def written_at(self, kind: WriteKind, node: Node, after: float, spot: Spot | None) -> None:
        """A value or a gradient was written, and not by a rule."""
        walked = self._walked
        over = walked and (kind == "update" or (len(walked) == WIDTH and node is walked[0]))
        if over:
            self._goes_on()
        elif self.alert:
            self._divided()
        self._recorder.write(kind, node, after, self._places.at(spot))

    def seeded(self, root: Node, after: float, spot: Spot | None) -> None:
        """A pass begins: the gradient of its root is set."""
        self._pending.look(driven=True)
        if self._goes_on():
            self._begin(root, after, spot)
        root._grad = after

    def received(
        self, out: Node, slot: int, receiver: Node, after: float, spot: Spot | None
    ) -> None:
        """A rule of `out` wrote the gradient of the operand that it has in that slot."""
        usual = self._walked and not self._written and not self.alert
        if usual or self._ready(out, receiver):
            self._note((out, slot, receiver, after, spot))
        receiver._grad = after

    def ended(self, *, by_path: bool = False) -> None:
        """The pass is over.

        Args:
            by_path: whether each rule handed on what its node had just received, as a recursive
                `backward(upstream)` does, and not all that it had received so far.
        """
        self._pending.by_path = by_path
        self._goes_on()

    def unwatched(self) -> None:
        """Name leaves a last time, and log what is pending: the objects will not be known later."""
        self._pending.look(again=True)
        self._goes_on()

    def remark(self, kind: str, node: Node | None, spot: Spot | None, text: str) -> None:
        """Keep what no event can show: "the rule of + never runs", with the node it is about."""
        self._pending.remarks.append((kind, node, self._places.at(spot), text))

    def _begin(self, root: Node, after: float, spot: Spot | None) -> None:
        self._recorder.adopt(root)  # before its gradient changes
        self._note((root, 0, root, after, spot))

    def _ready(self, out: Node, receiver: Node) -> bool:
        """Prepare for the write of a rule; return whether it is to be noted."""
        walked, held = self._walked, self._written
        if self.alert and not self._goes_on():
            return False
        if walked and held:
            if len(walked) == WIDTH:
                self._recorder.log_written()
            elif any(node is out or node is receiver for _, node, *_ in held):
                self._goes_on()
        if not walked:  # a rule runs, and nothing was seeded
            self._begin(out, out._grad, None)
        return not self._recorder.closed

    def _divided(self) -> bool:
        """Log what is over of much that is pending; return whether the recording goes on.

        When that is asked for is chance, and a constant stays with the node that it was made for.
        """
        self.alert = False
        self._recorder.divide()
        self.alert = self._recorder.closed
        return not self.alert

    def _goes_on(self) -> bool:
        """Log what is pending, a pass among it; return whether the recording goes on."""
        self.alert = False
        self._recorder.settle()
        self.alert = self._recorder.closed
        return not self.alert


def _nowhere(_: FrameType) -> None:
    """Say that places are not noted."""
