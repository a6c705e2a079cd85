"""The words of the field: what each means, with a number from a lesson and the command to see it.

A test runs each command and finds the numbers of its example in what it prints.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple


class Entry(NamedTuple):
    """A word, what it means in one sentence, and an example that a command shows.

    `forms` are other ways to write it: a learner finds it by these, too.
    """

    word: str
    meaning: str
    example: str
    command: str
    forms: tuple[str, ...] = ()


GLOSSARY = (
    Entry(
        "accumulation",
        "The contributions to a gradient are added up, one for each path: += and never =.",
        "In sum_over_paths, h receives 3 and then 12, which makes 15.",
        "stepgrad why sum_over_paths h.grad",
        ("accumulate", "accumulates", "accumulated"),
    ),
    Entry(
        "chain rule",
        "The derivative along a chain of operations is the product of their local derivatives.",
        "In chain_rule, h changes 14 times as fast as u, and u 3 times as fast as x: 14·3 = 42.",
        "stepgrad replay chain_rule --keys G",
    ),
    Entry(
        "computational graph",
        "The numbers that a program computes are nodes, and from each operand an edge leads to "
        "the result.",
        "In three_nodes, c = 6, d = 7 and L = 49, each made from the one before it.",
        "stepgrad replay three_nodes --keys f",
        ("graph", "graphs"),
    ),
    Entry(
        "cross-entropy",
        "The loss −log(p), where p is the probability given to the right answer; also called log "
        "loss.",
        "In log_loss, p = 0.00033535 makes a loss of 8.00034.",
        "stepgrad replay log_loss --keys f",
        ("cross entropy", "log loss"),
    ),
    Entry(
        "dead",
        "A neuron is dead if its relu is shut for every row of the data, so that no gradient "
        "reaches its weights.",
        "In xor_relu_dead, every parameter receives exactly 0 in all 1,000 passes.",
        "stepgrad diagnose xor_relu_dead",
        ("dead relu",),
    ),
    Entry(
        "dual number",
        "A value and its tangent as a pair that is computed with as one: "
        "(a, a′)·(b, b′) = (a·b, a′·b + a·b′).",
        "In product_rule_of_duals, (9, 6)·(7, 2) = (63, 60).",
        "stepgrad replay product_rule_of_duals --keys f",
        ("dual numbers",),
    ),
    Entry(
        "forward mode",
        "Derivatives are computed along with the values, with respect to one input in each pass.",
        "In forward_and_reverse, the first of three passes gives dL/dx = 70.",
        "stepgrad replay forward_and_reverse --keys f",
    ),
    Entry(
        "gate",
        "An operation such as relu or max, which passes a gradient on if it is open, and 0 if it "
        "is shut.",
        "In dead_relu, −6 arrives at a, but z = −1 shuts the gate, and 0 arrives at w.",
        "stepgrad why dead_relu w.grad",
        ("gates",),
    ),
    Entry(
        "gradient",
        "The derivative of the output with respect to a number, over all paths between them.",
        "In two_layer, the gradient of w1 is −24.",
        "stepgrad why two_layer w1.grad",
        ("gradients",),
    ),
    Entry(
        "JVP",
        "The Jacobian-vector product: what forward mode computes in each step, local times "
        "tangent.",
        "In forward_and_reverse, the tangent of u = x·y is 5 in the pass for x.",
        "stepgrad replay forward_and_reverse --keys f",
        ("JVPs", "Jacobian-vector product"),
    ),
    Entry(
        "learning rate",
        "An update moves each parameter against its gradient, by the gradient times this number.",
        "In single_neuron, the gradient −4 moves w from 1.5 to 1.7: 0.05·(−4) is subtracted.",
        "stepgrad why single_neuron w",
        ("learning rates",),
    ),
    Entry(
        "local derivative",
        "How fast the result of one operation changes with one of its operands, while the others "
        "stay.",
        "In sine_of_square, ∂y/∂a = cos(4) = −0.653644.",
        'stepgrad replay sine_of_square --keys "/a a"',
        ("local derivatives",),
    ),
    Entry(
        "primal",
        "The first part of a dual number: the value itself.",
        "In dual_numbers, y has the primal −0.756802 and the tangent −2.61457.",
        "stepgrad replay dual_numbers --keys f",
        ("primals",),
    ),
    Entry(
        "residual connection",
        "A layer's input is added to its output, so that on the way back its factor is 1 plus "
        "what it was.",
        "In residual, 2.24006 arrives at x, after ten layers.",
        "stepgrad replay residual --keys G",
        ("residual", "residual connections"),
    ),
    Entry(
        "reverse mode",
        "Derivatives are computed from the output back, with respect to all inputs in one pass.",
        "In forward_and_reverse, one backward pass gives 70, 28 and 14.",
        "stepgrad replay forward_and_reverse --keys G",
    ),
    Entry(
        "saturation",
        "A sigmoid or tanh far from 0 is almost flat, so that hardly any gradient passes.",
        "In tanh, c = 2 receives 0.0706508 of the gradient 1.",
        "stepgrad replay tanh --keys G",
        ("saturated", "saturates"),
    ),
    Entry(
        "sigmoid",
        "1 / (1 + exp(−z)), which turns any number z into one between 0 and 1; far from 0, it is "
        "flat.",
        "In log_loss, the sigmoid of −8 is 0.00033535.",
        "stepgrad replay log_loss --keys f",
        ("sigmoids",),
    ),
    Entry(
        "softmax",
        "Numbers become probabilities: exp of each, divided by the sum of all.",
        "In softmax_cross_entropy, 2, 1 and 0.1 become 0.659001, 0.242433 and 0.0985659.",
        "stepgrad replay softmax_cross_entropy --keys f",
    ),
    Entry(
        "tangent",
        "The second part of a dual number: how fast the value changes with the input that the "
        "pass is for.",
        "In dual_numbers, a = x² has the value 4 and the tangent 4.",
        "stepgrad replay dual_numbers --keys f",
        ("tangents",),
    ),
    Entry(
        "tape",
        "The list of all operations in the order in which they ran; the backward pass reads it "
        "from the end.",
        "In chain_rule, the tape has u = 7 before h = 49.",
        "stepgrad replay chain_rule --keys f",
    ),
    Entry(
        "topological order",
        "Every operand comes before its users, so that, from the end, a gradient is complete when "
        "it is passed on.",
        "In topological_order, h has its 10 before x receives 30.",
        "stepgrad replay topological_order --keys G",
        ("topological",),
    ),
    Entry(
        "upstream gradient",
        "What arrives at an operation on the way back: the gradient of its result.",
        "In two_layer, −4 arrives at y; times the weight 2, h receives −8.",
        'stepgrad replay two_layer --keys "/h a"',
        ("upstream",),
    ),
    Entry(
        "vanishing gradient",
        "A gradient that is a product of many factors below 1 in size, and so almost 0.",
        "In vanishing_gradient, 9.53674e−7 arrives at x, after ten layers.",
        "stepgrad replay vanishing_gradient --keys G",
        ("vanish", "vanishes"),
    ),
    Entry(
        "VJP",
        "The vector-Jacobian product: what reverse mode computes in each step, upstream times "
        "local.",
        "In matrix_view, 10 and 1 arrive at y1 and y2, and 14, 25 and 36 at x1, x2 and x3.",
        "stepgrad replay matrix_view --keys G",
        ("VJPs", "vector-Jacobian product"),
    ),
)
"""The words in alphabetical order."""


class Mention(NamedTuple):
    """Where a text has a word of the glossary."""

    start: int
    end: int
    entry: Entry


def words() -> list[str]:
    """Return the words, without their other forms."""
    return [entry.word for entry in GLOSSARY]


def look_up(word: str) -> Entry | None:
    """Return the entry of a word, in whatever form it is written; None if there is none."""
    return _forms().get(_plain(word))


def mentions(text: str) -> Iterator[Mention]:
    """Yield the words in a text, each where it is first; of two that begin there, the longer."""
    seen: set[str] = set()
    for found in _pattern().finditer(text):
        entry = _forms()[_plain(found[0])]
        if entry.word not in seen:
            seen.add(entry.word)
            yield Mention(found.start(), found.end(), entry)


@cache
def _forms() -> dict[str, Entry]:
    return {_plain(form): entry for entry in GLOSSARY for form in (entry.word, *entry.forms)}


@cache
def _pattern() -> re.Pattern[str]:
    longest = sorted(_forms(), key=len, reverse=True)
    choice = "|".join(r"\s+".join(map(re.escape, form.split())) for form in longest)
    return re.compile(rf"(?<![\w.-])(?:{choice})(?![\w-])", re.IGNORECASE)


def _plain(word: str) -> str:
    return " ".join(word.casefold().split())
