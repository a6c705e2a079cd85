"""Questions in words, beside those about numbers: a learner answers in the head, and rates that."""

from __future__ import annotations

from typing import NamedTuple


class Prose(NamedTuple):
    """A question, an answer to hold one's own against, and the lesson that shows it."""

    prompt: str
    answer: str
    lesson: str


PROSE = (
    Prose(
        "Why do rates multiply along a chain?",
        "A small step of x makes a step in u that is 3 times as large, and each step of u makes "
        "one in h that is 14 times as large: so h moves 14·3 = 42 times as far as x.",
        "chain_rule",
    ),
    Prose(
        "Why are the values of the forward pass kept until the backward pass?",
        "Local derivatives are made of them: that of a product is the other factor, that of a "
        "square is twice the operand. Each has to be what it was on the way forward.",
        "three_nodes",
    ),
    Prose(
        "A value is used on two paths. Why is its gradient a sum?",
        "A small change of it reaches the output along both paths at once, and the changes that "
        "it makes there add up. So does what comes back.",
        "sum_over_paths",
    ),
    Prose(
        "What shuts a ReLU for good?",
        "That it is shut for every row of the data: then no gradient reaches its weights and its "
        "bias, so they stay as they are. Only other inputs could open it again.",
        "dead_relu",
    ),
    Prose(
        "Why does the backward pass walk the tape from its end?",
        "A node may pass its gradient on only after all of its users have given their part. Its "
        "users come after it on the tape, so from the end they come first.",
        "topological_order",
    ),
    Prose(
        "When is forward mode the better choice?",
        "When there are fewer inputs than outputs: it takes one pass for each input, and reverse "
        "mode one for each output. Forward mode also has no values to keep.",
        "forward_and_reverse",
    ),
    Prose(
        "What does a gradient check at one point prove?",
        "Little: a wrong rule can be right there, as x² instead of 2x is at x = 2, and at a kink "
        "a right one looks wrong. Check at several points.",
        "when_to_check",
    ),
    Prose(
        "Why do gradients vanish or explode in deep networks?",
        "Each layer multiplies what comes back by a weight times a slope. A product of many "
        "factors below 1 in size is almost 0, and one of many above 1 is huge.",
        "vanishing_gradient",
    ),
    Prose(
        "Why are gradients cleared before each backward pass?",
        "A backward pass adds to them, since a value may be used on several paths. What the last "
        "step left there would be added as well.",
        "forgotten_zero_grad",
    ),
)
"""The questions, in the order of the course."""


def prose(lesson: str | None = None) -> list[Prose]:
    """Return the questions of a lesson, or all of them."""
    return [each for each in PROSE if lesson in (None, each.lesson)]
