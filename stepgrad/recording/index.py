"""Which blocks say something about a node: worked out once, as far as the log has come."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain
from threading import Lock
from typing import TypeAlias

from stepgrad.recording.blocks import Backward, Block, Forward, Marked, Write
from stepgrad.recording.structure import Context
from stepgrad.recording.sweep import Sweep
from stepgrad.recording.writes import Writes

Numbers: TypeAlias = "array[int]"
"""The numbers of some blocks, in order."""

_NONE: Numbers = array("q")


def _numbers() -> Numbers:
    return array("q")


class Index:
    """The blocks of a log by what they are about. It may be asked while blocks are added.

    Training has many blocks of few shapes. So for a node, the shapes are found that are about it,
    and the blocks of each are already listed.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        self._indexed = 0
        self._indexing = Lock()
        self._starts = _numbers()
        self._latest = -1, 0, -1  # an event, of how many blocks, and the one that holds it
        self._contexts: dict[Context, list[Forward]] = {}
        # For each forward pass, by its base: the sweeps over it, each with the number that the
        # pass has there, and the backward passes.
        self._over: dict[int, dict[tuple[Sweep, int], Numbers]] = defaultdict(
            lambda: defaultdict(_numbers)
        )
        self._writes: dict[Writes, Numbers] = {}
        self._updates: dict[int, list[Writes]] = defaultdict(list)
        self._grads: dict[int, list[Writes]] = defaultdict(list)
        # What was found for a node, up to which block.
        self._value_writes: dict[int, tuple[int, Numbers]] = {}
        self._gradient_blocks: dict[int, tuple[int, Numbers]] = {}
        self._merged: dict[tuple[int, ...], tuple[int, Numbers]] = {}
        # Where training steps begin: as marked; or implicitly, with the first forward pass after a
        # backward pass or one in forward mode, and with the marks right before it.
        self._marked: list[int] = []
        self._implicit_steps: list[int] = []
        self._step_due = True
        self._pending_mark: int | None = None

    def contexts(self) -> Mapping[Context, Sequence[Forward]]:
        """Return the contexts there are, each with its forward passes in order."""
        self._catch_up()
        return self._contexts.copy()  # another thread may find more while this one reads

    def steps(self) -> Sequence[int]:
        """Return the positions at which training steps begin (see `Log.steps`)."""
        self._catch_up()
        return self._marked or self._implicit_steps

    def updated(self) -> Sequence[int]:
        """Return the nodes whose value is written after they are made, in order."""
        self._catch_up()
        return sorted(self._updates.copy())

    def block_at(self, event: int) -> int:
        """Return the number of the block that holds an event (counted from 0); -1 before all."""
        if self._indexed != len(self._blocks):
            self._catch_up()
        # A look asks a hundred questions about one position.
        asked, known, number = self._latest
        if asked != event or known != self._indexed:
            known = self._indexed
            number = bisect_right(self._starts, event, 0, known) - 1
            self._latest = event, known, number
        return number

    def first_at(self, position: int) -> int:
        """Return the number of the first block that starts at a position or after it."""
        if self._indexed != len(self._blocks):
            self._catch_up()
        return bisect_left(self._starts, position, 0, self._indexed)

    def is_updated(self, node: int) -> bool:
        """Whether a node's value is written after it is made."""
        if self._indexed != len(self._blocks):
            self._catch_up()
        return node in self._updates

    def value_writes(self, node: int) -> Numbers:
        """Return the blocks that write a node's value."""
        if self._indexed != len(self._blocks):
            self._catch_up()
        now = self._indexed  # first: a list that comes later has nothing up to there
        updates = self._updates.get(node)
        if updates is None:
            return _NONE
        found = self._value_writes.get(node)
        if found is None or found[0] != now:
            listed = [self._writes[each] for each in tuple(updates)]
            found = self._value_writes[node] = now, self._merge(listed, now)
        return found[1]

    def gradient_blocks(self, node: int, base: int) -> Numbers:
        """Return the blocks that write a node's gradient; a backward pass among them may not.

        `base` is that of the forward pass that made the node.
        """
        if self._indexed != len(self._blocks):
            self._catch_up()
        now = self._indexed  # first: a list that comes later has nothing up to there
        grads, over = self._grads.get(node, ()), self._over.get(base, {})
        if not grads and len(over) == 1:  # most nodes
            (sweep, number), numbers = [*over.items()][0]  # noqa: RUF015 - others may be added
            return numbers if sweep.may_reach(number, node - base) else _NONE
        found = self._gradient_blocks.get(node)
        if found is None or found[0] != now:
            listed = [self._writes[each] for each in tuple(grads)]
            listed += [
                numbers
                for (sweep, number), numbers in over.copy().items()
                if sweep.may_reach(number, node - base)
            ]
            found = self._gradient_blocks[node] = now, self._merge(listed, now)
        return found[1]

    def _merge(self, listed: Sequence[Numbers], now: int) -> Numbers:
        """Return the numbers of some lists in one, up to `now`, for all nodes that have these."""
        if len(listed) < 2:
            return listed[0] if listed else _NONE
        key = tuple(map(id, listed))  # they live as long as this index
        indexed, merged = self._merged.get(key, (0, _NONE))
        if indexed < now:
            # Not beyond `now`: another thread may be adding to one of them while we read another.
            new = chain.from_iterable(
                each[bisect_left(each, indexed) : bisect_left(each, now)] for each in listed
            )
            merged = merged + array("q", sorted(new))  # not in place: it may be being read
            self._merged[key] = now, merged
        return merged

    def _catch_up(self) -> None:
        """Index the blocks that were added since the last question."""
        if self._indexed == len(self._blocks):
            return
        with self._indexing:
            for number in range(self._indexed, len(self._blocks)):
                self._add(number, self._blocks[number])
                self._indexed = number + 1

    def _add(self, number: int, block: Block) -> None:
        match block:
            case Forward():
                self._contexts.setdefault(block.context, []).append(block)
                if self._step_due or block.tangents is not None:
                    self._implicit_steps.append(
                        block.start if self._pending_mark is None else self._pending_mark
                    )
                self._step_due = block.tangents is not None
            case Backward(sweep=sweep):
                for which, forward in enumerate(block.over):
                    self._over[forward.base][sweep, which].append(number)
                self._step_due = True
            case Write(writes=writes):
                if writes not in self._writes:
                    self._register(writes)
                self._writes[writes].append(number)
            case Marked(kind=kind):
                if kind == "step":
                    self._marked.append(block.start)
                if self._pending_mark is None:
                    self._pending_mark = block.start
        if not isinstance(block, Marked):
            self._pending_mark = None
        self._starts.append(block.start)

    def _register(self, writes: Writes) -> None:
        self._writes[writes] = _numbers()
        for node in writes.gradients:
            self._grads[node].append(writes)
        for node in writes.updates:
            self._updates[node].append(writes)
