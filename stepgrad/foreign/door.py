"""What a recorder offers to whoever watches an engine that is not ours (`Door`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from stepgrad.engine.node import Node
from stepgrad.engine.tape import WriteKind
from stepgrad.recording.naming.sites import Spot


class Door(Protocol):
    """The part of a `Recorder` that is told what such an engine does, in the order of time."""

    @property
    def closed(self) -> bool:
        """Whether the recording has ended: its memory may be spent."""

    def made_at(self, node: Node, spot: Spot | None) -> None:
        """A node was made at a line."""

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

    def standing_in(self, nodes: Mapping[int, Node]) -> None:
        """These nodes stand in for objects of the program, by their ids, as long as they live."""

    def name_held(self) -> None:
        """The program has ended: leaves get the names of what holds them."""

    def remark(self, kind: str, node: Node | None, spot: Spot | None, text: str) -> None:
        """Something was seen that no event can show."""

    def name(self, value: Node) -> None:
        """A node was given a label."""
