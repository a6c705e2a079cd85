"""Which earlier passes a pass repeats: from the same root, or from a node on the way (`Roots`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from stepgrad.diagnosis.survey import Pass
from stepgrad.recording.history import History


class Roots:
    """The last pass from each root, by the forward pass that computed the root."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._passes = defaultdict[int, dict[int, Pass]](dict)

    def add(self, each: Pass) -> None:
        """Remember a pass."""
        self._passes[self._history.forward_of(each.root).base][each.root] = each

    def within(self, each: Pass) -> Iterator[Pass]:
        """Yield the earlier passes whose root a pass starts from, or passes a gradient on to."""
        block = each.block
        for place in block.sweep.swept:
            for root, earlier in self._passes.get(block.over[place].base, {}).items():
                column = block.column(root)
                if column is not None and block.grads[column]:
                    yield earlier
