"""Watching the classes of a program while it runs (`watching`)."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from sys import _getframe
from threading import get_ident
from types import FrameType, FunctionType
from typing import Any

from stepgrad.foreign.classes import LABELS, Hooks, Kind, hides_writes, reads_plainly
from stepgrad.foreign.door import Door
from stepgrad.foreign.frames import CONSTRUCTOR, Frames
from stepgrad.foreign.making import Making
from stepgrad.foreign.nodes import Shadow, as_float, read, same
from stepgrad.foreign.oddities import UNSEEN
from stepgrad.foreign.rules import Rules
from stepgrad.recording.foreign.remark import TAPED


class Watch:
    """What is seen of the engines of a program, in the thread that began to watch.

    Args:
        door: what is told of it.
        missed: called by other threads whenever they use one, which is not observed.
    """

    def __init__(self, door: Door, missed: Callable[[], None] = lambda: None) -> None:
        self._missed = missed
        self.nodes: dict[int, Shadow] = {}
        self._door = door
        self._frames = Frames()
        self._hooks = Hooks(self._setter, self._deleter, self._met, self._say)
        self._making = Making(self.nodes, self._hooks, self._frames, door)
        self._rules = Rules(self.nodes, self._making, self._frames, door)
        self._said: set[object] = set()
        self._unfinished = False
        self.installed = self._hooks.installed
        door.watched(self._stands_for)

    def instances(self) -> Iterator[tuple[object, Shadow]]:
        """Yield each living object with the node that stands in for it."""
        self.settle()
        for each in gc.get_objects() if self.nodes else ():  # of all that the process holds
            if type(each) in self._hooks.kinds and id(each) in self.nodes:
                yield each, self.nodes[id(each)]

    def _stands_for(self, thing: object) -> Shadow | None:
        if type(thing) not in self._hooks.kinds:
            return None
        node = self.nodes.get(id(thing))
        return node if hasattr(node, "_stamp") else None  # it has none while it is being made

    def settle(self) -> None:
        """Report what is pending."""
        if self._making.pending is not None:
            self._making.flush()
        self._rules.end()

    def failed(self, error: BaseException) -> None:
        """Take note that the program has ended with an error: perhaps in a backward pass."""
        trace = error.__traceback__
        while trace is not None and self._rules.running:
            if self._frames.of(trace.tb_frame).runs_rules:
                self._unfinished = True
            trace = trace.tb_next

    def close(self) -> None:
        """End the watching, whatever happens: the program has ended as it has."""
        try:
            self._end()
        except Exception as error:
            self._failed(error)
        self.nodes.clear()

    def _end(self) -> None:
        """Report what is pending, and whether anything was not seen."""
        self._making.end()
        self.settle()
        if self._unfinished:
            self._say("unfinished", "the program ended in the middle of a backward pass")
        if self._making.taped:
            self._say(TAPED, "the engine keeps no operands with an object")
        for each, node in [*self.instances()]:
            kind = self._hooks.kinds[type(each)]
            now = as_float(read(each, kind.grad))
            inside = self._rules.paths.inside(node)
            if now is not None and not inside and not same(now, node._grad):
                self._say("unseen", UNSEEN, node)
                break
        self._door.unwatched()

    def _say(self, kind: str, text: str, node: Shadow | None = None) -> None:
        if kind not in self._said:
            self._said.add(kind)
            self._door.remark(kind, node, None, text)

    # What the hooks report.

    def _met(self, cls: type, kind: Kind) -> None:
        self._frames.learn(cls)
        if hides_writes(cls, kind):
            self._say("unseen", UNSEEN)

    def _deleter(self, own: Callable[[Any], None] | None) -> Callable[[Any], None]:
        forget, making = self.nodes.pop, self._making

        def __del__(self: Any) -> None:  # noqa: N807 - it becomes one
            if forget(id(self), None) is making.pending:  # the next object may have its id
                making.made = 0
            if own is not None:
                own(self)

        return __del__

    def _setter(
        self, cls: type, kind: Kind, inner: Callable[[Any, str, Any], None]
    ) -> Callable[[Any, str, Any], None]:
        making, grad, node_of = self._making, kind.grad, self.nodes.get
        taking, take_other, wrote = making.takes.get, making.other, self._rules.wrote
        first, other, failed = self._first, self._other, self._failed
        current = getattr if reads_plainly(cls) else read  # as fast as can be

        def __setattr__(self: Any, name: str, value: Any) -> None:  # noqa: N807 - it becomes one
            me = id(self)
            if me == making.made:
                try:
                    part = taking(type(value), take_other)(name, value)
                except Exception as error:  # it is ours, not the program's
                    failed(error)
                    part = True
                if part:
                    inner(self, name, value)
                    return
            before = current(self, name, None) if name == grad else None
            inner(self, name, value)
            try:
                node = node_of(me) or first(self, name, kind, before)
                if node is None:
                    if me == making.made:
                        taking(type(value), take_other)(name, value)
                elif name == grad:
                    wrote(node, before, value, _getframe(1), grad)
                else:
                    other(node, name, value, kind)
            except Exception as error:
                failed(error)

        return __setattr__

    def _first(self, made: Any, name: str, kind: Kind, before: Any) -> Shadow | None:
        """Report an object that was not seen before; return its node if this is no part of it.

        `before` is its gradient before it was written.
        """
        making, frame = self._making, _getframe(2)
        if get_ident() != making.home:
            self._elsewhere()
            return None
        if self._rules.running:
            self._rules.end()
        if self._door.closed:
            self._stop()
        elif name != kind.data and self._is_older(made, frame, kind):
            if making.pending is not None:
                making.flush()
            node = making.adopt(made)
            node._grad = as_float(before) or 0.0
            return node
        else:
            making.begin(made, kind, frame)
        return None

    def _other(self, node: Shadow, name: str, value: Any, kind: Kind) -> None:
        """Report another attribute than a gradient."""
        making = self._making
        if get_ident() != making.home:
            self._elsewhere()
            return
        frame, update = _getframe(2), name == kind.data
        if making.pending is not None and (update or not self._frames.constructs(frame)):
            making.flush()  # unless its constructor counts the users of its operands, for example
        if update:
            self._rules.updated(node, value, frame)
        elif isinstance(value, FunctionType) and value.__closure__:
            self._hung(node, value, frame)
        elif name in LABELS and isinstance(value, str):
            making.name(node, value)

    def _elsewhere(self) -> None:
        """Report that a thread uses an engine which is not watched there."""
        if self._making.home:
            self._say("thread", "what other threads compute is not observed")
            self._missed()

    def _is_older(self, made: Any, frame: FrameType, kind: Kind) -> bool:
        """Whether an object was made before, unseen: by pickle or copy, for example."""
        complete = as_float(read(made, kind.data)) is not None
        return complete and self._frames.of(frame, made).role < CONSTRUCTOR

    def _failed(self, error: Exception) -> None:
        """Leave the program alone: it is to run as it does, whatever we make of it."""
        self._stop()
        with suppress(Exception):  # the recorder itself may be what fails
            self._say("failed", f"watching ended: {type(error).__name__}: {error}")

    def _stop(self) -> None:
        self._hooks.remove()
        self.nodes.clear()

    def _hung(self, node: Shadow, rule: FunctionType, frame: FrameType) -> None:
        """Look whether a rule is stored in an operand of the node that it is the rule of."""
        found = [
            self.nodes.get(id(cell.cell_contents)) for cell in rule.__closure__ or () if _full(cell)
        ]
        owner = max(
            (each for each in found if each is not None), key=lambda n: n._stamp, default=node
        )
        line = self._frames.line(frame)
        if owner is not node and owner.has_operand(node) and line not in self._said:
            self._said.add(line)
            text = (
                f"the rule of {owner._operation.symbol} is stored in its operand, not in the result"
            )
            self._door.remark("hung", owner, line, text)


def _full(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


@contextmanager
def watching(
    door: Door | None, missed: Callable[[], None] = lambda: None
) -> Iterator[Watch | None]:
    """Report to a recorder what the engines of a program do that are defined inside.

    Other threads are not observed, and call `missed` whenever they use one.
    """
    if door is None:
        yield None
        return
    watch = Watch(door, missed)
    with watch.installed():
        try:
            yield watch
        except BaseException as error:
            watch.failed(error)
            raise
        finally:
            watch.close()
