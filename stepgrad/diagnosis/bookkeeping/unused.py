"""Gradients that a program computes and does not read: again and again (`computed_in_vain`)."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Collection, Iterator

from stepgrad.diagnosis.bookkeeping.flow import flow_of, is_gradient
from stepgrad.diagnosis.data import data_of
from stepgrad.diagnosis.survey import Survey
from stepgrad.engine.tape import Place
from stepgrad.recording.foreign.names import names_gradient
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.titles import made_by

_FEWEST = 3
"""Passes over the same data: fewer may be there to be looked at."""


def computed_in_vain(survey: Survey) -> bool:
    """Whether one line's results are differentiated again and again, and nothing reads a gradient.

    Nothing is updated, gradients are cleared in between, and each row of the data comes several
    times: so each time the same numbers come out.
    """
    recording, passes = survey.recording, survey.passes
    roots = {each.root for each in passes}
    lines = {made_by(recording, recording.node(root)) for root in roots}
    return (
        len(roots) == len(passes)
        and len(lines) == 1
        and all(lines)
        and not any(each.carried for each in passes)
        and not reads_gradients(recording)
        and min(Counter(data_of(survey, each) for each in passes).values()) >= _FEWEST
    )


def reads_gradients(recording: Recording, but: Collection[Place] = ()) -> bool:
    """Whether a program may read a gradient on other lines, or in a file that is not known."""
    trees = {file: flow_of(source).tree for file, source in recording.sources.items()}
    known = {*sys.stdlib_module_names, "stepgrad", "torch"}
    known |= {source.program.removesuffix(".py") for source in recording.sources.values()}
    return any(
        isinstance(each, ast.Import | ast.ImportFrom) and not known.issuperset(_modules(each))
        for tree in trees.values()
        for each in ast.walk(tree)
    ) or any(
        Place(line=line, file=file) not in but for file in trees for line in _reading(trees[file])
    )


def _modules(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    names = [e.name for e in node.names] if isinstance(node, ast.Import) else [node.module or "."]
    return (name.partition(".")[0] for name in names)


def _reading(tree: ast.Module) -> Iterator[int]:
    """Yield the lines that read a gradient, but not those of an engine, whose rules read them."""
    engines = {
        id(part)
        for each in ast.walk(tree)
        if isinstance(each, ast.ClassDef) and _runs_backward(each)
        for part in ast.walk(each)
    }
    for each in ast.walk(tree):
        match each:
            case ast.Constant(value=str(name)) if name == "__dict__" or names_gradient(name):
                yield each.lineno
            case ast.Attribute(attr=name, ctx=ast.Load()) if is_gradient(name):
                if "zero" not in name and id(each) not in engines:
                    yield each.lineno


def _runs_backward(each: ast.ClassDef) -> bool:
    return any(isinstance(e, ast.FunctionDef) and "backward" in e.name for e in each.body)
