"""From the first write to a new object to a node of the recording (`Making`).

A constructor writes attribute after attribute, and the method that called it may add some. So an
object is pending until anything else happens; only then is it known what it was made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import nan
from sys import intern
from threading import get_ident
from types import FrameType, FunctionType
from typing import Any

from stepgrad.engine.node import tick
from stepgrad.engine.ops import CONSTANT, LEAF, Op
from stepgrad.engine.own import link, row
from stepgrad.foreign.classes import Kind
from stepgrad.foreign.door import Door
from stepgrad.foreign.frames import CONSTRUCTOR, ENGINE, Code, Frames, arguments, is_function
from stepgrad.foreign.makers import Call, Recipe, gives, is_method_of, is_operator, resolve
from stepgrad.foreign.nodes import Shadow, number
from stepgrad.foreign.numeric import UNKNOWN, Forward
from stepgrad.foreign.sites import MakingSite
from stepgrad.recording.callers import Spot

LABELS = ("label", "name", "_label", "_name")
_MOST_CALLS = 4
_LONGEST = 32
"""A longer text is not the name of an operation."""

_new = object.__new__
_plain = (str, bool, int, float, complex, type, FunctionType, type(None))


class Making:
    """The objects that are being made.

    `pending` is what stands in for the object being made, and `made` the id of that object. Only
    what the thread `home` makes is looked at.

    Args:
        nodes: where they go: what stands in for an object, by its id.
        kinds: the classes that are watched.
        frames: knows the code on the stack.
        door: what is told of new nodes.
    """

    def __init__(
        self, nodes: dict[int, Shadow], kinds: Mapping[type, Kind], frames: Frames, door: Door
    ) -> None:
        self.pending: Shadow | None = None
        self.made = 0
        self.home = get_ident()
        self._nodes = nodes
        self._kinds = kinds
        self._frames = frames
        self._codes = frames.codes
        self._door = door
        self._sequences: dict[int, str] = {}  # by the id of a constructor's code
        self._said: set[object] = set()
        self._site: MakingSite | None = None
        self._line: Spot | None = None
        self._lifts: bool | None = False
        self._kind = Kind("", "")
        self._cls: type = object
        self._kids: Sequence[Shadow] = ()
        self._ordered = False
        self._symbol = ""
        self._label = ""
        self._calls: Sequence[Call] = ()
        self._callers: object = None
        self._begun: set[str] = set()

    # The pending object.

    def begin(self, made: object, kind: Kind, frame: FrameType | None) -> None:
        """Take note that an object is being made; `frame` writes its first attribute."""
        if self.pending is not None:
            self.flush()
        codes, of = self._codes, self._frames.of
        maker, code = frame, None
        while maker is not None:
            code = codes.get(id(maker.f_code)) or of(maker, made)
            if code.role < CONSTRUCTOR:
                break
            maker = maker.f_back
        if maker is None or code is None:
            self._site = self._line = None
            self._lifts = False
        else:
            site = code.making.get(maker.f_lasti) or self._new_site(maker, code)
            self._site = site
            self._lifts = site.lifts
            if code.role == ENGINE:
                self._line = self._frames.line_of_program(maker.f_back)
            else:
                self._line = site.line
            if site.depth:
                self._callers = (*_callers(maker, site.depth),)
            if site.lifts is None:
                caller = maker.f_back
                self._lifts = caller is not None and is_operator(caller.f_code)
        self._kind = kind
        self._cls = type(made)
        node = _new(Shadow)
        node._data = node._grad = 0.0
        node._first = node._second = None
        self._nodes[id(made)] = node
        self.pending = node
        self.made = id(made)

    def _new_site(self, maker: FrameType, code: Code) -> MakingSite:
        lifts: bool | None = None
        if not is_function(maker):
            lifts = False
        elif code.role == ENGINE and is_method_of(maker, self._nodes):
            lifts = True
        site = code.making[maker.f_lasti] = MakingSite(self._frames.line(maker), lifts)
        return site

    def part(self, name: str, value: Any, frame: FrameType) -> bool:
        """Take note of an attribute of the pending object; return whether it is a part of it.

        A number that is written again, and not by the constructor, is not: that comes later.
        """
        kind = type(value)
        if name in (self._kind.data, self._kind.grad):
            if name in self._begun and self._frames.of(frame).role < CONSTRUCTOR:
                return False
            self._begun.add(name)
            plain = value if kind is float else number(value) or 0.0
            assert self.pending is not None
            if name == self._kind.data:
                self.pending._data = plain
            else:
                self.pending._grad = plain
        elif kind is tuple or kind is list or kind is dict:
            if value and not self._ordered:
                kids = self._among(value)
                if kids:
                    self._kids, self._ordered = kids, True
                    self._look(frame)
        elif kind is str:
            self._text(name, value, frame)
        elif kind is set or kind is frozenset:
            if value and not self._kids:
                self._unordered(value, frame)
        elif kind is not FunctionType and id(value) in self._nodes:
            kid = self._nodes[id(value)]
            if kid is not self.pending:
                self._kids = [*self._kids, kid]
                self._ordered = True
                self._look(frame)
        return True

    def _text(self, name: str, text: str, frame: FrameType) -> None:
        if name in LABELS:
            self._label = text
        elif text and len(text) < _LONGEST and not self._symbol:
            self._symbol = text
            self._look(frame)

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
        code = frame.f_code
        if self._frames.of(frame).role == CONSTRUCTOR:
            local = frame.f_locals
            usual = self._sequences.get(id(code))
            for name in code.co_varnames[: code.co_argcount] if usual is None else (usual,):
                given = local.get(name)
                if isinstance(given, tuple | list) and {*map(id, given)} == {*map(id, values)}:
                    self._sequences[id(code)] = name
                    self._kids, self._ordered = self._among(given), True
                    break
        if not self._ordered:
            self._kids = self._among(values)
        self._look(frame)

    def _look(self, frame: FrameType) -> None:
        """Look at the calls that make the pending object, unless it is known how it is made."""
        site, count = self._site, len(self._kids)
        if site is None or not count or self._calls:
            return
        symbol, usual, callers = site.key
        if usual == count and callers == self._callers and self._symbol in ("", symbol):
            return
        if not site.knows(self._symbol, count, self._callers):
            maker = self._frames.outside(frame)
            if maker is not None:
                self._calls = [*self._made_by(maker)]

    def _made_by(self, maker: FrameType) -> Iterator[Call]:
        """Yield the calls that make an object: the innermost, and those of the class around it."""
        frame: FrameType | None = maker
        for _ in range(_MOST_CALLS):
            if frame is None or not is_function(frame):
                return
            if frame is not maker and self._frames.of(frame).role != ENGINE:
                return
            given = {name: self._stand_in(each) for name, each in arguments(frame).items()}
            names = frame.f_code.co_freevars
            local = frame.f_locals if names else {}
            cells = {name: self._stand_in(local[name]) for name in names if name in local}
            yield Call(frame.f_code, given, frame.f_globals, cells)
            frame = frame.f_back

    def _stand_in(self, argument: Any) -> Any:
        """Return what keeps no object of the program alive: its node, a number, or nothing."""
        node = self._nodes.get(id(argument))
        if node is not None:
            return node
        if isinstance(argument, _plain):
            return argument
        if isinstance(argument, list | tuple):
            return tuple([self._stand_in(each) for each in argument])
        return number(argument)

    def adopt(self, unknown: Any) -> Shadow:
        """Make a leaf of an object that came to be unseen, such as a copy."""
        kind = self._kinds[type(unknown)]
        node = _new(Shadow)
        node._data = number(getattr(unknown, kind.data, None)) or 0.0
        node._grad = number(getattr(unknown, kind.grad, None)) or 0.0
        self._report(node, LEAF, None, None, None)
        self._nodes[id(unknown)] = node
        return node

    # From what is pending to a node.

    def flush(self) -> None:
        """Report the pending object: it is complete."""
        node, kids, site = self.pending, self._kids, self._site
        self.pending, self.made = None, 0
        assert node is not None
        if not kids:
            node._operation = CONSTANT if self._lifts else LEAF
            node._stamp = tick()
            self._door.made_at(node, self._line)
        else:
            key = self._symbol, len(kids), self._callers
            usual = site.usual if site is not None and site.key == key else None
            if usual is None or not self._compute_usual(node, usual, kids):
                self._compute(node, kids, site, key)
            self._kids, self._ordered, self._calls = (), False, ()
        if self._label:
            self.name(node, self._label)
            self._label = ""
        self._symbol, self._callers = "", None
        self._begun.clear()

    def _compute_usual(self, node: Shadow, recipe: Recipe, kids: Sequence[Shadow]) -> bool:
        """Report a node of two operands, neither of which is a constant, as most are."""
        op, picks = recipe.op, recipe.picks
        if op is None or picks is None or len(picks) != 2:
            return False
        first, second = kids[picks[0]], kids[picks[1]]  # type: ignore[index]
        if first._operation is CONSTANT or second._operation is CONSTANT:
            return False
        node._operation = op
        node._first, node._second = first, second
        node._stamp = tick()
        self._door.made_at(node, self._line)
        return True

    def _compute(
        self,
        node: Shadow,
        kids: Sequence[Shadow],
        site: MakingSite | None,
        key: tuple[str, int, object],
    ) -> None:
        line = self._line
        recipe = None if site is None else site.recipes.get(key)
        operands = None if recipe is None else self._picked(recipe, kids)
        if (
            recipe is None
            or operands is None
            or not (
                recipe.certain or (recipe.op is not None and gives(recipe.op, operands, node._data))
            )
        ):
            recipe, operands = resolve(node._data, kids, self._ordered, self._symbol, self._calls)
            if site is not None:
                site.learn(key, recipe)
        if site is not None and recipe.from_children:
            site.key, site.usual = key, recipe
        op = recipe.op
        if op is None:
            shadows = [each for each in operands if isinstance(each, Shadow)]
            self._compute_own(node, recipe, shadows, site)
            return
        nodes = [self._constant(e) if isinstance(e, float) else e for e in operands]
        fixed = [slot for slot, each in enumerate(nodes) if each._operation is CONSTANT]
        if fixed:
            op = op.beside(*fixed)
        self._report(node, op, nodes[0], nodes[1] if len(nodes) > 1 else None, line)

    def _picked(self, recipe: Recipe, kids: Sequence[Shadow]) -> list[Shadow | float] | None:
        if recipe.picks is None:
            return None
        found: list[Shadow | float] = []
        for pick in recipe.picks:
            if isinstance(pick, int):
                found.append(kids[pick])
                continue
            each = self._calls[recipe.depth].arguments[pick] if self._calls else None
            plain = each if isinstance(each, Shadow) else number(each)
            if plain is None:
                return None
            found.append(plain)
        return found

    def _compute_own(
        self, node: Shadow, recipe: Recipe, operands: Sequence[Shadow], site: MakingSite | None
    ) -> None:
        local, by = [nan] * len(operands), UNKNOWN
        if self._calls and site is not None:
            call = self._calls[recipe.depth]
            forward = site.forwards.get(call.code)
            if forward is None:
                forward = site.forwards[call.code] = Forward(call, self._cls, self._kind)
            home, self.home = self.home, 0  # what runs again is not looked at
            try:
                local = forward.derivatives(call, operands, node._data)
            finally:
                self.home = home
            by = forward.by
        op = row(recipe.name, len(operands), by=by)
        link(node, op, operands, local)
        node._stamp = tick()
        self._door.made_at(node, self._line)
        if op not in self._said:
            self._said.add(op)
            self._door.remark(by, node, self._line, recipe.name)

    def _constant(self, data: float) -> Shadow:
        node = _new(Shadow)
        node._data, node._grad = data, 0.0
        self._report(node, CONSTANT, None, None, self._line)
        return node

    def _report(
        self, node: Shadow, op: Op, first: Shadow | None, second: Shadow | None, line: Spot | None
    ) -> None:
        node._operation = op
        node._first, node._second = first, second
        node._stamp = tick()
        self._door.made_at(node, line)

    def name(self, node: Shadow, label: str) -> None:
        """Give a node the label that the program has given to its object."""
        node._label = intern(label)
        self._door.name(node)


def _callers(maker: FrameType, depth: int) -> Iterator[tuple[int, int]]:
    frame = maker.f_back
    while frame is not None and depth:
        yield id(frame.f_code), frame.f_lasti
        frame, depth = frame.f_back, depth - 1
