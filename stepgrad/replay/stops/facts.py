"""The facts about the events of a block, in columns: one for each name that a condition uses.

A condition is tested for every event of a recording. With whole columns, no event need be derived,
and where their numbers are is worked out once for all passes of a shape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stepgrad.engine.tape import WriteKind
from stepgrad.recording.blocks import Backward, Block, Forward, Marked, Write
from stepgrad.recording.foreign.sweep import ForeignBackward
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.recording.structure import Structure
from stepgrad.recording.writes import Writes
from stepgrad.replay.stops.bad import bad_nodes, bad_writes
from stepgrad.replay.stops.columns import UNKNOWN, Column, Facts, Same, picked
from stepgrad.replay.stops.passes import Propagating, Received, Seeding, SeedingByHand
from stepgrad.replay.telling.titles import full_names, names, short_title, titles

TEXTS = ("node", "op", "out", "phase")
COMPUTED = ("after", "bad", "before", "contribution", "grad", "local", "wrong")
NAMES = (*TEXTS, *COMPUTED, "position", "tangent", "upstream", "value")
WORDS = {"node": "name of node", "out": "name of out"}
"""Columns of names without scopes; the name of a nameless node is empty."""

FULL_NAMES = {"node": "full name of node", "out": "full name of out"}
"""Columns of names with their scopes; the name of a nameless node is empty."""


def facts_of(recording: Recording, block: Block) -> Sequence[Facts[Any]]:
    """Return the facts of a block, for each kind of event in it."""
    match block:
        case Forward():
            return [_Making(recording, block, range(block.length))]
        case ForeignBackward():
            seed, edges = range(1), range(1, block.length)
            return [SeedingByHand(recording, block, seed), Received(recording, block, edges)]
        case Backward():
            seed, edges = range(1), range(1, block.length)
            return [Seeding(recording, block, seed), Propagating(recording, block, edges)]
        case Write():
            return [_Writing(recording, block, offsets) for offsets in _by_kind(block.writes)]
        case Marked():
            return [_Beginning(recording, block, range(1))]


class _Beginning(Facts[Marked]):
    """A mark."""

    def _column(self, name: str) -> Column:
        return {"phase": Same("mark"), "bad": Same(False)}.get(name, UNKNOWN)


class _Making(Facts[Forward]):
    """Nodes are made."""

    def _column(self, name: str) -> Column:
        block, created = self._block, self._block.structure.created
        match name:
            case "phase":
                return Same("forward")
            case "node":
                return picked(titles(self._recording, block), created)
            case "name of node":
                return picked(names(self._recording, block), created)
            case "op":
                return _ops(block.structure)
            case "value":
                return picked(block.values, created)
            case "tangent" if block.tangents is not None:
                return picked(block.tangents, created)
            case "full name of node":
                return picked(full_names(self._recording, block), created)
            case "bad":
                return bad_nodes(self._recording, block)
        return UNKNOWN


class _Writing(Facts[Write]):
    """Values are written, or gradients."""

    @property
    def _kind(self) -> WriteKind:
        return self._block.writes.kinds[self.offsets[0]]

    @property
    def _updates(self) -> bool:
        return self._kind == "update"

    @property
    def _nodes(self) -> list[int]:
        return picked(self._block.writes.nodes, self.offsets)

    def _column(self, name: str) -> Column:
        recording, history = self._recording, self._recording.history
        match name:
            case "phase":
                return Same(self._kind)  # phases have the names of kinds
            case "node" | "name of node":
                return [short_title(recording, node) for node in self._nodes]
            case "op":
                return [recording.node(node).op.name for node in self._nodes]
            case "before":
                return self._asked(history.value if self._updates else history.grad, 0)
            case "value" if not self._updates:
                return self._asked(history.value, 1)
            case "after" | "value":
                return picked(self._block.after, self.offsets)
            case "grad" if not self._updates:
                return picked(self._block.after, self.offsets)
            case "full name of node":
                return [recording.node(node).name or "" for node in self._nodes]
            case "bad":
                return self._bad
        return UNKNOWN

    @property
    def _bad(self) -> Column:
        history = self._recording.history
        used = (history.value, history.grad) if self._updates else (history.grad,)
        after = picked(self._block.after, self.offsets)
        return bad_writes(after, [self._asked(ask, 0) for ask in used])

    def _asked(self, ask: Callable[[int, int], float | None], later: int) -> list[float | None]:
        """Ask something of each node, where it is written, or some events later."""
        first = self._block.start + later
        return [ask(n, first + i) for n, i in zip(self._nodes, self.offsets, strict=True)]


@kept(1)
def _by_kind(writes: Writes) -> Sequence[Sequence[int]]:
    """Return which writes are of each kind."""
    kinds = dict.fromkeys(writes.kinds)
    return [[i for i, each in enumerate(writes.kinds) if each == kind] for kind in kinds]


@kept(1)
def _ops(structure: Structure) -> Sequence[str]:
    return [structure.op(offset).name for offset in structure.created]
