"""What the program writes to values and gradients, line by line (`Writing`).

PyTorch's optimizers write through many operations, and a program may write where no operation is
seen: `p.grad = None`, or through a NumPy array. So nothing is taken from the operations: they only
say when to look. What is looked at is compared bit for bit with what it was.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import torch
from torch import Tensor

from stepgrad.engine.tape import Place, Rule, WriteKind
from stepgrad.recording.recorder import Recorder
from stepgrad.torch.beside import Beside
from stepgrad.torch.leaves import Change, Leaf, bits
from stepgrad.torch.passes import as_bytes


@dataclass
class _Pending:
    kinds: list[WriteKind] = field(default_factory=list)
    nodes: list[int] = field(default_factory=list)
    after: list[float] = field(default_factory=list)
    places: list[Place | None] = field(default_factory=list)


class Writing:
    """Notices writes, and logs them as those of a line.

    Args:
        recorder: where they go.
        beside: the nodes of the tensors.
        living: yields the leaves that are looked at.
        settle: logs what was computed before a write.
        place: tells where in the program something happens.
    """

    def __init__(
        self,
        recorder: Recorder,
        beside: Beside,
        living: Callable[[], Iterator[Leaf]],
        settle: Callable[[], None],
        place: Callable[[], Place],
    ) -> None:
        self._recorder = recorder
        self._beside = beside
        self._living = living
        self._settle = settle
        self._place = place
        self._line: Place | None = None  # the one that may have written
        self._results: list[Tensor] = []  # those that it may have written to, besides leaves
        self._pending = _Pending()

    @property
    def due(self) -> bool:
        """Whether a line may have written since the last look."""
        return self._line is not None

    def begins(self, written: Iterable[Tensor] = ()) -> None:
        """Take note that the program is about to write, to these tensors among others."""
        here = self._place()
        if self._line is not None and self._line != here:
            self.look()
        self._line = here
        self._results += [each for each in written if self._is_result(each)]

    def _is_result(self, tensor: Tensor) -> bool:
        """Whether elements of a tensor are computed nodes."""
        return any(each.left is None for each in self._beside.passes_of(tensor))

    def look(self) -> None:
        """Note what has changed since the last look."""
        line, self._line = self._line, None
        results, self._results = self._results, []
        for leaf in self._living():
            for change in leaf.changes():
                self._note(leaf.made.base, change, line)
        for each in results:
            self._result(each, line)

    def add(self, leaf: Leaf, change: Change) -> None:
        """Note writes that happen here."""
        self._note(leaf.made.base, change, self._place())

    def updated(self, leaves: Sequence[Leaf], rule: Rule) -> None:
        """Log the values that an optimizer has written to all elements of leaf tensors."""
        written = [values for each in leaves if (values := each.written()) is not None]
        self._ruled("update", leaves, torch.cat(written), rule)

    def clipped(self, leaves: Sequence[Leaf], rule: Rule) -> None:
        """Log the gradients that were written to all elements of leaf tensors."""
        self._ruled("set", leaves, torch.cat([each.regarded() for each in leaves]), rule)

    def _ruled(self, kind: WriteKind, leaves: Sequence[Leaf], after: Tensor, rule: Rule) -> None:
        self._settle()
        self.flush()
        spans = (range(each.made.base, each.made.base + len(each.made)) for each in leaves)
        nodes = [*chain.from_iterable(spans)]
        numbers = array("d", as_bytes(after))
        self._recorder.log_rule(kind, nodes, _known(self._place()), numbers, rule)

    def flush(self) -> None:
        """Log what was noted."""
        noted, self._pending = self._pending, _Pending()
        if noted.nodes:
            self._recorder.log_writes(noted.kinds, noted.nodes, noted.places, noted.after)

    def _note(self, base: int, change: Change, line: Place | None) -> None:
        self._settle()
        noted, count = self._pending, len(change.offsets)
        noted.kinds += [change.kind] * count
        noted.nodes += (change.offsets + base).tolist()
        noted.after += change.after.tolist()
        noted.places += [_known(line)] * count

    def _result(self, tensor: Tensor, line: Place | None) -> None:
        self._settle()
        numbers = self._beside.window(tensor)
        assert numbers is not None, "it is a result"
        numbers, after = numbers.reshape(-1), tensor.detach().to(torch.float64).reshape(-1)
        for made in self._beside.passes_of(tensor):
            if made.left is not None or not len(made):
                continue  # a copy of a leaf is not the leaf
            own = (made.base <= numbers) & (numbers < made.base + len(made))
            offsets, now = numbers[own] - made.base, after[own]
            changed = bits(made.column[offsets]) != bits(now)
            offsets, now = offsets[changed], now[changed]
            if len(offsets):
                made.column[offsets] = now
                self._note(made.base, Change("update", offsets, now), line)


def _known(place: Place | None) -> Place | None:
    return place if place is not None and place.line is not None else None
