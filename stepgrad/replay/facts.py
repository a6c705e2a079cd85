"""What can be said of the events of a block, in columns: one for each name that a condition uses.

A condition is asked of every event of a recording. Whole columns need no event to be derived, and
a node that takes part in many events is looked up once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from stepgrad.recording.blocks import Backward, Block, Forward, Marked, Write
from stepgrad.recording.recording import Recording
from stepgrad.recording.structure import ref_to_index
from stepgrad.replay.titles import short_title

OF_EDGES = ("contribution", "local", "out", "upstream")
NAMES = (*OF_EDGES, "after", "before", "grad", "node", "op", "phase", "position", "value")


class Facts(dict[str, Sequence[Any]]):
    """The columns of a block, by name, made when they are asked for.

    A column has an entry for each event: None where there is nothing to say.
    """

    def __init__(self, recording: Recording, block: Block) -> None:
        super().__init__()
        self._recording = recording
        self._block = block

    def __missing__(self, name: str) -> Sequence[Any]:
        block = self._block
        match block:
            case _ if name == "position":
                self[name] = range(block.start + 1, block.start + block.length + 1)
            case Forward():
                self[name] = self._made(block, name)
            case Backward():
                self[name] = self._propagated(block, name)
            case Write():
                self[name] = self._written(block, name)
            case Marked():
                self[name] = (block.phase if name == "phase" else None,)
        return self[name]

    def _made(self, block: Forward, name: str) -> Sequence[Any]:
        created = block.structure.created
        match name:
            case "phase":
                return (block.phase,) * block.length
            case "node":
                return [_title(self._recording, block.base + offset) for offset in created]
            case "op":
                return [block.structure.op(offset).name for offset in created]
            case "value":
                return [block.values[offset] for offset in created]
        return (None,) * block.length

    def _propagated(self, block: Backward, name: str) -> Sequence[Any]:
        sweep, history = block.sweep, self._recording.history
        match name:
            case "phase":
                return (block.phase,) * block.length
            case "node":
                return self._titles([block.root, *self._at(block, sweep.receivers)])
            case "out":
                return [None, *self._titles(self._at(block, sweep.outs))]
            case "op":
                outs = [block.root, *self._at(block, sweep.outs)]
                return _each(outs, lambda node: self._recording.node(node).op.name)
            case "value":
                nodes = [block.root, *self._at(block, sweep.receivers)]
                return _each(nodes, lambda node: history.value(node, block.start))
            case "upstream":
                return [None, *(block.grads[out] for out in sweep.outs)]
            case "local":
                return [None, *self._locals(block)]
            case "contribution":
                pairs = zip(self["upstream"][1:], self["local"][1:], strict=True)
                return [None, *(upstream * local for upstream, local in pairs)]
            case "before" | "after" | "grad":
                self["before"], self["after"] = self._sums(block)
                return self["before" if name == "before" else "after"]
        raise KeyError(name)

    def _written(self, block: Write, name: str) -> Sequence[Any]:
        history = self._recording.history
        nodes, updates = block.writes.nodes, [kind == "update" for kind in block.writes.kinds]
        match name:
            case "phase":
                return ["update" if update else "zero" for update in updates]
            case "node":
                return self._titles(nodes)
            case "op":
                return _each(nodes, lambda node: self._recording.node(node).op.name)
            case "value":
                return [history.value(n, at) for at, n in enumerate(nodes, block.start + 1)]
            case "before":
                told = ((history.value if update else history.grad) for update in updates)
                places = enumerate(nodes, block.start)
                return [ask(n, at) for ask, (at, n) in zip(told, places, strict=True)]
            case "after":
                return block.after
            case "grad":
                return [None if u else x for u, x in zip(updates, block.after, strict=True)]
        return (None,) * block.length

    def _titles(self, nodes: Sequence[int]) -> list[str]:
        return _each(nodes, lambda node: _title(self._recording, node))

    def _at(self, block: Backward, columns: Iterable[int]) -> list[int]:
        """Return the nodes at some places of the pass's column."""
        nodes = [ref_to_index(ref, block.base) for ref in block.sweep.refs]
        return [nodes[column] for column in columns]

    def _locals(self, block: Backward) -> list[float]:
        node, value = self._recording.node, self._recording.history.value
        numbers: dict[int, float | None] = {}
        functions: dict[int, tuple[Sequence[Callable[..., float]], list[float | None]]] = {}
        for out in dict.fromkeys(self._at(block, block.sweep.outs)):
            made = node(out)
            for each in (*made.operands, out):
                if each not in numbers:
                    numbers[each] = value(each, block.start)
            functions[out] = made.op.local, [numbers[each] for each in (*made.operands, out)]
        edges = zip(self._at(block, block.sweep.outs), block.sweep.slots, strict=True)
        return [functions[out][0][slot](*functions[out][1]) for out, slot in edges]

    def _sums(self, block: Backward) -> tuple[list[float | None], list[float]]:
        """Return each gradient before and after its events, added up in the order of the pass."""
        sweep, grad = block.sweep, self._recording.history.grad
        sums: list[float | None] = [None] * sweep.computed
        leaves = sweep.refs[sweep.computed :]
        sums += [grad(ref_to_index(ref, block.base), block.start) for ref in leaves]
        seeded = None if sweep.computed else sums[0]
        before: list[float | None] = [seeded]
        after = [(seeded or 0.0) + 1.0]
        for receiver, paid in zip(sweep.receivers, self["contribution"][1:], strict=True):
            old = sums[receiver]
            sums[receiver] = new = (0.0 if old is None else old) + paid
            before.append(old)
            after.append(new)
        return before, after


def _each(nodes: Sequence[int], ask: Callable[[int], Any]) -> list[Any]:
    """Ask something of each node, once."""
    answers = {node: ask(node) for node in dict.fromkeys(nodes)}
    return [answers[node] for node in nodes]


@lru_cache(maxsize=1 << 14)
def _title(recording: Recording, node: int) -> str:
    """A title is asked for in the pass that makes the node, and soon again in the one back."""
    return short_title(recording, node)
