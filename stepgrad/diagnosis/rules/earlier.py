"""What an earlier backward pass has left, and a later one adds to (`earlier`)."""

from __future__ import annotations

import ast
from dataclasses import replace

from stepgrad.diagnosis.rules.faults import Fault
from stepgrad.diagnosis.rules.lines import Lines
from stepgrad.diagnosis.rules.words import Words
from stepgrad.diagnosis.rules.wrote import Wrote, made_of
from stepgrad.engine.tape import Place
from stepgrad.recording.foreign.sweep import ForeignBackward
from stepgrad.recording.recording import Recording


def earlier(recording: Recording, block: ForeignBackward, wrote: Wrote) -> Fault:
    """Say that a node still has a gradient, or that a rule of another graph runs again."""
    words, lines = Words(recording), Lines(recording)
    if wrote.out in made_of(recording, block.root):
        text = words.not_cleared(wrote.node, wrote.before)
        place = lines.beginning(block)
        return Fault("not cleared", wrote.position, text, (wrote.node,), place)
    place = _keeping(lines, block.place(0)) or lines.loop(block, wrote.place)
    return Fault("left over", wrote.position, words.left_over(wrote.out), (wrote.out,), place)


def _keeping(lines: Lines, place: Place) -> Place | None:
    """The line of the function around a line, if one of its defaults is a list or the like."""
    for function in lines.around(place)[-1:]:
        given = function.args
        if any(map(_is_container, (*given.defaults, *given.kw_defaults))):
            return replace(place, line=function.lineno)
    return None


def _is_container(default: ast.expr | None) -> bool:
    match default:
        case ast.List() | ast.Set() | ast.Dict():
            return True
        case ast.Call(func=ast.Name(id="list" | "set" | "dict")):
            return True
    return False
