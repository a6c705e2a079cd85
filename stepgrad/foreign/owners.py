"""Whose rule a write to a gradient is (`Owners`).

A rule of `out` writes to the gradient of one of its operands. So `out` is among the variables of
the code that writes, or of what called it. Which variable that is, is the same each time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import FrameType
from typing import NamedTuple

from stepgrad.foreign.frames import CONSTRUCTOR, PROGRAM, Frames, is_function
from stepgrad.foreign.nodes import Shadow
from stepgrad.foreign.paths import calls_itself
from stepgrad.foreign.sites import WritingSite
from stepgrad.foreign.statements import statement

_DEEPEST = 4
"""How far up the stack the owner of a rule is looked for."""


class Owner(NamedTuple):
    """A node whose rule runs; whether the statement says so, by reading its gradient."""

    node: Shadow
    hinted: bool


class Owners:
    """Finds the owners of writes.

    Args:
        nodes: what stands in for an object, by its id.
        frames: knows the code on the stack.
    """

    def __init__(self, nodes: Mapping[int, Shadow], frames: Frames) -> None:
        self._nodes = nodes
        self._frames = frames

    def writer(
        self, frame: FrameType | None, grad: str
    ) -> tuple[FrameType, WritingSite, str] | None:
        """Return the frame that writes, not what does it on its behalf, and the name written to."""
        while frame is not None:
            site = self._site(frame, grad)
            if not site.through:
                return frame, site, grad
            name = frame.f_code.co_name
            grad = grad if name.startswith("__") else name  # of a property
            frame = frame.f_back
        return None

    def _site(self, frame: FrameType, grad: str) -> WritingSite:
        code = self._frames.of(frame)
        site = code.writing.get(frame.f_lasti)
        if site is None:
            line, through = self._frames.line(frame), code.role >= CONSTRUCTOR
            what = statement(frame, grad)
            site = code.writing[frame.f_lasti] = WritingSite(line, what, through=through)
        return site

    def owner(self, site: WritingSite, node: Shadow, frame: FrameType, grad: str) -> Owner | None:
        """Return the node whose rule a frame runs that writes to the gradient of a node."""
        if site.variable:
            at: FrameType | None = frame
            for _ in range(site.depth):
                at = at and at.f_back
            out = at and self._nodes.get(id(at.f_locals.get(site.variable)))
            if out and (out._first is node or out._second is node or out.has_operand(node)):
                return Owner(out, True)
        return self._found(site, node, frame, grad)

    def _found(self, site: WritingSite, node: Shadow, frame: FrameType, grad: str) -> Owner | None:
        at: FrameType | None = frame
        for depth in range(_DEEPEST):
            if at is None or not is_function(at):
                return None
            code = self._frames.of(at)
            called = self._site(at, grad)
            names = self._candidates(at, node)
            reads = called.statement.reads
            hinted = {name: each for name, each in names.items() if name in reads}
            if code.role == PROGRAM and not at.f_code.co_freevars:
                names = hinted
            names = hinted or names
            first = at.f_code.co_varnames[:1]
            if len({*names.values()}) > 1 and first and first[0] in names and not hinted:
                del names[first[0]]  # of `backward(self)`, that is the root
            if names:
                name, out = max(names.items(), key=lambda found: found[1]._stamp)
                site.depth = depth
                site.variable = name if hinted or (len(names) == 1 and depth) else ""
                came = depth == 0 and name in site.statement.popped
                site.direct = "" if depth or came else site.variable
                site.by_path = came or (
                    depth > 0 and calls_itself(frame.f_code, frame.f_back, depth + 1)
                )
                return Owner(out, bool(hinted))
            if depth == 0 and (self.rule_of(at) or self._hands_on(at, reads)):
                return None  # the code of a rule, and none that writes to an operand
            at = at.f_back
        return None

    def variables(self, frame: FrameType) -> dict[str, Shadow]:
        """Return the nodes among the variables of a call, by the variable."""
        get = self._nodes.get
        local = ((name, get(id(each))) for name, each in frame.f_locals.items())
        return {name: each for name, each in local if each is not None}

    def _candidates(self, frame: FrameType, node: Shadow) -> dict[str, Shadow]:
        found = self.variables(frame)
        return {name: each for name, each in found.items() if each.has_operand(node)}

    def _hands_on(self, frame: FrameType, reads: Collection[str]) -> bool:
        """Whether a frame runs the rule of a node that it closes over: it reads its gradient."""
        closed = {*reads}.intersection(frame.f_code.co_freevars)
        return bool(closed) and not closed.isdisjoint(self.variables(frame))

    def rule_of(self, frame: FrameType) -> Shadow | None:
        """Return the node whose rule a frame runs: it and an operand are among the variables."""
        found = [*self.variables(frame).values()]
        rules = [out for out in found if any(out.has_operand(each) for each in found)]
        return max(rules, key=lambda each: each._stamp, default=None)
