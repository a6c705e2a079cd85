"""What is odd about a write to a gradient, though it is what it is (`Oddities`)."""

from __future__ import annotations

from collections.abc import Mapping
from types import FrameType

from stepgrad.foreign.door import Door
from stepgrad.foreign.frames import ENGINE, Frames
from stepgrad.foreign.nodes import Shadow
from stepgrad.foreign.operators import in_place
from stepgrad.foreign.owners import Owners
from stepgrad.foreign.sites import WritingSite
from stepgrad.foreign.worklists import LOST
from stepgrad.recording.foreign.remark import IN_PLACE, UNFOLLOWED
from stepgrad.recording.naming.sites import Spot

UNSEEN = "writes through __dict__ or object.__setattr__ are not observable"


class Oddities:
    """Remarks on writes, each made once.

    Args:
        nodes: what stands in for an object, by its id.
        owners: knows whose rule a frame is.
        frames: knows the code on the stack.
        door: what is told of them.
    """

    def __init__(
        self, nodes: Mapping[int, Shadow], owners: Owners, frames: Frames, door: Door
    ) -> None:
        self._nodes = nodes
        self._owners = owners
        self._frames = frames
        self._door = door
        self._said: set[object] = set()

    def unseen(self, node: Shadow) -> None:
        """Remark that a gradient is not what was last seen of it."""
        if UNSEEN not in self._said:
            self._said.add(UNSEEN)
            self._door.remark("unseen", node, None, UNSEEN)

    def lost(self, node: Shadow, site: WritingSite) -> None:
        """Remark that a pass with a worklist can be followed no further."""
        if LOST not in self._said:
            self._said.add(LOST)
            self._door.remark(UNFOLLOWED, node, site.line, LOST)

    def in_place(self, node: Shadow, frame: FrameType, line: Spot | None) -> None:
        """Remark that an operator computes in place, if that is what writes a value."""
        text = in_place(frame, node, self._nodes)
        if text and text not in self._said:
            self._said.add(text)
            self._door.remark(IN_PLACE, node, line, text)

    def stray(self, node: Shadow, frame: FrameType, site: WritingSite) -> None:
        """Remark that a rule writes a gradient that is not one of an operand, as far as is seen."""
        owner, kind, whose = self._owners.rule_of(frame), "stray", "a node that is not its operand"
        others = [each for each in self._owners.variables(frame).values() if each is not node]
        if owner is None and frame.f_code.co_freevars and node._operation.partials:
            owner = max(others, key=lambda each: each._stamp, default=node)
            if others:
                kind, whose = "unlisted", "a node that is not among the children of its result"
            elif not site.statement.reads:
                kind = "blind"
        if owner is None or site in self._said:
            return
        self._said.add(site)
        whose = "its own result" if owner is node else whose
        text = f"the rule of {owner._operation.symbol} writes the gradient of {whose}"
        if kind == "blind":
            text = "a rule adds a local derivative alone: no gradient is multiplied in"
        self._door.remark(kind, owner, site.line, text)

    def untraced(self, node: Shadow, frame: FrameType, site: WritingSite) -> None:
        """Remark that a gradient is handed on to what is no operand, as far as is seen."""
        variables = self._owners.variables(frame)
        out = next((variables[name] for name in site.statement.reads if name in variables), node)
        if out is not node and not out.has_operand(node) and site not in self._said:
            self._said.add(site)
            self._door.remark("unlisted", out, site.line, "a rule hands on to no operand")

    def early(self, out: Shadow, frame: FrameType) -> None:
        """Remark that a rule runs as soon as it is defined: it is called, not stored."""
        maker = frame.f_back
        if maker is None or self._frames.of(maker).role != ENGINE:
            return
        own = [name for name, each in self._owners.variables(maker).items() if each is out]
        if not own or own[0] in maker.f_code.co_varnames[: maker.f_code.co_argcount]:
            return  # of `backward(self)`, that is the root
        name, line = frame.f_code.co_name, self._frames.line(maker)
        if frame.f_code in maker.f_code.co_consts and line not in self._said:
            self._said.add(line)
            text = (
                f"the rule of {out._operation.symbol} runs as soon as it is defined: `{name}()` "
                f"stands where `{name}` belongs"
            )
            self._door.remark("early", out, line, text)
