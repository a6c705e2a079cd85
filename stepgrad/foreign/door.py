"""What a recorder offers to whoever watches an engine that is not ours (`Door`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import FrameType
from typing import Protocol

from stepgrad.engine.node import Node
from stepgrad.engine.tape import WriteKind
from stepgrad.recording.naming.paths import Where
from stepgrad.recording.naming.sites import Spot


class Door(Protocol):
    """The part of a `Recorder` that is told what such an engine does, in the order of time."""

    @property
    def closed(self) -> bool:
        """Whether the recording has ended: its memory may be spent."""

    def watched(self, stands_for: Callable[[object], Node | None]) -> None:
        """Objects of the program are watched: the function returns the node of one."""

    def unwatched(self) -> None:
        """No object is watched from here on."""

    def where(self, frame: FrameType) -> Where | None:
        """Return where a frame is, if that is noted."""

    def where_through(self, frame: FrameType, way: Iterable[FrameType]) -> Where | None:
        """Return where a frame is that calls others, if that is noted.

        Where one of these goes on with what it gets, what is made is not the result of what the
        program does there.
        """

    def made_at(self, node: Node, where: Where | None) -> None:
        """A node was made at a place."""

    def written_at(self, kind: WriteKind, node: Node, after: float, spot: Spot | None) -> None:
        """A value or a gradient was written, and not by a rule."""

    def seeded(self, root: Node, after: float, spot: Spot | None) -> None:
        """A backward pass begins: the gradient of its root is set."""

    def received(
        self, out: Node, slot: int, receiver: Node, after: float, spot: Spot | None
    ) -> None:
        """The rule of `out` wrote the gradient of the operand that it has in a slot."""

    def ended(self, *, by_path: bool = False) -> None:
        """A backward pass is over."""

    def remark(self, kind: str, node: Node | None, spot: Spot | None, text: str) -> None:
        """Something was seen that no event can show."""

    def name(self, value: Node) -> None:
        """A node was given a label."""
