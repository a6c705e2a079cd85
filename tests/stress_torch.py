"""Random graphs of wild numbers, against PyTorch in float64: values and gradients.

Run `python tests/stress_torch.py` for 10,000 programs, or `--count 100000 --seed 7`. It prints how
many differ, the first of them as a program to paste, and how many fall under a documented
difference (`DOCUMENTED`). The exit status is 1 if any differs otherwise. A slice of it is a test.

Values are compared operation by operation: PyTorch is given the operands that we have, and goes on
with our result. So two functions called tanh that differ in the last digit make no difference that
grows, and the gradients are those of the same numbers. Plain numbers are tensors without a
gradient: for a Python number as an exponent PyTorch has kernels of their own.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import copysign, inf, isclose, isfinite, isinf, isnan
from random import Random
from typing import Any

import torch

from graphs import OPERATIONS, apply, computation
from stepgrad import Value
from stepgrad.checking.pytorch import torch_function
from stepgrad.engine.backward import ancestors
from stepgrad.engine.dual import gradients, magnitudes
from stepgrad.engine.ieee import div
from stepgrad.engine.ops import GELU, LEAF, Op

WILD = (
    *(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 1 / 3),  # ties, kinks, whole powers
    *(5e-324, -5e-324, 1e-310, -1e-310, 2.2250738585072014e-308),  # subnormal, or nearly
    *(1e-300, -1e-300, 1e-160, 1e-16, 1e16, 1e160, -1e160, 710.0, -745.0, 1e308, -1e308, 1.7e308),
    *(inf, -inf, float("nan")),
)

Operand = int | float
"""A whole number is the place of an earlier value, any other a plain number of the program."""


@dataclass(frozen=True)
class Program:
    """Leaves, and operations on what is there by then; the last is the root."""

    leaves: tuple[float, ...]
    calls: tuple[tuple[Op, tuple[Operand, ...]], ...]

    def __str__(self) -> str:
        lines = ["from math import inf, nan", "from stepgrad import Value"]
        lines += [f"v{place} = Value({leaf!r})" for place, leaf in enumerate(self.leaves)]
        for place, (op, operands) in enumerate(self.calls, len(self.leaves)):
            names = [f"v{each}" if isinstance(each, int) else f"({each!r})" for each in operands]
            call = _SIGNS.get(op.name) or f"{{}}.{op.name}({{}})"
            lines.append(f"v{place} = {call.format(*names, '')}")
        return "\n".join([*lines, f"v{len(self.leaves) + len(self.calls) - 1}.backward()"])

    def run(self) -> list[Value]:
        """Return all values, the leaves first."""
        values = [Value(leaf) for leaf in self.leaves]
        for op, operands in self.calls:
            values.append(apply(op, *(values[x] if isinstance(x, int) else x for x in operands)))
        return values


_SIGNS = {
    "add": "{} + {}",
    "sub": "{} - {}",
    "mul": "{} * {}",
    "div": "{} / {}",
    "pow": "{} ** {}",
    "neg": "-{}",
    "abs": "abs({})",
}


def random_program(seed: int) -> Program:
    """Return a random program."""
    random = Random(seed)

    def number() -> float:
        return random.choice(WILD) if random.random() < 0.6 else random.uniform(-3, 3)

    leaves = tuple(number() for _ in range(random.randint(1, 4)))
    calls: list[tuple[Op, tuple[Operand, ...]]] = []
    for place in range(len(leaves), len(leaves) + random.randint(1, 12)):
        op = random.choice(OPERATIONS)
        # Newer ones more often, so that graphs get deep; each may come again.
        operands: list[Operand] = [
            place - 1 if random.random() < 0.5 else random.randrange(place) for _ in op.partials
        ]
        if len(operands) == 2 and random.random() < 0.3:
            # `max` is a method, and a plain number has none.
            operands[1 if op.name in ("max", "min") else random.randrange(2)] = number()
        calls.append((op, tuple(operands)))
    return Program(leaves, tuple(calls))


def differences(program: Program) -> list[str]:
    """Say where PyTorch comes to another value, or to another gradient of a leaf."""
    values = program.run()
    tensors = [_tensor(leaf).requires_grad_() for leaf in program.leaves]
    found = []
    for (op, operands), value in zip(program.calls, values[len(program.leaves) :], strict=True):
        taken = [tensors[x] if isinstance(x, int) else _tensor(x) for x in operands]
        result = torch_function(op)(*taken)
        size = abs(taken[0].item()) if op is GELU else 0.0  # 1 + erf, which may be nearly −1
        if not _same_value(value.data, result.item(), size):
            numbers = ", ".join(repr(each.item()) for each in taken)
            found.append(f"{op.name}({numbers}) is {value.data!r}, in PyTorch {result.item()!r}")
        result.data.fill_(value.data)
        tensors.append(result)
    values[-1].backward()
    tensors[-1].backward()
    sizes = _sizes(values[-1])
    for place, tensor in enumerate(tensors[: len(program.leaves)]):
        ours, theirs = values[place].grad, 0.0 if tensor.grad is None else tensor.grad.item()
        if not _same_gradient(ours, theirs, sizes.get(values[place], 0.0)):
            found.append(f"v{place}.grad is {ours!r}, in PyTorch {theirs!r}")
    return found


def _tensor(number: float) -> Any:
    return torch.tensor(number, dtype=torch.float64)


def _sizes(root: Value) -> Mapping[Value, float]:
    """Return what the rounding of each leaf's gradient is measured by: its terms, absolutely."""
    graph = computation(root)
    used = {operand for node in ancestors(root) for operand in node._operands}
    leaves = sorted((v for v in used if v._operation is LEAF), key=lambda leaf: leaf._stamp)
    sizes = magnitudes(graph)
    return {leaf: sizes[place] for leaf, place in zip(leaves, graph.leaves, strict=True)}


def _same_value(ours: float, theirs: float, size: float) -> bool:
    """Equal up to the last digits; infinities, nan and the sign of a zero exactly.

    `size` is that of terms that cancel.
    """
    if isnan(ours) or isnan(theirs):
        return isnan(ours) and isnan(theirs)
    if ours == theirs:
        return copysign(1.0, ours) == copysign(1.0, theirs)
    return isclose(ours, theirs, rel_tol=1e-14, abs_tol=1e-323 + 1e-15 * size)


def _same_gradient(ours: float, theirs: float, size: float) -> bool:
    """Equal up to the last digits of the terms; infinities and nan exactly. A zero has no sign."""
    if not (isfinite(ours) and isfinite(theirs)):
        return repr(ours) == repr(theirs)
    return ours == theirs or abs(ours - theirs) <= 1e-12 * max(size, abs(ours)) + 1e-307


def _divides_by_a_subnormal(program: Program) -> bool:
    """The local derivative 1/b overflows by itself; PyTorch divides what arrives by b at once."""
    values = program.run()
    for op, operands in program.calls:
        if op.name in ("div", "log"):
            x = operands[-1]
            divisor = values[x].data if isinstance(x, int) else x
            if divisor and isinf(div(1.0, divisor)):
                return True
    return False


def _rounds_before_infinity(program: Program) -> bool:
    """Terms cancel up to rounding, and what is left, 0 or not, meets an infinite local derivative.

    PyTorch rounds u/b and we u·(1/b): in one there may be 0·inf = nan, in the other inf.
    """
    graph = computation(program.run()[-1])
    return any(
        0 < size < inf and abs(grad) <= 1e-12 * size and isinf(graph.edge(place, slot)(1.0))
        for place, (grad, size) in enumerate(zip(gradients(graph), magnitudes(graph), strict=True))
        for slot, _ in graph.variable(place)
    )


DOCUMENTED: Mapping[str, Callable[[Program], bool]] = {
    "divides by a subnormal number": _divides_by_a_subnormal,
    "rounds to 0 or not, before an infinite derivative": _rounds_before_infinity,
}
"""Where gradients may differ, as the README says; values may not."""


def stress(seeds: Iterable[int]) -> tuple[Counter[str], list[tuple[Program, list[str]]]]:
    """Return how many programs came to what, and those that differ though they may not."""
    counts: Counter[str] = Counter()
    wrong = []
    for seed in seeds:
        program = random_program(seed)
        found = differences(program)
        reason = "the same"
        if found:
            documented = all(".grad" in each for each in found)
            reasons = (name for name, holds in DOCUMENTED.items() if documented and holds(program))
            reason = next(reasons, "different")
        counts[reason] += 1
        if reason == "different":
            wrong.append((program, found))
    return counts, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    counts, wrong = stress(range(options.seed, options.seed + options.count))
    for reason, count in counts.most_common():
        print(f"{count:>8,}  {reason}")
    if wrong:
        program, found = min(wrong, key=lambda each: len(each[0].calls))
        print("", program, *(f"# {each}" for each in found), sep="\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
