"""What each write to a gradient is, and where a backward pass begins and ends (`Rules`).

It is of a rule, a seed or neither. Whose rule it is, `owners.py` finds; what is odd about it, and
worth a remark, `oddities.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import get_ident
from types import FrameType
from typing import Any

from stepgrad.engine.ops import CONSTANT
from stepgrad.engine.tape import clears
from stepgrad.foreign.door import Door
from stepgrad.foreign.frames import PROGRAM, Frames
from stepgrad.foreign.making import Making
from stepgrad.foreign.nodes import Shadow, as_float, same
from stepgrad.foreign.oddities import Oddities
from stepgrad.foreign.owners import Owners
from stepgrad.foreign.paths import Paths
from stepgrad.foreign.sites import WritingSite
from stepgrad.foreign.worklists import Worklist
from stepgrad.recording.naming.sites import Spot

_ROUNDED = 1e-9
"""How far a sum may be off that the program adds up in another order."""

_NUMBERS = frozenset({float, int})

_Seed = tuple[Shadow, float, Spot | None]


class Rules:
    """The writes to gradients.

    Args:
        nodes: what stands in for an object, by its id.
        making: has what was made before, and is not reported yet.
        frames: knows the code on the stack.
        door: what is told of the writes.
    """

    def __init__(
        self, nodes: Mapping[int, Shadow], making: Making, frames: Frames, door: Door
    ) -> None:
        self._making = making
        self._nodes = nodes
        self._node = nodes.get
        self._frames = frames
        self._codes = frames.codes
        self._door = door
        self._tell = door.received
        self._seed: _Seed | None = None
        self._unseeded = 0.0  # what the gradient was before the seed
        self._begun = False  # whether the class itself has set the seed
        self.running = False
        self._by_path = False
        self._walked: dict[tuple[int, int], int] = {}
        self._owners = Owners(nodes, frames)
        self.paths = Paths(nodes, frames, self._slot, door)
        self._odd = Oddities(nodes, self._owners, frames, door)
        self._list = Worklist()

    def wrote(self, node: Shadow, before: Any, value: Any, frame: FrameType, grad: str) -> None:
        """A gradient, of that name, was written in a frame: it was `before`, and is `value`."""
        making = self._making
        if get_ident() != making.home:
            return
        if making.pending is not None:
            making.flush()
        if type(before) not in _NUMBERS or before != node._grad:
            self._check(node, before)
        code = self._codes.get(id(frame.f_code))
        site = None if code is None else code.writing.get(frame.f_lasti)
        after = value if type(value) is float else as_float(value) or 0.0
        if site is None or site.through:
            found = self._owners.writer(frame, grad)
            if found is None:
                return
            frame, site, grad = found
        elif site.direct and self.running:
            out = self._node(id(frame.f_locals.get(site.direct)))
            if out is not None and not out._others and node._operation is not CONSTANT:
                first = out._first is node
                if first is not (out._second is node):  # one of two operands, as most are
                    self._tell(out, 0 if first else 1, node, after, site.line)
                    return
        self._wrote(node, (before, after), frame, site, grad)

    def _wrote(
        self,
        node: Shadow,
        numbers: tuple[Any, float],
        frame: FrameType,
        site: WritingSite,
        grad: str,
    ) -> None:
        before, after = numbers
        what = site.statement
        known = self.paths.reported(node) and same(after, node._grad, _ROUNDED)
        if known or node._operation is CONSTANT or (what.copies and after == before):
            node._grad = after
            return
        if what.handed and not what.popped and self._taken_off(node, after, site, frame):
            node._grad = after
            return
        scales = what.changes and not what.reads  # or clips
        owner = None
        if not scales and (not what.constant or (after and frame.f_code.co_freevars)):
            owner = self._owners.owner(site, node, frame, grad)
        if owner is not None and (after or what.adds or owner.hinted):
            if not self.running:
                self._odd.early(owner.node, frame)
            self._received(owner.node, node, after, site, frame)
        elif after:
            if what.reads and self._making.taped and (self.running or self._seed is not None):
                self._odd.untraced(node, frame, site)
            self._set(node, after, site, frame)
        else:
            self._cleared(node, after, site, frame)
        node._grad = after

    def updated(self, node: Shadow, value: Any, frame: FrameType | None) -> None:
        """A value was written."""
        after = as_float(value)
        frame = self._frames.outside(frame)
        if after is not None:
            self.end()
            line = None if frame is None else self._frames.line(frame)
            if frame is not None:
                self._odd.in_place(node, frame, line)
            self._door.written_at("update", node, after, line)
            node._data = after

    def end(self) -> None:
        """The backward pass is over, if one was running."""
        if self.running:
            self.running = False
            self._walked.clear()
            self.paths.clear()
            self._list.clear()
            self._door.ended(by_path=self._by_path)
            self._by_path = False
        if self._seed is not None:  # no rule ran
            seed = self._taken(self._seed)
            if self._begun:  # a pass that has nowhere to go, or does not go there
                self._door.seeded(*seed)
                self._door.ended()
            else:
                self._door.written_at("set", *seed)
            seed[0]._grad = seed[1]

    # What kind of write it is.

    def _received(
        self, out: Shadow, node: Shadow, after: float, site: WritingSite, frame: FrameType
    ) -> None:
        if node._operation is CONSTANT:  # takes no gradient
            return
        seeded = self.running or self._seed is not None
        self._run()
        if site.by_path:
            self._by_path = True
            self.paths.lead(frame, seeded=seeded)
            if site.statement.popped and not self._list.goes_on(
                out, as_float(frame.f_locals.get(site.statement.handed)), node, after - node._grad
            ):
                self._odd.lost(node, site)
        several = out._others or out._first is out._second
        slot = self._slot(out, node) if several else int(out._first is not node)
        self._tell(out, slot, node, after, site.line)

    def _run(self) -> None:
        """A rule runs: the pass has begun."""
        if not self.running:
            if self._seed is not None:
                self._door.seeded(*self._taken(self._seed))
            self.running = True

    def _taken_off(self, node: Shadow, after: float, site: WritingSite, frame: FrameType) -> bool:
        """Report what a node that comes off a worklist has received; return whether it does."""
        number = as_float(frame.f_locals.get(site.statement.handed))
        if number is None:
            return False
        if self._list.frame is not frame:
            seed = self._seed
            begun = seed is not None and seed[0].has_operand(node)  # the root is not on the list
            if seed is None or not begun:
                self.end()
                self._seed, self._unseeded = (node, after, site.line), node._grad
                self._begun = True
            self._list.clear()
            self._list.frame = frame
            self._list.arrived(*(seed[:2] if seed is not None and begun else (node, number)))
            if not begun:
                return True
        share, certain = self._list.take(node, number)
        if not certain:
            self._odd.lost(node, site)
        if share is None:
            self._door.written_at("set", node, after, site.line)
            return True
        self._run()
        self._by_path = True
        self._tell(share.out, share.slot, node, after, site.line)
        return True

    def _slot(self, out: Shadow, node: Shadow) -> int:
        """Return which operand receives: if it is several at once, one after the other."""
        slots = [slot for slot, each in enumerate(out._operands) if each is node]
        if len(slots) == 1:
            return slots[0]
        key = out._stamp, node._stamp
        times = self._walked.get(key, 0)
        self._walked[key] = times + 1
        return slots[times % len(slots)]

    def _set(self, node: Shadow, after: float, site: WritingSite, frame: FrameType) -> None:
        role = self._frames.of(frame).role
        what = site.statement
        begins = site.seeds or what.constant or after == 1.0
        if self.running and role != PROGRAM and not begins:
            self._door.written_at("set", node, after, site.line)
            self._odd.stray(node, frame, site)
            return
        if self._seed is not None and self._seed[0] is node:
            self._begun = False  # the number before was not the seed
        self.end()
        site.seeds = role != PROGRAM
        self._begun = site.seeds and (what.constant or (after == 1.0 and not what.changes))
        self._seed, self._unseeded = (node, after, site.line), node._grad

    def _taken(self, seed: _Seed) -> _Seed:
        """Return the seed to report, with its node as it was before."""
        self._seed = None
        seed[0]._grad = self._unseeded
        return seed

    def _cleared(self, node: Shadow, after: float, site: WritingSite, frame: FrameType) -> None:
        if self._frames.of(frame).role == PROGRAM or (self._seed and self._seed[0] is node):
            self.end()
        self._door.written_at("zero" if clears(after) else "set", node, after, site.line)

    def _check(self, node: Shadow, before: Any) -> None:
        """Look whether a gradient is what was last seen of it."""
        was = as_float(before)
        if was is None or same(was, node._grad) or self.paths.inside(node):
            return
        self._odd.unseen(node)
        self._door.written_at("set", node, was, None)
        node._grad = was
