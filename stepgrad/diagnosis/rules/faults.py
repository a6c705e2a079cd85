"""What can be wrong with an engine: the kinds, and one that was found (`Fault`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from stepgrad.engine.tape import Place

Kind = Literal[
    "called",
    "wrong node",
    "wrong forward",
    "seed",
    "seeded again",
    "not cleared",
    "left over",
    "order",
    "visited twice",
    "unvisited",
    "overwrites",
    "swapped",
    "sign",
    "upstream missing",
    "upstream",
    "local derivative",
    "no contribution",
    "wrong sum",
    "left out",
    "no rule",
]
"""What it is, in a word or two."""

ADVICE: Mapping[Kind, str] = {
    "called": "Store the rule itself in the result, without calling it.",
    "wrong node": "Store the rule in the result: `out._backward = _backward`.",
    "wrong forward": "Correct what the method computes.",
    "seed": "Set the gradient of the result to 1 before the first rule runs.",
    "seeded again": "Set only the gradient of the result to 1, before the loop.",
    "not cleared": "Clear the gradients of all nodes before the second pass, or build the graph "
    "again.",
    "left over": "Begin each backward pass with an empty tape or list: a default argument, for "
    "example, keeps what earlier calls have put there.",
    "order": "Sort the nodes so that each comes after all that it is computed from, and run the "
    "rules from the last one back.",
    "visited twice": "Run each rule once in a pass: skip the nodes that were visited before.",
    "unvisited": "Run the rule of every node from the result to the leaves: leave out none, and do "
    "not end the loop early.",
    "overwrites": "Write `+=`: a node with several users receives something from each.",
    "swapped": "Give each operand the derivative with respect to itself.",
    "sign": "Change the sign of this contribution.",
    "upstream missing": "Multiply by the gradient of the result.",
    "upstream": "Multiply by what arrives at the result.",
    "local derivative": "Correct the derivative in the rule.",
    "no contribution": "Add a contribution for each operand to the rule, and store the rule in "
    "the result.",
    "wrong sum": "Sum the gradient of each user times the local derivative.",
    "left out": "Make each operand a child of the result: a copy of its number hands on nothing.",
    "no rule": "Give it `local_grads`, one for each child, or set its `_backward`.",
}
"""What people do about it."""

STRUCTURAL: frozenset[Kind] = frozenset(
    {
        "called",
        "wrong node",
        "seed",
        "seeded again",
        "not cleared",
        "left over",
        "order",
        "visited twice",
        "unvisited",
        "no contribution",
        "left out",
    }
)
"""Those that lead to each other: of two, the second may be the first one again."""


ONCE: frozenset[Kind] = frozenset({"overwrites", "upstream missing", "upstream", "sign"})
"""Those that a line which writes for several operands does to all of them."""

CONTRIBUTIONS: frozenset[Kind] = ONCE | {"swapped", "local derivative"}
"""Those of a single contribution."""

CERTAIN: frozenset[Kind] = CONTRIBUTIONS | {"called", "wrong forward"}
"""Those that show even where not all of the graph is seen."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with an engine.

    Args:
        kind: what it is.
        position: where to see it, just after the event.
        text: a clause that says it with its numbers; no full stop.
        nodes: what it is about.
        place: the line to blame; None where it is not known.
    """

    kind: Kind
    position: int
    text: str
    nodes: tuple[int, ...]
    place: Place | None
