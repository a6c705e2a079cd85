"""What there is to say of a submission: its functions and classes against a scenario's graph."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from inspect import Parameter, isclass, signature
from math import isclose, isfinite
from pathlib import Path
from types import ModuleType
from typing import Any

from stepgrad.checking.result import judge
from stepgrad.checking.returned import described
from stepgrad.engine.value import Value
from stepgrad.errors import StepgradError
from stepgrad.numbers import number
from stepgrad.opening import open_typed
from stepgrad.program.text import python_text
from stepgrad.scenario import open_scenario
from stepgrad.scenario.form.sections import GraphScenario
from stepgrad.scenario.load import ScenarioFile
from stepgrad.testing import check_backward

_SHIFTS = (0.0, 0.375, -0.8125)
"""What is added to the numbers of a scenario: gradients that are right at one place only show."""


def judged(path: str, scenario: str, place: int) -> tuple[bool, str]:
    """Return whether a submission is right, and if not, what is wrong first."""
    try:
        file = open_scenario(scenario)
        _compare(path, file, file.model.exercises[place].of)
    except AssertionError as error:
        return False, str(error) or "an assertion of the program fails"
    except MemoryError:
        return False, "it takes too much memory"
    except SystemExit:
        return False, "it ends the program before there is a result"
    except StepgradError as error:
        return False, str(error)
    except BaseException as error:
        return False, _failure(path, error)
    return True, "right"


def load(path: str) -> ModuleType:
    """Import a file as a module that is not `__main__`."""
    spec = spec_from_file_location("submission", path)
    if spec is None or spec.loader is None:
        raise AssertionError("this is not a Python file")
    python_text(Path(path).name, Path(path).read_bytes())
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _failure(path: str, error: BaseException) -> str:
    """Say which error ended a submission, and at which of its lines."""
    lines = [each.lineno for each in traceback.extract_tb(error.__traceback__)
             if each.filename == path]  # fmt: skip
    if isinstance(error, SyntaxError) and error.filename == path:
        lines.append(error.lineno)
    where = f"line {lines[-1]}: " if lines else ""
    text = traceback.format_exception_only(type(error), error)[-1].strip()
    return f"{where}{text}"


def _compare(path: str, file: ScenarioFile, names: tuple[str, ...]) -> None:
    """Raise an AssertionError that says what is wrong with the functions or the class."""
    module = load(path)
    found = []
    for name in names:
        if not callable(getattr(module, name, None)):
            raise AssertionError(f"{Path(path).name} has no function or class called {name}")
        found.append(getattr(module, name))
    if len(found) == 2:
        _functions(file, *found)
    elif isclass(found[0]):
        _engine(path, file, found[0], names[0])
    elif _required(found[0]):
        _functions(file, None, found[0])
    else:
        _watched(path, f"_load({path!r}).{names[0]}()")


def _required(function: Callable[..., Any]) -> bool:
    """Whether a function has to be given something."""
    parameters = signature(function).parameters.values()
    return any(each.default is Parameter.empty for each in parameters)


# The graph of a scenario, run on whatever computes.


def _graph(file: ScenarioFile) -> GraphScenario:
    assert isinstance(file.model, GraphScenario), "the form asks for a graph"
    return file.model


def _run(file: ScenarioFile, given: Mapping[str, Any]) -> Any:
    """Compute the graph on numbers of some kind, whose functions are methods."""
    known = dict(given)
    for target, text in _statements(file):
        functions = {name: method(name) for name in _names_in(text) if name not in known}
        known[target] = eval(text, {"__builtins__": {}}, {**functions, **known})
        if isinstance(known[target], Value) and known[target].label is None:
            known[target].label = target
    return known[_root(file)]


def _statements(file: ScenarioFile) -> Iterator[tuple[str, str]]:
    """Yield names and what they are; the form allows arithmetic and functions, nothing else."""
    for each in file.statements:
        name, _, text = each.text.partition("=")
        yield name.strip(), text.strip()


def _root(file: ScenarioFile) -> str:
    root = _graph(file).backward
    assert root is not None, "the form asks for it"
    return root


def _names_in(text: str) -> Sequence[str]:
    """Return the names in an expression."""
    return compile(text, "<graph>", "eval").co_names


def method(name: str) -> Callable[..., Any]:
    """Return a function that calls the method of this name."""

    def call(first: Any, *others: Any) -> Any:
        method = getattr(first, name, None)
        if method is None:
            raise AssertionError(f"{type(first).__name__} has no method {name}")
        return method(*others)

    return call


def _places(file: ScenarioFile) -> Iterator[Mapping[str, float]]:
    """Yield the numbers of a scenario, and some others at which its graph is finite."""
    model = _graph(file)
    for shift in _SHIFTS:
        leaves = [*model.inputs.items(), *model.params.items()]
        given = {name: x + shift * place for place, (name, x) in enumerate(leaves, 1)}
        try:
            result = _run(file, {name: Value(x) for name, x in given.items()}).data
        except (ArithmeticError, ValueError):
            continue
        if isfinite(result) or not shift:
            yield given


# What a student writes.


def _functions(
    file: ScenarioFile, forward: Callable[..., Any] | None, backward: Callable[..., Any]
) -> None:
    """Compare the gradients of `backward`, and the results of `forward` if that is asked for."""
    model = _graph(file)
    asked = model.params or model.inputs
    for given in _places(file):
        if forward is not None:
            got = forward(**given)
            right = _run(file, {name: Value(x) for name, x in given.items()}).data
            if not isinstance(got, (int, float)) or not _same(got, right):
                shown = number(got) if isinstance(got, (int, float)) else described(got)
                raise AssertionError(f"forward returns {shown}; right is {number(right)}")
        fixed = {name: x for name, x in given.items() if name not in asked}
        taken = {name: x for name, x in fixed.items() if name in signature(backward).parameters}
        check_backward(
            lambda fixed=fixed, **leaves: _run(file, {**fixed, **leaves}),
            partial(backward, **taken),
            **{name: given[name] for name in asked},
        )


def _same(got: float, right: float) -> bool:
    """Whether two numbers differ by no more than rounding."""
    return isclose(got, right, rel_tol=1e-9, abs_tol=1e-9)


def _engine(path: str, file: ScenarioFile, engine: Callable[[float], Any], name: str) -> None:
    """Run the graph on a class, and compare all gradients of inputs and parameters."""
    loaded = f"_load({path!r}).{name}"
    for given in _places(file):
        ours = {name: Value(x) for name, x in given.items()}
        right = _run(file, ours)
        right.backward()
        theirs = {name: engine(x) for name, x in given.items()}
        result = _run(file, theirs)
        if not _same(result.data, right.data):
            raise AssertionError(
                f"the result is {number(result.data)}; right is {number(right.data)}"
            )
        result.backward()
        for leaf, made in theirs.items():
            if _same(made.grad, ours[leaf].grad):
                continue
            told = f"{leaf}.grad is {number(made.grad)}; right is {number(ours[leaf].grad)}"
            try:
                _watched(path, _driven(file, loaded, given))
            except AssertionError as error:
                raise AssertionError(f"{error}\n{told}") from None
            raise AssertionError(told)


def _driven(file: ScenarioFile, engine: str, given: Mapping[str, float]) -> str:
    """Return a program that runs the graph on a class, with the names of the scenario."""
    statements = [*_statements(file)]
    used = {name for _, text in statements for name in _names_in(text)}
    functions = used - {*given, *(target for target, _ in statements)}
    return "\n".join(
        (
            "from stepgrad.marking.judging import method as _method",
            *(f"{name} = _method({name!r})" for name in sorted(functions)),
            *(f"{name} = {engine}({x!r})" for name, x in given.items()),
            *(f"{target} = {text}" for target, text in statements),
            f"{_root(file)}.backward()",
        )
    )


def _watched(path: str, program: str) -> None:
    """Run a program that uses a submission; raise an error for the first thing that is wrong."""
    driver = Path("driver.py")
    driver.write_text(
        f"from stepgrad.marking.judging import load as _load\n{program}\n", encoding="utf-8"
    )
    opened = open_typed(str(driver))
    if opened.status:
        raise AssertionError(opened.failure or "it ends with an error")
    result = judge(Path(path).name, opened.recording, strict=True)
    for each in result.findings:
        raise AssertionError(each.text)
    for way in result.ways:
        if not way.ok:
            raise AssertionError(way.odds or way.first or f"the gradient of {way.where} is wrong")
    if result.word != "ok":
        raise AssertionError("it computes no gradient")
