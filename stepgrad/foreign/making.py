"""From the first write to a new object to a node of the recording (`Making`).

A constructor writes attribute after attribute, and the method that called it may add some. So an
object is pending until anything else happens; only then is it known what it was made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from sys import intern
from types import FrameType, FunctionType
from typing import Any

from stepgrad.engine.node import tick
from stepgrad.engine.ops import CONSTANT, LEAF, Op
from stepgrad.engine.own import link, row
from stepgrad.foreign.classes import Kind
from stepgrad.foreign.door import Door
from stepgrad.foreign.frames import CONSTRUCTOR, ENGINE, Frames, arguments, is_function
from stepgrad.foreign.makers import Call, Recipe, gives, is_method_of, is_operator, resolve
from stepgrad.foreign.nodes import Shadow, number
from stepgrad.foreign.numeric import UNKNOWN, Forward
from stepgrad.recording.callers import Spot

_LABELS = ("label", "name", "_label", "_name")
_MOST_CALLS = 4
_MOST_RECIPES = 64
_LONGEST = 32
"""A longer text is not the name of an operation."""

_new = object.__new__
_plain = (str, bool, int, float, complex, type, FunctionType, type(None))


class Site:
    """A place in the code that makes objects, and what is known of it.

    Recipes are known by the text for the operation, the number of children, and `depth` callers.
    `known` has the last two for those that need no look at the arguments of calls. `lifts` is
    whether what is made of a number is a constant in an operation; None if its caller decides.
    """

    __slots__ = ("depth", "forwards", "known", "lifts", "recipes")

    def __init__(self) -> None:
        self.recipes: dict[tuple[str, int, object], Recipe] = {}
        self.known: set[tuple[int, object]] = set()
        self.forwards: dict[object, Forward] = {}
        self.depth = 0
        self.lifts: bool | None = False


class Making:
    """The objects that are being made.

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
        self.muted = False
        self._nodes = nodes
        self._kinds = kinds
        self._frames = frames
        self._door = door
        self._sites: dict[int, dict[int, Site]] = {}
        self._sequences: dict[int, str] = {}  # by the id of a constructor's code
        self._said: set[object] = set()
        self._clear()

    def _clear(self) -> None:
        self._kids: Sequence[Shadow] = ()
        self._ordered = False
        self._symbol = ""
        self._label = ""
        self._calls: Sequence[Call] = ()
        self._key: object = None

    # The pending object.

    def begin(self, made: object, cls: type, frame: FrameType) -> Shadow:
        """Take note that an object is being made; `frame` writes its first attribute."""
        if self.pending is not None:
            self.flush()
        roles, frames = self._frames.roles, self._frames
        maker: FrameType | None = frame
        while maker is not None:
            role = roles.get(id(maker.f_code))
            if role is None:
                role = frames.role(maker, made)
            if role < CONSTRUCTOR:
                break
            maker = maker.f_back
        self._cls = cls
        self._site, self._line = None, None
        if maker is not None:
            self._locate(maker)
        node = _new(Shadow)
        node._data = node._grad = 0.0
        node._operation = LEAF
        node._first = node._second = None
        self._nodes[id(made)] = node
        self.pending = node
        return node

    def _locate(self, maker: FrameType) -> None:
        code, lasti = maker.f_code, maker.f_lasti
        try:
            site = self._sites[id(code)][lasti]
        except KeyError:
            site = self._new_site(maker)
        self._site = site
        if self._frames.roles[id(code)] == ENGINE:
            self._line = self._frames.line_of_program(maker.f_back)
        else:
            self._line = self._frames.line(maker)
        lifts = site.lifts
        if lifts is None:
            caller = maker.f_back
            lifts = caller is not None and is_operator(caller.f_code)
        self._lifts = lifts
        if site.depth:
            self._key = tuple(self._callers(maker, site.depth))

    def _new_site(self, maker: FrameType) -> Site:
        site = Site()
        self._frames.line(maker)  # keeps its code
        self._sites.setdefault(id(maker.f_code), {})[maker.f_lasti] = site
        if not is_function(maker):
            site.lifts = False
        elif self._frames.role(maker) == ENGINE and is_method_of(maker, self._nodes):
            site.lifts = True
        else:
            site.lifts = None
        return site

    @staticmethod
    def _callers(maker: FrameType, depth: int) -> Iterator[tuple[int, int]]:
        frame = maker.f_back
        while frame is not None and depth:
            yield id(frame.f_code), frame.f_lasti
            frame, depth = frame.f_back, depth - 1

    def _made_by(self, maker: FrameType) -> Iterator[Call]:
        """Yield the calls that make an object: the innermost, and those of the class around it."""
        frame: FrameType | None = maker
        for _ in range(_MOST_CALLS):
            if frame is None or not is_function(frame):
                return
            if frame is not maker and self._frames.role(frame) != ENGINE:
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
        if isinstance(argument, list | tuple):
            return tuple([self._stand_in(each) for each in argument])
        if isinstance(argument, _plain):
            return argument
        plain = number(argument)
        return None if plain is None else plain

    def attribute(self, name: str, value: Any, frame: FrameType) -> None:
        """Take note of an attribute of the pending object, other than its numbers."""
        kind = type(value)
        if kind is tuple or kind is list or kind is dict:
            kids = self._among(value) if value else ()
            if kids and (not self._ordered or len(kids) > len(self._kids)):
                self._kids, self._ordered = kids, True
                self._look(frame)
        elif kind is set or kind is frozenset:
            if value and not self._kids:
                self._unordered(value, frame)
                self._look(frame)
        elif kind is str:
            if name in _LABELS:
                self._label = value
            elif value and len(value) < _LONGEST and not self._symbol:
                self._symbol = value
                self._look(frame)
        elif kind is not FunctionType and id(value) in self._nodes:
            kid = self._nodes[id(value)]
            if kid is not self.pending:
                self._kids = [*self._kids, kid]
                self._ordered = True
                self._look(frame)

    def _look(self, frame: FrameType) -> None:
        """Look at the calls that make the pending object, unless it is known how it is made."""
        site, count = self._site, len(self._kids)
        if site is None or not count or self._calls:
            return
        known = (count, self._key) in site.known
        if not known or (self._symbol and (self._symbol, count, self._key) not in site.recipes):
            maker = self._frames.outside(frame)
            if maker is not None:
                self._calls = [*self._made_by(maker)]

    def _among(self, values: Any, depth: int = 2) -> list[Shadow]:
        """Return what stands for the objects among some values."""
        nodes, kids = self._nodes, []
        for each in values:
            node = nodes.get(id(each))
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
        kids = self._among(values)
        if not kids:
            return
        self._kids = kids
        code = frame.f_code
        if self._frames.roles.get(id(code)) == CONSTRUCTOR:
            local = frame.f_locals
            usual = self._sequences.get(id(code))
            for name in code.co_varnames[:code.co_argcount] if usual is None else (usual,):
                given = local.get(name)
                if isinstance(given, tuple | list):
                    ordered = self._among(given)
                    if {*ordered} == {*kids}:
                        self._sequences[id(code)] = name
                        self._kids, self._ordered = ordered, True
                        return

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
        node, kids, site, line = self.pending, self._kids, self._site, self._line
        self.pending = None
        assert node is not None
        if not kids:
            self._report(node, CONSTANT if self._lifts else LEAF, None, None, line)
        else:
            self._compute(node, kids, site, line)
        if self._label:
            self.name(node, self._label)
        self._clear()

    def _compute(
        self, node: Shadow, kids: Sequence[Shadow], site: Site | None, line: Spot | None
    ) -> None:
        key = self._symbol, len(kids), self._key
        recipe = None if site is None else site.recipes.get(key)
        operands = self._picked(recipe, kids) if recipe is not None else None
        if recipe is None or operands is None or not (
            recipe.certain or (recipe.op is not None and gives(recipe.op, operands, node._data))
        ):
            recipe, operands = resolve(node._data, kids, self._ordered, self._symbol, self._calls)
            if site is not None:
                self._learn(site, key, recipe)
        if recipe.op is None:
            shadows = [each for each in operands if isinstance(each, Shadow)]
            self._compute_own(node, recipe, shadows, site, line)
            return
        nodes = [self._constant(e, line) if isinstance(e, float) else e for e in operands]
        op = recipe.op
        fixed = [slot for slot, each in enumerate(nodes) if each._operation is CONSTANT]
        if fixed:
            op = op.beside(*fixed)
        self._report(node, op, nodes[0], nodes[1] if len(nodes) > 1 else None, line)

    def _picked(self, recipe: Recipe, kids: Sequence[Shadow]) -> list[Shadow | float] | None:
        if recipe.picks is None:
            return None
        found: list[Shadow | float] = []
        for pick in recipe.picks:
            if type(pick) is int:
                found.append(kids[pick])
                continue
            each = self._calls[recipe.depth].arguments[pick] if self._calls else None
            plain = each if isinstance(each, Shadow) else number(each)
            if plain is None:
                return None
            found.append(plain)
        return found

    def _learn(self, site: Site, key: tuple[str, int, object], recipe: Recipe) -> None:
        if recipe.depth > site.depth:  # from now on, callers are part of the key
            site.depth = recipe.depth
            site.recipes.clear()
            site.known.clear()
            return
        if recipe.op is not None and recipe.picks is None:
            return  # x * x says nothing of the order
        if len(site.recipes) >= _MOST_RECIPES:
            site.recipes.clear()
            site.known.clear()
        site.recipes[key] = recipe
        # Arguments are needed for what the children do not say, and where numbers have to agree.
        if recipe.certain and all(type(pick) is int for pick in recipe.picks or ()):
            site.known.add(key[1:])
        else:
            site.known.discard(key[1:])

    def _compute_own(
        self,
        node: Shadow,
        recipe: Recipe,
        operands: Sequence[Shadow],
        site: Site | None,
        line: Spot | None,
    ) -> None:
        locals_, by = [float("nan")] * len(operands), UNKNOWN
        if self._calls and site is not None:
            call = self._calls[recipe.depth]
            forward = site.forwards.get(call.code)
            if forward is None:
                kind = self._kinds[self._cls]
                forward = site.forwards[call.code] = Forward(call, self._cls, kind)
            self.muted = True
            try:
                locals_ = forward.derivatives(call, operands, node._data)
            finally:
                self.muted = False
            by = forward.by
        op = row(recipe.name, len(operands), by=by)
        link(node, op, operands, locals_)
        node._stamp = tick()
        self._door.made_at(node, line)
        if op not in self._said:
            self._said.add(op)
            self._door.remark(by, node, line, recipe.name)

    def _constant(self, data: float, line: Spot | None) -> Shadow:
        node = _new(Shadow)
        node._data, node._grad = data, 0.0
        self._report(node, CONSTANT, None, None, line)
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


