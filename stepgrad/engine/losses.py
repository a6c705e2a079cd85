"""Losses, composed of ordinary operations, so that a replay shows every node.

Targets may be plain numbers, or Values if they should have names.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import exp
from operator import add

from stepgrad.engine.tape import scope
from stepgrad.engine.value import Value

_LEAST = exp(-100)
"""The smallest probability that a loss uses: its logarithm is −100, as in PyTorch's loss."""


def squared_error(output: Value, target: Value | float) -> Value:
    """(output − target)²."""
    return (output - target) ** 2


def binary_cross_entropy(probability: Value, target: Value | float) -> Value:
    """−(t·log p + (1 − t)·log(1 − p)) for a probability, such as the output of a sigmoid.

    `target` is between 0 and 1. A sigmoid of more than 37 is exactly 1; to keep the loss finite
    there, no logarithm is below −100.
    """
    sure, unsure = probability.max(_LEAST).log(), (1 - probability).max(_LEAST).log()
    return -(target * sure + (1 - target) * unsure)


def softmax(logits: Sequence[Value]) -> list[Value]:
    """exp(z) of each logit z, over the sum of all: probabilities, in a scope `softmax`.

    Raises:
        ValueError: there are no logits.
    """
    with scope("softmax"):
        _, exponentials, total = _exponentials(logits)
        return _labelled("p", [each / total for each in exponentials])


def softmax_cross_entropy(logits: Sequence[Value], targets: Sequence[Value | float]) -> Value:
    """−Σ t·log p, with the softmax of the logits for p.

    `targets` has a number for each logit: 1 for the correct class and 0 for the others. It uses
    log p = z − log Σ exp z, without a quotient, which is finite even where p underflows to 0.

    Raises:
        TypeError: `targets` is a number, as the index of a class is.
        ValueError: there are no logits; or there are more targets than logits, or fewer.
    """
    if isinstance(targets, int | float):
        raise TypeError("targets has a number for each logit, such as [0, 1, 0]: no class index")
    if len(targets) != len(logits):
        raise ValueError(f"each logit needs a target: {len(logits)} logits, {len(targets)} targets")
    with scope("softmax"):
        shifted, _, total = _exponentials(logits)
        log_total = total.log()
        log_total.label = "log_sum"
        logs = _labelled("log_p", [each - log_total for each in shifted])
    return -reduce(add, [target * log for target, log in zip(targets, logs, strict=True)])


def _exponentials(logits: Sequence[Value]) -> tuple[list[Value], list[Value], Value]:
    """Return the logits minus their maximum, the exponential of each, and the sum of these.

    So no exponential overflows. The maximum cancels: it is subtracted from each logit and from the
    logarithm of the sum.

    Raises:
        ValueError: there are no logits.
    """
    if not logits:
        raise ValueError("softmax needs at least one logit")
    greatest = reduce(Value.max, logits)
    shifted = [logit - greatest for logit in logits]
    exponentials = _labelled("exp", [each.exp() for each in shifted])
    total = reduce(add, exponentials)
    if len(logits) > 1:  # for a single one, these are the logit itself and its exponential
        greatest.label, total.label = "max", "sum"
    return shifted, exponentials, total


def _labelled(name: str, values: list[Value]) -> list[Value]:
    for number, value in enumerate(values, 1):
        value.label = f"{name}{number}"
    return values
