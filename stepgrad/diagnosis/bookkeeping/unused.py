"""Gradients that a program computes again and again, and never reads (`computed_in_vain`)."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator

from stepgrad.diagnosis.bookkeeping.flow import flow_of, gradients
from stepgrad.diagnosis.data import data_of
from stepgrad.diagnosis.survey import Survey
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
        and not _reads_gradients(recording)
        and min(Counter(data_of(survey, each) for each in passes).values()) >= _FEWEST
    )


def _reads_gradients(recording: Recording) -> bool:
    """Whether a program may read a gradient, be it in a file that is not known."""
    trees = [flow_of(source).tree for source in recording.sources.values()]
    known = {*sys.stdlib_module_names, "stepgrad", "torch"}
    known |= {source.program.removesuffix(".py") for source in recording.sources.values()}
    return any(
        isinstance(each, ast.Import | ast.ImportFrom) and not known.issuperset(_modules(each))
        for tree in trees
        for each in ast.walk(tree)
    ) or any(map(_reads, trees))


def _modules(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    names = [e.name for e in node.names] if isinstance(node, ast.Import) else [node.module or "."]
    return (name.partition(".")[0] for name in names)


def _reads(tree: ast.Module) -> bool:
    """Whether a gradient is read outside the engine: the rules of one read them in each pass."""
    engines = {
        id(part)
        for each in ast.walk(tree)
        if isinstance(each, ast.ClassDef) and _runs_backward(each)
        for part in ast.walk(each)
    }
    named = (each for each in ast.walk(tree) if isinstance(each, ast.Constant))
    return any(each.value in ("grad", "__dict__") for each in named) or any(
        isinstance(each.ctx, ast.Load) and "zero" not in each.attr and id(each) not in engines
        for each in gradients(tree)
    )


def _runs_backward(each: ast.ClassDef) -> bool:
    return any(isinstance(e, ast.FunctionDef) and "backward" in e.name for e in each.body)
