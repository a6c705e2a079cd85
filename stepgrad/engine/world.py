"""A `World` with one classic bug: what a program does in it shows what the bug does to a network.

A recording is made in a world (`recording.changed`), and says so. The engine itself knows none:
here is what is different in each, as functions of nodes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from stepgrad.engine.graph import Carry
from stepgrad.engine.node import Node
from stepgrad.engine.ops import CONSTANT, GATES, Op

_Node = TypeVar("_Node", bound=Node)

BUGS = {
    "overwrite": "a contribution replaces the gradient: = for +=",
    "no_zero_grad": "gradients are never cleared",
    "wrong_order": "backward goes in the order of creation, not in reverse",
    "shut": "nothing passes back through this gate",
    "open": "everything passes back through this gate",
    "skip_update": "this update is left out",
}
"""The bugs, and what is different in a world with each."""

_WANTS = {"shut": "NODE", "open": "NODE", "skip_update": "K"}

_HEARD = re.compile(rf"^(?:{'|'.join(bug.replace('_', ' ') for bug in BUGS if '_' in bug)})\b")
"""A bug as a voice says it, in words."""

USAGE = ", ".join(" ".join(filter(None, (bug, _WANTS.get(bug)))) for bug in BUGS)
"""How each is written."""


class World(NamedTuple):
    """A world in which one thing is wrong.

    Args:
        bug: one of `BUGS`.
        node: the gates that are `shut` or `open`: by name, by the end of a name in a scope, or all
            of an operation, such as `relu`.
        update: which update `skip_update` leaves out, counted from 1.
    """

    bug: str
    node: str = ""
    update: int = 0

    @classmethod
    def read(cls, text: str) -> World:
        """Read what a person writes: `overwrite`, `shut h1` or `shut=h1`, `skip_update 3`.

        Raises:
            ValueError: that is no world; says what is.
        """
        from stepgrad.errors import suggest  # noqa: PLC0415 - programs that compute read none

        text = re.sub(_HEARD, lambda bug: bug[0].replace(" ", "_"), text.strip())
        bug, which, *_ = (*re.split(r"\s+|=", text, maxsplit=1), "")
        if bug not in BUGS:
            wrong = f"`{bug}` is not a bug{suggest(bug, BUGS) or ':'}" if bug else "which bug?"
            raise ValueError(f"{wrong} there are {USAGE}")
        wanted = _WANTS.get(bug, "")
        if not wanted and which:
            raise ValueError(f"{bug} takes nothing more, but there is `{which}`")
        if wanted == "NODE":
            if not which:
                raise ValueError(f"which gate? e.g. `{bug} h1`, or `{bug} relu` for all of them")
            return cls(bug, node=which)
        if wanted == "K":
            if not (which.isascii() and which.isdigit() and int(which[:18]) > 0):
                raise ValueError(f"which update? e.g. `{bug} 3`; the first is 1")
            return cls(bug, update=int(which[:18]))
        return cls(bug)

    def __str__(self) -> str:
        return f"{self.bug} {self.node or self.update or ''}".rstrip()

    @property
    def meaning(self) -> str:
        """What is different in this world, in a few words."""
        return BUGS[self.bug]

    @property
    def overwrites(self) -> bool:
        """Whether a contribution replaces what a gradient has received before."""
        return self.bug == "overwrite"

    @property
    def hasty(self) -> bool:
        """Whether nodes hand on a gradient that is not complete yet."""
        return self.bug == "wrong_order"

    @property
    def gates(self) -> bool:
        """Whether some gates do not work."""
        return self.bug in ("shut", "open")

    def means(self, name: str) -> bool:
        """Whether a name is one of its gates."""
        return name == self.node or name.endswith(f"/{self.node}")

    def row(self, op: Op) -> Op:
        """Return the row of the op table that a gate of this kind has here."""
        faulty = None if op.stored else GATES.get((self.bug, op.usual.name))
        return op if faulty is None else faulty.beside(*op.constants) if op.constants else faulty

    def order(self, usual: Sequence[_Node]) -> Sequence[_Node]:
        """Return the order in which the nodes of a backward pass hand their gradients on."""
        return usual[::-1] if self.hasty else usual

    def propagate(self, root: Node, order: Iterable[Node]) -> None:
        """Run a backward pass, as `backward.propagate` does in the usual world."""
        for node in order:
            node._grad = 0.0
        root._grad += 1.0
        for node in order:
            op = node._operation.holding(node._locals)
            operands, upstream = node._operands, node._grad
            values = [operand._data for operand in operands]
            for carry, operand in zip(op.carry, operands, strict=True):
                if operand._operation is not CONSTANT:
                    passed = carry(*values, node._data, upstream)
                    operand._grad = added(self, operand._grad, passed)


def added(world: World | None, before: float | None, contribution: float) -> float:
    """Return a gradient after a contribution in a world, or in the usual one."""
    if world is not None and world.overwrites:
        return contribution
    return (0.0 if before is None else before) + contribution


def incomplete(
    edges: Iterable[tuple[int, int]], width: int, carry: Callable[[int], Carry]
) -> Sequence[float]:
    """Return what each node of a pass hands on where that need not be its final gradient.

    `edges` are pairs in their order, the place of the node that hands on and that of the receiver;
    the root hands on last. `carry` is what passes an edge.
    """
    sums, handed, at = [0.0] * width, [0.0] * width, -1
    walked = [*edges]
    sums[max((out for out, _ in walked), default=0)] = 1.0
    for edge, (out, receiver) in enumerate(walked):
        if out != at:
            at, handed[out] = out, sums[out]
        sums[receiver] += carry(edge)(handed[out])
    return handed
