"""From the first write to a new object to a node of the recording (`Making`).

A constructor writes attribute after attribute, and the method that called it may add some. So an
object is pending until anything else happens; only then is it known what it was made of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from sys import intern
from threading import get_ident
from types import CodeType, FrameType

from stepgrad.engine.node import tick
from stepgrad.engine.ops import CONSTANT, LEAF
from stepgrad.foreign.calls import callers, lifting
from stepgrad.foreign.classes import Hooks, Kind
from stepgrad.foreign.computing import Computing, Made
from stepgrad.foreign.door import Door
from stepgrad.foreign.frames import CONSTRUCTOR, ENGINE, PROGRAM, Code, Frames
from stepgrad.foreign.nodes import Shadow
from stepgrad.foreign.operators import Operators
from stepgrad.foreign.parts import Parts
from stepgrad.foreign.sites import MakingSite
from stepgrad.foreign.taped import implied
from stepgrad.recording.naming.paths import Where

_new = object.__new__


class Making(Parts):
    """The objects that are being made, one after the other.

    Only what the thread `home` makes is looked at.

    Args:
        nodes: where they go: what stands in for an object, by its id.
        hooks: knows the classes that are watched.
        frames: knows the code on the stack.
        door: what is told of new nodes.
    """

    __slots__ = (
        "_codes", "_computing", "_constructor", "_implies", "_made_at", "_operators", "_where_is",
        "home",
    )  # fmt: skip

    def __init__(self, nodes: dict[int, Shadow], hooks: Hooks, frames: Frames, door: Door) -> None:
        super().__init__(nodes, hooks, frames, door)
        self.home = get_ident()
        self._codes = frames.codes
        self._made_at, self._where_is = door.made_at, door.where
        self._constructor: CodeType | None = None  # the latest one
        self._implies = False  # whether operands were looked for in calls only
        self._computing = Computing(door, self._apart)
        self._operators = Operators(self._looking, frames, door)

    @property
    def taped(self) -> bool:
        """Whether objects keep no operands: then their rules are on a tape."""
        return self._implies and not self.keeps

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
        self._kids = self._stored = self._calls = ()
        self._has_data = self.has_grad = self._ordered = self._usual = False
        self._symbol, self._callers = "", None
        maker = frame.f_back if frame.f_code is self._constructor else self._maker(frame, made)
        code = None if maker is None else self._codes.get(id(maker.f_code))
        if code is None or code.role >= CONSTRUCTOR:  # it is called by another one
            maker = self._maker(frame, made)
            code = None if maker is None else self._frames.of(maker, made)
        if maker is None or code is None:
            self._site = self._where = None
            self._lifts = False
        else:
            self._site = site = code.making.get(maker.f_lasti) or self._new_site(maker, code)
            self._lifts = site.lifts
            fresh = code.fresh
            user: FrameType | None = maker
            if code.role:
                user = maker.f_back
                above = None if user is None else self._codes.get(id(user.f_code))
                if above is None or above.role:
                    self._where, user = self._where_of(user), None
                    fresh = fresh if above is None else above.fresh
            if user is not None:
                self._where = self._where_is(user)
            if fresh or self._operators.call is not None:
                self._operators.look(maker)
            if site.lifts is None:
                self._lifts = self._frames.in_operator(maker.f_back)
            if site.depth:
                self._callers = (*callers(maker, site.depth),)
            if kind.childless and (code.role == ENGINE or kind.grad in code.rules):
                self._calls = [*self._looking.made_by(maker)]
        if kind is not self._kind:
            self._kind = kind
            self._numbers = self._data, self._grad = kind.data, kind.grad
        self._cls = type(made)
        self.made = id(made)
        self.pending = self._nodes[self.made] = node = _new(Shadow)
        node._data = node._grad = 0.0

    def _maker(self, frame: FrameType, made: object) -> FrameType | None:
        """Return what calls for an object that is being set up; remember its constructor."""
        maker = self._frames.outside(frame, made)
        if maker is not None and maker is frame.f_back:
            self._constructor = frame.f_code
        return maker

    def _where_of(self, frame: FrameType | None) -> Where | None:
        """Return where the program is that uses a method of the class, which uses others.

        What a method computes on the way to its result is not what the program calls the result.
        """
        way: list[FrameType] = []
        while frame is not None:
            code = self._codes.get(id(frame.f_code)) or self._frames.of(frame)
            if code.role == PROGRAM:
                break
            if code.role == ENGINE:
                way.append(frame)
            frame = frame.f_back
        return None if frame is None else self._door.where_through(frame, way)

    def _new_site(self, maker: FrameType, code: Code) -> MakingSite:
        lifts = lifting(maker, code.role, self._nodes)
        return code.making.setdefault(maker.f_lasti, MakingSite(lifts))

    def flush(self) -> None:
        """Report the pending object: it is complete."""
        node, kids, site = self.pending, self._kids, self._site
        if node is None or not self._has_data:
            self._forget()
            return
        self.pending, self.made = None, 0
        if not kids and self._calls:
            self._implies = True
            kids, self._ordered = implied(node._data, self._calls, self._grad), True
        if not kids:
            self._leaf(node, CONSTANT if self._lifts else LEAF, self._where)
        elif (
            site is not None
            and not self._calls
            and (self._symbol == site.symbol or site.argument)
            and (
                len(kids) == site.sure
                or (self._usual and (site.certain or node._data == self._checked))
            )
        ):
            if site.argument:
                kids = [*kids, self._computing.constant(self._given, self._where)]
            places = site.places
            node._first = first = kids[places[0]]
            which = 1 if first._operation is CONSTANT else 0
            if len(places) == 1:
                node._second = None
            else:
                node._second = second = kids[places[1]]
                if second._operation is CONSTANT:
                    which += 2
            node._operation = site.ops[which]
            node._stamp = tick()
            self._made_at(node, self._where)
        else:
            self._computed(node, kids)
        if self._operators.call is not None:
            self._operators.made(node, kids)
        if self._label:
            label, self._label = self._label, ""
            self.name(node, label)

    def _computed(self, node: Shadow, kids: Sequence[Shadow]) -> None:
        self._computing.compute(
            Made(
                node, self._cls, self._kind, kids, self._ordered, self._symbol, self._calls,
                self._callers, self._site, self._where, self._stored,
            )
        )  # fmt: skip

    def end(self) -> None:
        """Report what is pending: nothing more will come."""
        if self.pending is not None:
            self.flush()
        self._operators.settle()

    def name(self, node: Shadow, label: str) -> None:
        """Give a node the label that the program has given to its object."""
        node._label = intern(label)
        self._door.name(node)
