"""Tests of gradients that a person works out in plain numbers (`check_backward`).

Such an exercise is two functions: `forward` computes a result, and `backward` returns its
derivatives. The first runs on Values, which gives the true gradients; the second on floats.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter, signature
from itertools import count, pairwise
from numbers import Real
from typing import Any

from stepgrad.checking.mistaken import Answer, Arrived, mistaken
from stepgrad.checking.returned import by_name, by_part, described, mapped, parts
from stepgrad.engine.dual import gradients, magnitudes
from stepgrad.engine.value import Value
from stepgrad.errors import suggest
from stepgrad.numbers import factor, number
from stepgrad.printable import counted
from stepgrad.recording.blocks import Backward
from stepgrad.recording.graph import graph_of
from stepgrad.recording.record import record
from stepgrad.recording.recording import Recording
from stepgrad.replay.gradients.paths import Path, paths
from stepgrad.replay.telling.derivatives import partial
from stepgrad.replay.telling.titles import short_title

__all__ = ["check_backward"]

_PATHS = 3
"""The most paths to show."""

_FACTORS = 4
"""The most factors of a path to show."""


def check_backward(
    forward: Callable[..., Any], backward: Callable[..., Any], /, **inputs: Any
) -> None:
    """Check the gradients that a function returns against the true ones.

    ::

        def forward(x, w, b):
            return (w * x + b) ** 2


        def backward(x, w, b):
            d = 2 * (w * x + b)
            return d * w, d * x, d


        check_backward(forward, backward, x=2.0, w=3.0, b=1.0)

    `forward` gets Values, so it uses their methods, as in `z.exp()`, and returns one of them, or a
    list. `backward` gets the inputs that it has parameters for, as floats. It returns the gradients
    in the order of the parameters of `forward`, or as a dict by name (`x`, or `dx`). An input may
    be a list of numbers, or of lists; its gradient has the same shape. One more parameter of
    `backward`, such as `grad`, is the gradient that arrives, in the shape of the result. It is
    never 1, so that leaving it out is noticed.

    Raises:
        AssertionError: a gradient is missing, or off by more than 1e-5 of its terms; says which is
            the first, and its chain rule.
        TypeError: an input is not a number or a list of numbers, or the functions do not fit.
    """
    __tracebackhide__ = True  # pytest reads it from each frame
    inputs = _in_order(forward, inputs)
    with record() as recording:
        values = {name: mapped(given, _leaf, name) for name, given in inputs.items()}
        result = forward(**values)
        roots = [_root(recording, each) for _, each in parts("", result)]
    if not any(root is not None for root in roots):
        raise TypeError(
            f"forward returns {described(result)}, which no Value went into: compute with the "
            "Values themselves, not with their `.data`"
        )
    floats, seeds = _handed(backward, inputs, result)
    returned = by_name(backward(**_taken(backward, floats)), [*inputs])
    results = [
        _Result(recording, root, *seed)
        for root, seed in zip(roots, seeds, strict=True)
        if root is not None
    ]
    _compare(inputs, returned, results)


def _handed(
    backward: Callable[..., Any], inputs: Mapping[str, Any], result: Any
) -> tuple[dict[str, Any], Sequence[tuple[str, float]]]:
    """Return what `backward` may take, by name, and the gradients that arrive, each with a name."""
    floats = {name: mapped(given, lambda x, _: float(x), name) for name, given in inputs.items()}
    arriving = _arriving(backward, inputs)
    if arriving is None:
        if isinstance(result, (list, tuple)):
            raise TypeError(
                "forward returns a list, so backward needs one more parameter, such as `grad`: the "
                "list of the gradients that arrive"
            )
        return floats, [("", 1.0)]
    different = (0.7 + 0.6 * place for place in count())
    floats[arriving] = mapped(result, lambda *_: next(different), arriving)
    return floats, [*parts(arriving, floats[arriving])]


def _leaf(given: Any, name: str) -> Value:
    if not isinstance(given, Real):
        raise TypeError(
            f"{name} is {described(given)}, but an input is a number or a list of numbers; bind "
            "other arguments to both functions first, with functools.partial"
        )
    return Value(given, name)


def _root(recording: Recording, result: Any) -> int | None:
    """Return which node of a recording a result is; None for a plain number."""
    if isinstance(result, Real):
        return None
    if not isinstance(result, Value):
        raise TypeError(f"forward returns {described(result)}, not a Value or a list of Values")
    if result.label is None:
        result.label = "out"
    result.backward()
    block = recording.blocks[-1]
    assert isinstance(block, Backward), "it has just run"
    return block.root


# The parameters of the two functions.


def _in_order(forward: Callable[..., Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs in the order of the parameters of `forward`.

    Raises:
        TypeError: there is one too many, or too few.
    """
    parameters = _parameters("forward", forward)
    needed = [
        name
        for name, each in parameters.items()
        if each.kind in _NAMED and (each.default is Parameter.empty or name in inputs)
    ]
    if missing := [name for name in needed if name not in inputs]:
        call = ", ".join(["forward", "backward", *(f"{name}=2.0" for name in needed)])
        raise TypeError(f"no number is given for {' and '.join(missing)}: check_backward({call})")
    if not inputs:
        raise TypeError("forward takes no inputs, so it has no gradients to check")
    others = [name for name in inputs if name not in needed]
    if others and all(each.kind is not Parameter.VAR_KEYWORD for each in parameters.values()):
        near = suggest(others[0], needed)
        raise TypeError(f"forward takes no argument called {others[0]}{near}")
    return {name: inputs[name] for name in (*needed, *others)}


def _parameters(role: str, function: Callable[..., Any]) -> Mapping[str, Parameter]:
    if not callable(function):
        raise TypeError(f"{role} is {described(function)}, not a function")
    return signature(function).parameters


def _arriving(backward: Callable[..., Any], inputs: Mapping[str, Any]) -> str | None:
    """Return which parameter of `backward` is for the gradient that arrives, if there is one."""
    others = [
        each.name
        for each in _parameters("backward", backward).values()
        if each.kind in _NAMED
        and each.name not in inputs
        and (each.default is Parameter.empty or each.name == "grad")
    ]
    if len(others) > 1:
        raise TypeError(
            f"backward takes {' and '.join(others)}, which are not inputs; only the gradient that "
            "arrives has a name of its own, such as `grad`"
        )
    return others[0] if others else None


_NAMED = Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY


def _taken(function: Callable[..., Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the arguments that a function has parameters for."""
    parameters = signature(function).parameters
    if any(each.kind is Parameter.VAR_KEYWORD for each in parameters.values()):
        return given
    return {name: each for name, each in given.items() if name in parameters}


# The comparison.


@dataclass(frozen=True)
class _Result:
    """A number that `forward` returned, and the gradient that arrives at it.

    `name` is what that is called, such as `grad`; empty where it is 1.
    """

    recording: Recording
    root: int
    name: str
    arrives: float

    @cached_property
    def _derivatives(self) -> Mapping[int, tuple[float, float]]:
        """For each node, its derivative and the size of that derivative's terms."""
        nodes, graph = graph_of(self.recording, self.root, self.recording.length)
        both = zip(gradients(graph), magnitudes(graph), strict=True)
        return dict(zip(nodes, both, strict=True))

    def gradient(self, node: int) -> tuple[float, float]:
        """Return what a node receives from here, and the size of its terms."""
        derivative, size = self._derivatives.get(node, (0.0, 0.0))
        return self.arrives * derivative, abs(self.arrives) * size

    def chains(self, node: int) -> Iterator[str]:
        """Yield the chain rule along the largest paths to a node."""
        found = paths(self.recording, self.root, node, self.recording.length, _PATHS)
        for path in found.weightiest:
            yield self._chain(path)
        if more := found.count - len(found.weightiest):
            rest = found.rest
            together = "" if rest is None else f", together {number(self.arrives * rest)}"
            yield f"{counted(more, 'more path')}{together}"

    def _chain(self, path: Path) -> str:
        titles = [short_title(self.recording, node) for node in reversed(path.nodes)]
        edges = [partial(out, operand) for out, operand in pairwise(titles)]
        factors = [*zip(edges, reversed(path.locals), strict=True)]
        if len(factors) > _FACTORS:  # a factor of 1 is no news
            factors = [each for each in factors if each[1] != 1]
        if self.name:
            factors.insert(0, (self.name, self.arrives))
        symbols = _product([symbol for symbol, _ in factors])
        first, *others = [local for _, local in factors] or [1.0]
        numbers = _product([number(first), *map(factor, others)])
        total = number(self.arrives * path.product)
        return " = ".join(dict.fromkeys(filter(None, (symbols, numbers, total))))


def _product(factors: Sequence[str]) -> str:
    """Write a product, without its middle if it is long."""
    if len(factors) > _FACTORS:
        begin = _FACTORS // 2
        factors = [*factors[:begin], "…", *factors[begin + 1 - _FACTORS :]]
    return " · ".join(factors)


def _compare(
    inputs: Mapping[str, Any], returned: Mapping[str, Any], results: Sequence[_Result]
) -> None:
    """Compare all gradients; raise an error that names the first to differ, and the others."""
    __tracebackhide__ = True
    answers: dict[str, Answer] = {}
    for name, given in inputs.items():
        # The first nodes of the recording, in order.
        for part, gradient in by_part(name, given, returned[name]):
            answers[part] = _answer(gradient, len(answers), results)
    wrong = [name for name, answer in answers.items() if not answer.is_right]
    if wrong:
        first, *others = wrong
        also = f"\nalso wrong: {', '.join(others)}" if others else ""
        raise AssertionError(_difference(first, answers, results) + also)


def _answer(got: float | None, node: int, results: Sequence[_Result]) -> Answer:
    """Return a gradient beside what is right."""
    terms = [each.gradient(node) for each in results]
    right, size = sum(term for term, _ in terms), sum(size for _, size in terms)
    return Answer(got, right, size)


def _difference(name: str, answers: Mapping[str, Answer], results: Sequence[_Result]) -> str:
    """Say what is wrong with a gradient, and its chain rule."""
    got, right, _ = answers[name]
    node = [*answers].index(name)
    chains = Counter(line for each in results for line in each.chains(node))
    lines = [_counted(*each) for each in chains.items()]
    lines = lines or [f"no path leads from {name} to the result"]
    what = "no gradient" if got is None else number(got)
    told = f"backward returns {what} for {name}; right is {number(right)}"
    only = results[0] if len(results) == 1 else None
    arrived = None if only is None else Arrived(only.recording, only.name, only.arrives)
    why = mistaken(name, node, answers, arrived)
    return "\n    ".join(filter(None, [told, why, *lines]))


def _counted(line: str, times: int) -> str:
    return line if times == 1 else f"{line}   ({times} times)"
