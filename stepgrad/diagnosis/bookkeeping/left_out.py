"""Parameters that receive gradients and that no update takes along, as a note.

Nothing tells one that was forgotten from one that is frozen. Only leaves count that are like those
that learn: made on the same line or by the same constructor, or cleared in each step. Of PyTorch's
parameters, which the optimizer knows, this is said elsewhere.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from stepgrad.diagnosis.survey import Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.diagnosis.wording import listed
from stepgrad.printable import counted
from stepgrad.recording.blocks import Write
from stepgrad.recording.foreign.remark import PYTORCH
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.recording.source import Source
from stepgrad.syntax import read_program

_FEWEST = 3
"""Passes that bring something, with updates of others in between."""


def left_out(survey: Survey) -> Iterator[Verdict]:
    """Note the leaves that receive something from each pass and are never updated."""
    if found := staying(survey):
        which = survey.passes[-1]
        receive = "receives a gradient" if len(found) == 1 else "receive gradients"
        yield Verdict(
            "wrong_parameters",
            f"{listed(survey.recording, found)} {receive} in all "
            f"{counted(len(survey.passes), 'pass')}, and nothing updates "
            f"{'it' if len(found) == 1 else 'them'}",
            "",
            [which.arrival(found[0])],
            found,
            note=True,
            unless={"wrong_parameters", "lost_update"},
        )


@kept(1)
def staying(survey: Survey) -> Sequence[int]:
    """Return the leaves that are like parameters, receive from each pass, and are not updated."""
    recording, passes = survey.recording, survey.passes
    steps = [step for step in survey.steps if step.passes]
    if min(len(passes), len(steps)) < _FEWEST or any(r.kind in PYTORCH for r in recording.remarks):
        return ()
    updated = {node for step in survey.steps for node in step.before}
    reached = set[int].intersection(
        *({node for node, grad in each.gradients.items() if grad} for each in passes)
    )
    cleared = _cleared(survey)
    alike = {maker for node in updated for maker in _makers(recording, node)}
    return [
        node
        for node in sorted(reached - updated)
        if cleared[node] >= len(steps) - 1 or not alike.isdisjoint(_makers(recording, node))
    ]


def _makers(recording: Recording, node: int) -> Iterator[tuple[str, int]]:
    """Yield the line that makes a leaf, and that of the constructor around it."""
    file, line = recording.node(node).place.file, recording.node(node).place.line
    if file is not None and line is not None:
        yield file, line
        source = recording.sources.get(file)
        first = _constructors(source).get(line) if source else None
        if first is not None:
            yield file, first


@kept(4)
def _constructors(source: Source) -> Mapping[int, int]:
    """Return, of each line in a constructor, the line where the constructor begins."""
    return {
        line: each.lineno
        for each in ast.walk(read_program(source.text))
        if isinstance(each, ast.FunctionDef) and each.name == "__init__"
        for line in range(each.lineno, (each.end_lineno or each.lineno) + 1)
    }


def _cleared(survey: Survey) -> Counter[int]:
    """Count how often the program clears each gradient."""
    found = Counter[int]()
    for block in survey.recording.blocks:
        if isinstance(block, Write) and "zero" in block.writes.kinds:
            found.update(
                node
                for kind, node in zip(block.writes.kinds, block.writes.nodes, strict=True)
                if kind == "zero"
            )
    return found
