"""Losses that a loop computes one by one, of which it keeps the last (`last_only`)."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from stepgrad.diagnosis.bookkeeping.flow import flow_of, is_read
from stepgrad.diagnosis.bookkeeping.updates import line_of
from stepgrad.diagnosis.survey import Pass, Survey
from stepgrad.engine.tape import Place
from stepgrad.recording.blocks import Forward
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.recording.source import Source

_LOOKED_AT = 3
"""The last passes, each of which has to show it, and how far below its root results are alike."""

_BLOCKS = "body", "orelse", "finalbody"


class Last(NamedTuple):
    """A loop gives its results to one name, and only the last is differentiated.

    Args:
        name: the name.
        place: the line that gives it.
        dropped: of each of the last passes, the results that nothing uses.
        seed: the position just after the seed of the last pass.
    """

    name: str
    place: Place
    dropped: Sequence[Sequence[int]]
    seed: int


def last_only(survey: Survey) -> Last | None:
    """Return the first such loop, if the recording shows that results are lost there."""
    recording, passes = survey.recording, survey.passes[-_LOOKED_AT:]
    lines = [
        (Place(line=line, file=file), name)
        for file, source in recording.sources.items()
        for line, name in _replacing(source)
    ]
    if not (lines and survey.steps) or len(passes) < _LOOKED_AT:
        return None
    dropped = [_dropped(survey, each) for each in passes]
    place, name = lines[0]
    return Last(name, place, dropped, passes[-1].seed) if all(dropped) else None


@kept(4)
def _replacing(source: Source) -> Sequence[tuple[int, str]]:
    """Return the lines in loops that set a name to what is differentiated after the loop.

    Nothing reads the name in the loop, which goes on to its end.
    """
    if not source.is_python:
        return []
    blocks = (getattr(e, b, None) for e in ast.walk(flow_of(source).tree) for b in _BLOCKS)
    return [
        found
        for block in blocks
        if isinstance(block, list)
        for at, loop in enumerate(block)
        if isinstance(loop, ast.For)
        for found in _kept_last(loop, block[at + 1 :])
    ]


def _kept_last(loop: ast.For, after: Sequence[ast.stmt]) -> Iterator[tuple[int, str]]:
    inside = [*ast.walk(loop)]
    if any(isinstance(each, ast.Break | ast.Return) for each in inside):
        return
    read = {each.id for each in inside if is_read(each) and isinstance(each, ast.Name)}
    read |= {ast.unparse(each.target) for each in inside if isinstance(each, ast.AugAssign)}
    for each in loop.body:
        match each:
            case ast.Assign(targets=[ast.Name(id=name)]) if name not in read:
                if f"{name}.backward()" in map(ast.unparse, after):
                    yield each.lineno, name


def _dropped(survey: Survey, which: Pass) -> Sequence[int]:
    """Return results like those of a pass, of its own forward pass, which nothing uses.

    They are like its root, else like what that is computed from; parts of the root's own operation
    may be unused, too. They have no computed node in common with it: it does not go on from what
    they have left.
    """
    recording, block = survey.recording, which.block
    begin = survey.passes[which.number - 1].end if which.number else 0
    between = recording.blocks_between(begin, block.start)
    forwards = [each for each in between if isinstance(each, Forward)]
    unused = [
        node
        for forward in forwards
        for node in range(forward.base, forward.end)
        if recording.operation(node)[1]
        and block.column(node) is None
        and not any(each.users(node) for each in forwards)
    ]
    for depth in range(_LOOKED_AT + 1):
        alike = {_origin(recording, node) for node in _below(recording, which.root, depth)}
        if ends := [node for node in unused if _origin(recording, node) in alike]:
            apart = (
                block.column(each) is None or not recording.operation(each)[1]
                for node in ends
                for each in _below(recording, node)
            )
            return ends if all(apart) else []
    return []


def _origin(recording: Recording, node: int) -> tuple[Place | None, object]:
    """The line and the operation of a node."""
    return line_of(recording.node(node).place), recording.operation(node)[0]


def _below(recording: Recording, node: int, depth: int | None = None) -> Sequence[int]:
    """Return a node and what it is computed from, up to a number of operations away."""
    found, level = {node: None}, [node]
    while level and depth != 0:
        level = [each for node in level for each in recording.operation(node)[1]]
        level = [*dict.fromkeys(each for each in level if each not in found)]
        found |= dict.fromkeys(level)
        depth = None if depth is None else depth - 1
    return [*found]
