"""A lesson, part by part: a paragraph or a list at a time, with its keys and formulas spoken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from stepgrad.markdown import reader
from stepgrad.replay.lesson.marks import key_of
from stepgrad.replay.telling.spoken import read_out, spoken_key

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

_SIGNS = {
    "–": "the sign for not reached yet", "∅": "the sign for never reached",
    "+=": "plus equals", "=": "equals",
}  # fmt: skip

_BEGINNING = r"(?:^|(?<=[.!?] ))(?:capital|colon|exclamation)\b"
"""A key at the beginning of a sentence."""


@lru_cache(maxsize=8)
def parts(markdown: str) -> Sequence[str]:
    """Return the parts of a lesson, each as one text without marks."""
    from markdown_it.tree import SyntaxTreeNode  # noqa: PLC0415 - many a run has no lesson

    tree = SyntaxTreeNode(reader().parse(markdown))
    return [text for block in tree.children if (text := " ".join(_block(block)))]


def _block(node: SyntaxTreeNode) -> Iterator[str]:
    """Yield the sentences of a block."""
    match node.type:
        case "paragraph":
            yield _text(node)
        case "heading":
            yield f"{_text(node)}."
        case "fence" | "code_block":
            yield from (f"{read_out(line)}." for line in node.content.splitlines() if line.strip())
        case "table":
            yield from _rows(node)
        case _:
            for number, child in enumerate(node.children, 1):
                which = f"{number}: " if node.type == "ordered_list" else ""
                yield f"{which}{' '.join(_block(child))}"


def _rows(table: SyntaxTreeNode) -> Iterator[str]:
    """Yield a sentence for each row of a table: each cell after the heading of its column."""
    head, *rows = ([_text(cell) for cell in row.children]
                   for part in table.children for row in part.children)  # fmt: skip
    for row in rows:
        cells = zip(head, row, strict=True)
        yield f"{', '.join(f'{name}: {cell}' if name else cell for name, cell in cells)}."


def _text(node: SyntaxTreeNode) -> str:
    # Notation may span a span of code and the words beside it: it is read out at the end.
    text = read_out("".join(_spans(node.children)))
    return re.sub(_BEGINNING, lambda word: word[0].capitalize(), text)


def _spans(nodes: Iterable[SyntaxTreeNode]) -> Iterator[str]:
    for node in nodes:
        match node.type:
            case "text":
                yield node.content
            case "code_inline":
                yield read_code(node.content)
            case "softbreak" | "hardbreak":
                yield " "
            case _:
                yield from _spans(node.children)


def read_code(code: str) -> str:
    """Say what a lesson has in type of its own: a key, a text after a key, or notation."""
    if code in _SIGNS:
        return _SIGNS[code]
    key = key_of(code)
    if key is None:
        return code
    return f"{spoken_key(code.removesuffix(key.answer))} {key.answer}".rstrip()
