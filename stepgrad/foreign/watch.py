"""Watching the classes of a program while it runs (`watching`)."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from sys import _getframe
from threading import get_ident
from types import FrameType, FunctionType
from typing import Any

from stepgrad.foreign.classes import Hooks, Kind
from stepgrad.foreign.door import Door
from stepgrad.foreign.frames import CONSTRUCTOR, Frames
from stepgrad.foreign.making import Making
from stepgrad.foreign.nodes import Shadow, number, same
from stepgrad.foreign.rules import Rules

_LABELS = ("label", "name", "_label", "_name")


class Watch:
    """What is seen of the engines of a program, in the thread that began to watch.

    Args:
        door: what is told of it.
    """

    def __init__(self, door: Door) -> None:
        self.nodes: dict[int, Shadow] = {}
        self._door = door
        self._home = get_ident()
        self._frames = Frames()
        self._hooks = Hooks(self._setter, self._deleted, self._met)
        self._making = Making(self.nodes, self._hooks.kinds, self._frames, door)
        self._rules = Rules(self.nodes, self._frames, door)
        self._said: set[object] = set()
        self.installed = self._hooks.installed

    def instances(self) -> Iterator[tuple[object, Shadow]]:
        """Yield each living object with the node that stands in for it."""
        self.settle()
        for each in gc.get_objects():
            if type(each) in self._hooks.kinds and id(each) in self.nodes:
                yield each, self.nodes[id(each)]

    def settle(self) -> None:
        """Report what is pending."""
        if self._making.pending is not None:
            self._making.flush()
        self._rules.end()

    def end(self) -> None:
        """Report what is pending, and whether anything was not seen."""
        self.settle()
        for each, node in [*self.instances()]:
            kind = self._hooks.kinds[type(each)]
            is_, was = number(getattr(each, kind.grad, None)), node._grad
            if is_ is not None and not same(is_, was):
                self._say("unseen", node, "writes through __dict__ or object.__setattr__ are not observable")
                break
        self.nodes.clear()

    def _say(self, kind: str, node: Shadow | None, text: str) -> None:
        if kind not in self._said:
            self._said.add(kind)
            self._door.remark(kind, node, None, text)

    # What the hooks report.

    def _met(self, cls: type, kind: Kind) -> None:
        self._frames.learn(cls)

    def _deleted(self, which: int) -> None:
        self.nodes.pop(which, None)

    def _setter(
        self, kind: Kind, inner: Callable[[Any, str, Any], None]
    ) -> Callable[[Any, str, Any], None]:
        nodes, making = self.nodes, self._making
        data, grad = kind
        begun, wrote, other = self._begun, self._wrote, self._other

        def __setattr__(self: Any, name: str, value: Any) -> None:  # noqa: N807 - it becomes one
            node = nodes.get(id(self))
            if node is None:
                inner(self, name, value)
                begun(self, kind, name, value, _getframe(1))
            elif name == data or name == grad:
                before = getattr(self, name, None)
                inner(self, name, value)
                wrote(node, name == grad, before, value, _getframe(1), grad)
            else:
                inner(self, name, value)
                if node is making.pending:
                    making.attribute(name, value, _getframe(1))
                else:
                    other(node, name, value, _getframe(1))

        return __setattr__

    def _begun(self, made: Any, kind: Kind, name: str, value: Any, frame: FrameType) -> None:
        making = self._making
        if making.muted or get_ident() != self._home or self._door.closed:
            return
        if self._rules.running:
            self._rules.end()
        node = making.begin(made, type(made), frame)
        if name == kind.data:
            node._data = number(value) or 0.0
        elif name == kind.grad:
            node._grad = number(value) or 0.0
        else:
            making.attribute(name, value, frame)

    def _wrote(
        self, node: Shadow, is_grad: bool, before: Any, value: Any, frame: FrameType, grad: str
    ) -> None:
        making = self._making
        if making.muted or get_ident() != self._home:
            return
        if node is making.pending:
            if self._frames.role(frame) >= CONSTRUCTOR:
                if is_grad:
                    node._grad = number(value) or 0.0
                else:
                    node._data = number(value) or 0.0
                return
            making.flush()
        elif making.pending is not None:
            making.flush()
        if is_grad:
            self._rules.wrote(node, before, value, frame, grad)
        else:
            self._rules.updated(node, value, frame)

    def _other(self, node: Shadow, name: str, value: Any, frame: FrameType) -> None:
        if isinstance(value, FunctionType) and value.__closure__:
            self._hung(node, value, frame)
        elif name in _LABELS and isinstance(value, str):
            self._making.name(node, value)

    def _hung(self, node: Shadow, rule: FunctionType, frame: FrameType) -> None:
        """Look whether a rule is stored in an operand of the node that it is the rule of."""
        if self._making.pending is not None:
            self._making.flush()
        found = [self.nodes.get(id(cell.cell_contents)) for cell in rule.__closure__ or () if _full(cell)]
        owner = max((each for each in found if each is not None), key=lambda n: n._stamp, default=node)
        line = self._frames.line(frame)
        if owner is not node and owner.has_operand(node) and line not in self._said:
            self._said.add(line)
            text = f"the rule of {owner._operation.symbol} is stored in its operand, not in the result"
            self._door.remark("hung", owner, line, text)


def _full(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


_current: Watch | None = None


@contextmanager
def watching(door: Door | None) -> Iterator[Watch | None]:
    """Report to a recorder what the engines of a program do that are defined inside."""
    global _current  # noqa: PLW0603
    if door is None:
        yield None
        return
    watch = Watch(door)
    before, _current = _current, watch
    try:
        with watch.installed():
            try:
                yield watch
            finally:
                watch.end()
    finally:
        _current = before


def instances() -> Iterator[tuple[object, Shadow]]:
    """Yield each living object of a watched class with the node that stands in for it."""
    if _current is not None:
        yield from _current.instances()
