"""From the first write to a new object to a node of the recording (`Making`).

A constructor writes attribute after attribute, and the method that called it may add some. So an
object is pending until anything else happens; only then is it known what it was made of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from sys import _getframe, intern
from threading import get_ident
from types import FrameType, FunctionType
from typing import Any

from stepgrad.engine.node import tick
from stepgrad.engine.ops import CONSTANT, LEAF, Op
from stepgrad.foreign.calls import Looking, callers, kept_by, lifting
from stepgrad.foreign.classes import LABELS, Hooks, Kind
from stepgrad.foreign.computing import Computing, Made
from stepgrad.foreign.door import Door
from stepgrad.foreign.frames import CONSTRUCTOR, ENGINE, Code, Frames
from stepgrad.foreign.makers import Call, implied
from stepgrad.foreign.nodes import Shadow, number, read
from stepgrad.foreign.operators import Operators
from stepgrad.foreign.sites import MakingSite
from stepgrad.recording.callers import Where

_LONGEST = 32
"""A longer text is not the name of an operation."""

_NUMBERS = frozenset({float, int})

_new = object.__new__


class Making:
    """The objects that are being made.

    `pending` is what stands in for the object being made, and `made` the id of that object. Only
    what the thread `home` makes is looked at.

    Args:
        nodes: where they go: what stands in for an object, by its id.
        hooks: knows the classes that are watched.
        frames: knows the code on the stack.
        door: what is told of new nodes.
    """

    def __init__(self, nodes: dict[int, Shadow], hooks: Hooks, frames: Frames, door: Door) -> None:
        self.pending: Shadow | None = None
        self.made = 0
        self.home = get_ident()
        self._nodes = nodes
        self._kinds = hooks.kinds
        self._drop = hooks.drop
        self._frames = frames
        self._codes = frames.codes
        self._door = door
        self._looking = Looking(nodes, frames)
        self._computing = Computing(door, self._apart)
        self._operators = Operators(self._looking, frames, door)
        # Of the pending object:
        self._cls: type = object
        self._kind = Kind("", "")
        self._site: MakingSite | None = None
        self._where: Where | None = None
        self._lifts: bool | None = False
        self._callers: object = None
        self._has_data = self._has_grad = False
        self._kids: Sequence[Shadow] = ()
        self._stored: Sequence[Any] = ()
        self._ordered = False
        self._symbol = self._label = ""
        self._calls: Sequence[Call] = ()

    def _apart(self, run: Callable[[], list[float]]) -> list[float]:
        home, self.home = self.home, 0
        try:
            return run()
        finally:
            self.home = home

    def begin(self, made: object, kind: Kind, frame: FrameType) -> None:
        """Take note that an object is being made; `frame` writes its first attribute."""
        if self.pending is not None:
            self.flush()
        codes = self._codes
        maker: FrameType | None = frame
        while maker is not None:
            code = codes.get(id(maker.f_code)) or self._frames.of(maker, made)
            if code.role < CONSTRUCTOR:
                self._locate(maker, code)
                if code.role == ENGINE and kind.childless:
                    self._calls = [*self._looking.made_by(maker)]
                break
            maker = maker.f_back
        else:
            self._site = self._where = None
            self._lifts = False
        self._kind = kind
        self._cls = type(made)
        self._has_data = self._has_grad = False
        self.made = id(made)
        self.pending = self._nodes[self.made] = node = _new(Shadow)
        node._data = node._grad = 0.0

    def _locate(self, maker: FrameType, code: Code) -> None:
        """Take note of the instruction that makes the object, and of the line of the program."""
        site = code.making.get(maker.f_lasti) or self._new_site(maker, code)
        self._site = site
        self._lifts = lifts = site.lifts
        fresh = code.fresh
        if not code.role:
            self._where = self._door.where(maker)
        else:
            user = maker.f_back
            above = user and self._codes.get(id(user.f_code))
            if user is None or above is None or above.role:
                user = self._frames.of_program(user)
                self._where = None if user is None else self._door.where(user)
                fresh = fresh if above is None else above.fresh
            else:
                self._where = self._door.where(user)
        if fresh or self._operators.call is not None:
            self._operators.look(maker)
        if lifts is None:
            self._lifts = self._frames.in_operator(maker.f_back)
        if site.depth:
            self._callers = (*callers(maker, site.depth),)

    def _new_site(self, maker: FrameType, code: Code) -> MakingSite:
        lifts = lifting(maker, code.role, self._nodes)
        return code.making.setdefault(maker.f_lasti, MakingSite(lifts))

    def part(self, name: str, value: Any, depth: int = 1) -> bool:
        """Take note of an attribute of the pending object; return whether it is a part of it.

        A number that is written again, and not by the constructor, is not: that comes later. What
        writes is `depth` frames above the caller.
        """
        kind = type(value)
        if name == self._kind.data:
            if self._has_data and self._frames.of(_getframe(depth + 1)).role < CONSTRUCTOR:
                return False
            self._has_data = True
            self._set_data(value)
        elif name == self._kind.grad:
            if self._has_grad and self._frames.of(_getframe(depth + 1)).role < CONSTRUCTOR:
                return False
            self._has_grad = True
            self.pending._grad = value if kind is float else number(value) or 0.0  # type: ignore[union-attr]
        elif kind is tuple or kind is list or kind is dict:
            if value and not self._ordered:
                kids = self._among(value)
                if kids:
                    self._kids, self._ordered = kids, True
                    self._look(_getframe(depth + 1))
                    return True
            if value and kind is not dict and type(value[0]) in _NUMBERS:
                self._stored = value
        elif kind is str:
            self._text(name, value, depth + 2)
        elif kind is set or kind is frozenset:
            if value and not self._kids:
                self._unordered(value, _getframe(depth + 1))
        elif kind is not FunctionType and value is not None:
            self._operand(value, depth + 2)
        return True

    def _operand(self, value: Any, depth: int) -> None:
        """Take note of a child, or of an object that keeps them: its class is the operation."""
        kids = self._among((value,))
        if not kids and not self._kids:
            kids = self._among(kept_by(value))
            self._symbol = self._symbol or (type(value).__name__.lower() if kids else "")
        if kids:
            self._kids, self._ordered = [*self._kids, *kids], True
            self._look(_getframe(depth))

    def _set_data(self, value: Any) -> None:
        plain = number(value)
        if plain is not None and self.pending is not None:
            self.pending._data = plain
        elif value is not None:  # it may be refused later, or this is no engine of scalars
            self._forget()
            if hasattr(value, "__len__") and not isinstance(value, str):
                self._drop(self._cls)

    def _forget(self) -> None:
        """Take the pending object for none: it has no number."""
        self._nodes.pop(self.made, None)
        self.pending, self.made = None, 0
        self._kids, self._ordered, self._symbol, self._label, self._calls = (), False, "", "", ()
        self._stored = ()

    def _text(self, name: str, text: str, depth: int) -> None:
        if name in LABELS:
            self._label = text
        elif text and len(text) < _LONGEST and not self._symbol:
            self._symbol = text
            if self._kids:
                self._look(_getframe(depth))

    def _among(self, values: Any, depth: int = 2) -> list[Shadow]:
        """Return what stands for the objects among some values."""
        get, kids = self._nodes.get, []
        for each in values:
            node = get(id(each))
            if node is not None:
                if node is not self.pending:
                    kids.append(node)
            elif type(each) in self._kinds:
                kids.append(self.adopt(each))
            elif depth and isinstance(each, tuple | list):
                kids += self._among(each, depth - 1)
        return kids

    def _unordered(self, values: Any, frame: FrameType) -> None:
        """Take note of a set of children: the constructor may have been given them in order."""
        given = self._looking.given_like(values, frame)
        self._kids = self._among(values if given is None else given)
        self._ordered = given is not None
        self._look(frame)

    def _look(self, frame: FrameType) -> None:
        """Look at the calls that make the pending object, unless it is known how it is made."""
        site, count = self._site, len(self._kids)
        if site is None or not count or self._calls:
            return
        known = site.ops is not None and count == 2 and self._callers == site.callers
        if known and self._symbol in ("", site.symbol):
            return
        data = self.pending._data if self.pending and self._has_data else None
        if not site.knows(self._symbol, self._kids, self._callers, data):
            maker = self._frames.outside(frame)
            if maker is not None:
                self._calls = [*self._looking.made_by(maker)]

    def adopt(self, unknown: Any) -> Shadow:
        """Make a leaf of an object that came to be unseen, such as a copy."""
        kind = self._kinds[type(unknown)]
        node = _new(Shadow)
        node._data = number(read(unknown, kind.data)) or 0.0
        node._grad = number(read(unknown, kind.grad)) or 0.0
        self._leaf(node, LEAF, None)
        self._nodes[id(unknown)] = node
        return node

    def flush(self) -> None:
        """Report the pending object: it is complete."""
        node, kids = self.pending, self._kids
        if node is None or not self._has_data:
            self._forget()
            return
        self.pending, self.made = None, 0
        if not kids and self._calls:
            kids, self._ordered = implied(node._data, self._calls[0]), True
        if not kids:
            self._calls = ()
            self._leaf(node, CONSTANT if self._lifts else LEAF, self._where)
        else:
            self._computed(node, kids)
            self._kids, self._ordered = (), False
        if self._operators.call is not None:
            self._operators.made(node)
        if self._symbol:
            self._symbol = ""
        if self._stored:
            self._stored = ()
        if self._callers is not None:
            self._callers = None
        if self._label:
            label, self._label = self._label, ""
            self.name(node, label)

    def _leaf(self, node: Shadow, op: Op, where: Where | None) -> None:
        node._operation, node._first, node._second = op, None, None
        node._stamp = tick()
        self._door.made_at(node, where)

    def _computed(self, node: Shadow, kids: Sequence[Shadow]) -> None:
        site, symbol, callers = self._site, self._symbol, self._callers
        ops = None if site is None or self._calls or len(kids) != 2 else site.ops
        if site is None or ops is None or symbol != site.symbol or callers != site.callers:
            calls, self._calls = self._calls, ()
            self._computing.compute(
                Made(
                    node, self._cls, self._kind, kids, self._ordered, symbol, calls, callers, site,
                    self._where, self._stored,
                )
            )  # fmt: skip
            return
        node._first, node._second = first, second = kids[site.first], kids[site.second]
        which = first._operation is CONSTANT
        node._operation = ops[which + 2 if second._operation is CONSTANT else which]
        node._stamp = tick()
        self._door.made_at(node, self._where)

    def end(self) -> None:
        """Report what is pending: nothing more will come."""
        if self.pending is not None:
            self.flush()
        self._operators.settle()

    def name(self, node: Shadow, label: str) -> None:
        """Give a node the label that the program has given to its object."""
        node._label = intern(label)
        self._door.name(node)
