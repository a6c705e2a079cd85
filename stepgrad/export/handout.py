"""A derivation to hand out: what happened up to a position, line by line, as Markdown or HTML.

Of a training it is the step of the position. What is too much for paper is left out, and counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby

from markdown_it import MarkdownIt

from stepgrad.engine.notation import atom
from stepgrad.export.picture import Node, Picture, printable
from stepgrad.numbers import factor, gradient, number
from stepgrad.replay.ledger import Contribution, contributions
from stepgrad.replay.narrate import narrate
from stepgrad.replay.state import State
from stepgrad.replay.titles import title
from stepgrad.scenario.expect import Check

LINES = 120
"""How many lines of a section are written out."""

SECTIONS = 12
"""How many phases are written out: a step of many small passes has many."""

TERMS = 8
"""How many terms of a sum are written out: the last ones."""

_HEADINGS = {
    "forward": "Forward pass",
    "backward": "Backward pass",
    "zero": "Gradients cleared",
    "set": "Gradients set",
    "update": "Update",
}


def markdown(state: State, picture: Picture, lesson: str, checks: Sequence[Check]) -> str:
    """Write the hand-out of a position as Markdown, with the tables of GitHub's."""
    lines = [
        f"# {_plain(picture.title)}",
        "",
        _plain(picture.place),
        *_block(lesson.strip().splitlines()),
        *_block(_values(picture)),
        *_phases(state),
        *_block(_sums(state, picture), "Gradients that are sums"),
        *_block(_promises(checks), "Checks"),
    ]
    return "".join(f"{line}\n" for line in lines)


def html(handout: str, picture: Picture, drawing: str) -> str:
    """Make a page of a hand-out, with the drawing below its heading; nothing is loaded from afar.

    HTML within the hand-out is shown as text.
    """
    head, _, rest = handout.partition("\n\n")
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(picture.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"{renderer.render(head)}<figure>\n{drawing}</figure>\n{renderer.render(rest)}"
        f"</body>\n</html>\n"
    )


_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
figure { margin: 1.5rem 0; overflow-x: auto }
figure svg { max-width: 100%; height: auto }
table { border-collapse: collapse }
th, td { padding: .2rem .8rem; border-bottom: 1px solid #8886; text-align: left }
code { font: .9em ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace }
li code { overflow-wrap: anywhere }
@media print {
  body { max-width: none; margin: 0; font-size: 11pt }
  tr, li, figure { break-inside: avoid }
}
"""


def _block(lines: Iterable[str], heading: str = "") -> Iterator[str]:
    """Yield a section, with an empty line before it; nothing where it has no lines."""
    found = list(lines)
    if found:
        yield from ("", f"## {heading}") if heading else ()
        yield from ("", *found)


def _values(picture: Picture) -> Iterator[str]:
    head = ("node", "formula", "value", "gradient", "scope")
    rows = [
        (node.name, node.formula, node.value_text, node.grad_text, node.scope)
        for node in picture.nodes
    ]
    columns = 5 if any(node.scope for node in picture.nodes) else 4
    yield from _table(head[:columns], (tuple(map(_code, row[:columns])) for row in rows))
    if picture.limits:
        yield from ("", f"{_plain(picture.limits)}.")


def _phases(state: State) -> Iterator[str]:
    """Yield a section for each phase of the training step, with a line for each of its events.

    The lines bear the numbers of the events.
    """
    begin, _ = state.step_bounds
    blocks = state.recording.blocks_between(begin, state.position)
    phases = [
        (phase, [range(block.start, block.start + block.length) for block in group])
        for phase, group in groupby(blocks, key=lambda block: block.phase)
        if phase in _HEADINGS
    ]
    for phase, stretches in phases[:SECTIONS]:
        first = max(begin, stretches[0].start)
        last = min(stretches[-1].stop, state.position)
        lines = [
            f"{index + 1}. {_code(str(narrate(state.recording, index)))}"
            for index in range(first, min(last, first + LINES))
        ]
        yield from _block(lines, _HEADINGS[phase])
        yield from _block(_left_out(last - first - LINES, "line"))
    yield from _block(_left_out(len(phases) - SECTIONS, "section"))


def _left_out(count: int, what: str) -> Iterator[str]:
    if count > 0:
        yield f"… and {count:,} more {what}{'s' * (count > 1)}, left out here."


def _sums(state: State, picture: Picture) -> Iterator[str]:
    """Yield how each gradient that several edges paid into in this step came about."""
    begin, _ = state.step_bounds
    for node in picture.nodes:
        paid = contributions(state.recording, node.index, state.position)
        if len(paid) > 1 and paid[0].position > begin:
            yield f"- {_code(_sum(state, node, paid))}"


def _sum(state: State, node: Node, paid: Sequence[Contribution]) -> str:
    """Write a gradient as the sum that it is: of products, and of what those come to."""
    shown = paid[-TERMS:]
    before = state.recording.history.grad(node.index, shown[0].position - 1)
    what = f"after {len(paid) - len(shown):,} edges" if len(paid) > len(shown) else "before"
    start = [f"{number(before)} ({what})"] if before else []
    factors = (f"{factor(each.upstream)}·{factor(each.local)}" for each in shown)
    amounts = (factor(each.amount) for each in shown)
    name = title(state.recording, node.index)
    return (
        f"{atom(name)}.grad = {' + '.join([*start, *factors])}"
        f" = {' + '.join([*start, *amounts])} = {gradient(node.grad)}"
    )


def _promises(checks: Sequence[Check]) -> Iterator[str]:
    rows = (
        (
            _code(check.name),
            _code(number(check.expected)),
            "–" if check.got is None else _code(number(check.got)),
            "✓" if check.ok else "not yet" if check.got is None else "✗",
        )
        for check in checks[:LINES]
    )
    if checks:
        yield from _table(("what", "expected", "got", ""), rows)
        yield from _left_out(len(checks) - LINES, "check")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _code(text: str) -> str:
    """Text as code, so that no character in it is Markdown's; longer marks around backticks."""
    text = printable(text)
    if not text.strip():
        return ""
    longest = max(map(len, re.findall("`+", text)), default=0)
    marks = "`" * (longest + 1)
    space = " " if longest else ""
    return f"{marks}{space}{text}{space}{marks}"


def _plain(text: str) -> str:
    """Text with what Markdown would read as its own marked as plain."""
    return re.sub(r"([\\`*_{}\[\]<>#|~&])", r"\\\1", text)
