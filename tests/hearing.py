"""A recorder's door that keeps what is reported, and what is wrong with it (`Heard`)."""

from __future__ import annotations

import builtins
import io
import linecache
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from types import FrameType
from typing import Any

from stepgrad.engine.node import Node
from stepgrad.engine.ops import CONSTANT
from stepgrad.engine.tape import WriteKind
from stepgrad.foreign import watching
from stepgrad.foreign.nodes import same
from stepgrad.recording.naming.paths import Path as Calls
from stepgrad.recording.naming.paths import Where
from stepgrad.recording.naming.sites import Site, Spot


class Heard:
    """What was reported, in order, with nodes numbered as they were made.

    `wrong` has what is not as it should be: a number that the operator does not give, a
    contribution that is not upstream · local, an edge that is not walked once, a node that passes
    something on and receives more later, a gradient that is there before its pass.
    """

    closed = False

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.lines: list[Spot | None] = []
        self.said: list[tuple[Any, ...]] = []
        self.wrong: list[tuple[str, Spot | None]] = []
        self.passes = 0
        self._begin(None)

    def number(self, node: Node | None) -> int | None:
        return None if node is None else [n is node for n in self.nodes].index(True)

    def made(self) -> list[tuple[str, float, tuple[int | None, ...]]]:
        """Return the operation, the number and the operands of each node."""
        return [
            (node._operation.name, node._data, tuple(map(self.number, node._operands)))
            for node in self.nodes
        ]

    def edges(self) -> list[tuple[int | None, int, int | None]]:
        """Return the writes of rules: of which node, to which operand, and its node."""
        return [each[1:4] for each in self.said if each[0] == "received"]

    def remarks(self) -> list[tuple[str, int | None, str]]:
        """Return the kind, the line and the text of each remark."""
        return [each[1:] for each in self.said if each[0] == "remark"]

    # What is reported.

    def watched(self, stands_for: Callable[[object], Node | None]) -> None:
        self.stands_for = stands_for

    def unwatched(self) -> None:
        pass

    def where(self, frame: FrameType) -> Where:
        return Where(Site((frame.f_lineno, frame.f_code.co_filename)), Calls())

    def where_through(self, frame: FrameType, _: object) -> Where:
        return self.where(frame)

    def made_at(self, node: Node, where: Where | None) -> None:
        spot = None if where is None else where.site.spot
        assert all(operand in self.nodes for operand in node._operands)
        self.nodes.append(node)
        self.lines.append(spot)
        op = node._operation
        if op.partials and not getattr(op, "stored", False):
            value = op.value(*[operand._data for operand in node._operands])
            if not same(value, node._data, 1e-9):
                self.wrong.append(("forward", spot))

    def written_at(self, kind: WriteKind, node: Node, after: float, spot: Spot | None) -> None:
        self.said.append((kind, self.number(node), after, spot and spot[0]))
        if kind == "update":
            node._data = after

    def seeded(self, root: Node, after: float, spot: Spot | None) -> None:
        self.said.append(("seeded", self.number(root), after, spot and spot[0]))
        root._grad = after
        self._begin(root)
        if after != 1:
            self.wrong.append(("seed", spot))

    def received(
        self, out: Node, slot: int, receiver: Node, after: float, spot: Spot | None
    ) -> None:
        line = spot and spot[0]
        self.said.append(("received", self.number(out), slot, self.number(receiver), after, line))
        assert out._operands[slot] is receiver
        if self._root is None:
            self.wrong.append(("seed", spot))
            self._begin(out)
        if id(receiver) not in self._arrived and receiver._grad and receiver is not self._root:
            self._problems.append(("stale", spot))
        if any(walked[0] is receiver for walked in self._walked):
            self._problems.append(("order", spot))
        change = after - receiver._grad
        arrived = self._arrived.get(id(out), out._grad)
        self._walked.append((out, slot, change, (out._grad, arrived), spot))
        self._arrived[id(receiver)] = change
        receiver._grad = after

    def ended(self, *, by_path: bool = False) -> None:
        self.said.append(("ended", by_path))
        self.passes += 1
        if not by_path:
            self.wrong += self._problems
        for out, slot, change, upstream, spot in self._walked:
            right = upstream[by_path] * local(out, slot)
            if not (same(change, right, 1e-6) or abs(change - right) < 1e-9):
                self.wrong.append(("edge", spot))
        times = Counter((id(out), slot) for out, slot, *_ in self._walked)
        for node in self._reached():
            for slot, operand in enumerate(node._operands):
                count = times[id(node), slot]
                if operand._operation is not CONSTANT and (
                    not count or (count > 1 and not by_path)
                ):
                    self.wrong.append(("twice" if count else "missing", None))
        self._begin(None)

    def remark(self, kind: str, node: Node | None, spot: Spot | None, text: str) -> None:
        assert node is None or node in self.nodes
        self.said.append(("remark", kind, spot and spot[0], text))
        if kind in ("early", "hung", "stray", "forward"):
            self.wrong.append((kind, spot))

    def name(self, value: Node) -> None:
        self.said.append(("name", self.number(value), value._label))

    def _begin(self, root: Node | None) -> None:
        self._root = root
        self._walked: list[tuple[Node, int, float, tuple[float, float], Spot | None]] = []
        self._arrived: dict[int, float] = {}
        self._problems: list[tuple[str, Spot | None]] = []

    def _reached(self) -> list[Node]:
        found: dict[int, Node] = {}
        rest = [self._root] if self._root else []
        while rest:
            node = rest.pop()
            if id(node) not in found:
                found[id(node)] = node
                rest += node._operands
        return [*found.values()]


def local(out: Node, slot: int) -> float:
    """Return a local derivative: the stored one, or that of the table."""
    if getattr(out._operation, "stored", False):
        return out._locals[slot]
    numbers = [operand._data for operand in out._operands]
    return out._operation.local[slot](*numbers, out._data)


def hear(text: str, file: str = "program.py") -> tuple[Heard, dict[str, Any]]:
    """Watch a program; return what was reported and its variables."""
    heard, names = Heard(), {"__name__": "__main__", "__builtins__": builtins}
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    with watching(heard):
        exec(compile(text, file, "exec"), names)
    return heard, names


def hear_file(path: Path) -> tuple[Heard, str]:
    """Watch a program in a file; return what was reported, and what it prints."""
    out = io.StringIO()
    sys.path.insert(0, str(path.parent))
    try:
        with redirect_stdout(out):
            heard, _ = hear(path.read_text("utf-8"), str(path))
    finally:
        sys.path.remove(str(path.parent))
    return heard, out.getvalue()
