"""The object that is being made, and what its attributes say of it (`Parts`)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from sys import _getframe
from types import FrameType, FunctionType
from typing import Any

from stepgrad.engine.node import tick
from stepgrad.engine.ops import LEAF, Op
from stepgrad.foreign.calls import Looking, kept_by
from stepgrad.foreign.classes import LABELS, Hooks, Kind
from stepgrad.foreign.door import Door
from stepgrad.foreign.frames import Frames
from stepgrad.foreign.makers import Call
from stepgrad.foreign.nodes import Shadow, as_float, read
from stepgrad.foreign.sites import MakingSite
from stepgrad.recording.foreign.remark import LISTED
from stepgrad.recording.naming.paths import Where

_LONGEST = 32
"""A longer text is not the name of an operation."""

_NUMBERS = frozenset({float, int})

_new = object.__new__


class Parts:
    """What is known of the object that is being made, from the attributes that are written.

    `pending` is what stands in for it, and `made` its id; `has_grad` is whether it has a gradient.
    `keeps` is whether any object has operands among its attributes.

    Args:
        nodes: what stands in for an object, by its id.
        hooks: knows the classes that are watched.
        frames: knows the code on the stack.
        door: what is told of objects that were not seen before.
    """

    __slots__ = (
        "_callers", "_calls", "_checked", "_cls", "_data", "_door", "_drop", "_frames", "_given",
        "_grad", "_has_data", "_kids", "_kind", "_kinds", "_label", "_lifts", "_looking", "_node",
        "_nodes", "_numbers", "_ordered", "_site", "_stored", "_symbol", "_usual", "_where",
        "has_grad", "keeps", "made", "pending", "takes",
    )  # fmt: skip

    def __init__(self, nodes: dict[int, Shadow], hooks: Hooks, frames: Frames, door: Door) -> None:
        self.pending: Shadow | None = None
        self.made = 0
        self.keeps = False
        self._nodes = nodes
        self._node = nodes.get
        self._kinds = hooks.kinds
        self._drop = hooks.drop
        self._frames = frames
        self._door = door
        self._looking = Looking(nodes, frames)
        # What takes note of an attribute, by the type of its value; `other` for other types. The
        # class's `__setattr__` calls it. It returns whether that is a part of the pending object: a
        # number that is written again, and not by the constructor, is none.
        plain, several, unordered = self._plain, self._several, self._unordered
        self.takes: dict[type, Callable[[str, Any], bool]] = {
            float: plain, int: plain, bool: plain, type(None): plain, FunctionType: plain,
            tuple: several, list: several, dict: several,
            set: unordered, frozenset: unordered, str: self._text,
        }  # fmt: skip
        # Of the pending object:
        self._cls: type = object
        self._kind = Kind("", "")
        self._numbers = self._data, self._grad = "", ""
        self._site: MakingSite | None = None
        self._where: Where | None = None
        self._lifts: bool | None = False
        self._callers: object = None
        self.has_grad = self._has_data = False
        self._usual = False  # whether the usual operation gives the number that was `_checked`
        self._checked: float | None = None
        self._given = 0.0  # the number that it was given, besides its children
        self._kids: Sequence[Shadow] = ()
        self._stored: Sequence[Any] = ()
        self._ordered = False
        self._symbol = self._label = ""
        self._calls: Sequence[Call] = ()

    def _plain(self, name: str, value: Any) -> bool:
        """Take note of a number, of the object or of anything else."""
        if name == self._grad:
            if self.has_grad and not self._frames.constructs(_getframe(2)):
                return False
            self.has_grad = True
            self.pending._grad = value if type(value) is float else as_float(value) or 0.0  # type: ignore[union-attr]
        elif name == self._data:
            if self._has_data and not self._frames.constructs(_getframe(2)):
                return False
            self._has_data = value is not None
            if type(value) is float:
                self.pending._data = value  # type: ignore[union-attr]
            else:
                self._set_data(value)
        return True

    def _several(self, name: str, values: Any) -> bool:
        """Take note of children in order, or of numbers."""
        if values and not self._ordered:
            kids = self._among(values)
            if kids:
                self._kids, self._ordered = kids, True
                site = self._site
                if site is None or len(kids) != site.sure or self._symbol:
                    self._look(_getframe(2))
                return True
        if values and type(values) is not dict and type(values[0]) in _NUMBERS:
            self._stored = values
        return self._plain(name, values) if name in self._numbers else True

    def _unordered(self, _: str, values: Any) -> bool:
        """Take note of a set of children: the constructor may have been given them in order."""
        if values and not self._kids:
            frame = _getframe(2)
            given = self._looking.given_like(values, frame)
            self._kids = self._among(values if given is None else given)
            self._ordered = given is not None
            self._look(frame)
        return True

    def other(self, name: str, value: Any) -> bool:
        """Take note of a child, or of an object that keeps them: its class is the operation."""
        if name in self._numbers:
            return self._plain(name, value)
        kids = self._among((value,))
        if not kids and not self._kids:
            kids = self._among(kept_by(value))
            self._symbol = self._symbol or (type(value).__name__.lower() if kids else "")
        if kids:
            self._kids, self._ordered = [*self._kids, *kids], True
            self._look(_getframe(2))
        return True

    def _set_data(self, value: Any) -> None:
        plain = as_float(value)
        if plain is not None and self.pending is not None:
            self.pending._data = plain
        elif value is not None:  # it may be refused later, or this is no engine of scalars
            self._forget()
            if hasattr(value, "__len__") and not isinstance(value, str):
                self._door.remark(LISTED, None, None, _listed(self._cls, self._data, value))
                self._drop(self._cls)

    def _forget(self) -> None:
        """Take the pending object for none: it has no number."""
        self._nodes.pop(self.made, None)
        self.pending, self.made = None, 0
        self._label = ""

    def _text(self, name: str, text: str) -> bool:
        if name in LABELS:
            self._label = text
        elif text and len(text) < _LONGEST and not self._symbol:
            self._symbol = text
            if self._kids:
                self._look(_getframe(2))
        return True

    def _among(self, values: Collection[Any], depth: int = 2) -> Sequence[Shadow]:
        """Return what stands for the objects among some values."""
        known = self._node
        if type(values) is tuple and len(values) == 2:  # as most operations have
            one, other = values
            first, second = known(id(one)), known(id(other))
            if first is not None and second is not None and self.pending not in (first, second):
                return first, second
        found = [*map(known, map(id, values))]
        if all(found) and self.pending not in found:
            return found  # type: ignore[return-value]
        kids = list[Shadow]()
        for each, node in zip(values, found, strict=True):
            if node is not None:
                if node is not self.pending:
                    kids.append(node)
            elif type(each) in self._kinds:
                kids.append(self._node(id(each)) or self.adopt(each))
            elif depth and isinstance(each, tuple | list):
                kids += self._among(each, depth - 1)
        return kids

    def _look(self, frame: FrameType) -> None:
        """Look at the calls that make the pending object, unless it is known how it is made.

        `frame` is what writes the attribute.
        """
        site, kids = self._site, self._kids
        self.keeps = self.keeps or bool(kids)
        if site is None or not kids or self._calls:
            return
        if len(kids) == site.sure and self._symbol in ("", site.symbol):
            return
        data = self.pending._data if self.pending and self._has_data else None
        self._usual = site.is_usual(
            self._symbol or site.symbol, kids, self._callers, data
        ) and self._is_given(site, frame)
        if self._usual:
            self._checked = data
            return
        if not site.knows(self._symbol, kids, self._callers, data):
            maker = self._frames.outside(frame)
            if maker is not None:
                self._calls = [*self._looking.made_by(maker)]

    def _is_given(self, site: MakingSite, frame: FrameType) -> bool:
        """Take the number that an operation was given besides its children, if it has one."""
        if not site.argument:
            return True
        maker = self._frames.outside(frame)
        given = None if maker is None else as_float(maker.f_locals.get(site.argument))
        if given is None:
            return False
        self._given = given
        return True

    def adopt(self, unknown: Any) -> Shadow:
        """Make a leaf of an object that came to be unseen, such as a copy."""
        kind = self._kinds[type(unknown)]
        node = _new(Shadow)
        node._data = as_float(read(unknown, kind.data)) or 0.0
        node._grad = as_float(read(unknown, kind.grad)) or 0.0
        self._leaf(node, LEAF, None)
        self._nodes[id(unknown)] = node
        return node

    def _leaf(self, node: Shadow, op: Op, where: Where | None) -> None:
        node._operation, node._first, node._second = op, None, None
        node._stamp = tick()
        self._door.made_at(node, where)


def _listed(cls: type, data: str, value: object) -> str:
    """Say that a class is no engine of scalars: an object has several numbers."""
    return (
        f"the `{data}` of {cls.__name__} is of type {type(value).__name__}: a class of your own is "
        "observed only where it is a number"
    )
