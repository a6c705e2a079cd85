"""A lesson: its Markdown as lines of text, for any width."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from stepgrad.markdown import reader
from stepgrad.replay.commands.hints import Keymap
from stepgrad.replay.commands.table import KEYS
from stepgrad.replay.lesson.marks import Key, key_of, shown
from stepgrad.tui.render import ink

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

_GAP = 2
"""Cells between two columns of a table."""

_LEAST = 4
"""The fewest cells of a column of a table."""

_STYLES = {"strong": ink.NAME, "em": "italic", "th": ink.NAME, "heading": ink.NAME, "s": "strike"}


CODE = "italic"
"""The style of code that is neither a key nor a place."""

Code = Callable[[str], ink.Span]
"""How a code span is shown; asked once for each, in their order."""

Finish = Callable[[Content], Content]
"""What is done to each block of text, before it is wrapped."""


def code_span(code: str, keys: Keymap = KEYS) -> ink.Span:
    """Show a key as someone with these keys has to read it, and anything else as code."""
    key = key_of(code)
    return shown(code, keys), CODE if key is None else f"{ink.CURRENT} {pressing(key)}"


def pressing(key: Key) -> str:
    """The style of a key that a click presses."""
    return ink.doing("type", f"{key.command.keys[0]}{key.answer}")


def lesson(
    markdown: str, width: int, code: Code = code_span, finish: Finish = lambda text: text
) -> Sequence[Content]:
    """Return the lines of a lesson, each of up to `width` cells."""
    from markdown_it.tree import SyntaxTreeNode  # noqa: PLC0415 - many a run has no lesson

    parsed = SyntaxTreeNode(reader().parse(markdown)).children
    return _Page(code, finish).blocks(parsed, max(width, 8))


class _Page:
    """Lays out the blocks of a text."""

    def __init__(self, code: Code, finish: Finish) -> None:
        self._code = code
        self._finish = finish

    def blocks(self, nodes: Iterable[SyntaxTreeNode], width: int) -> list[Content]:
        """Put blocks below each other, with a blank line between them except in a tight list."""
        lines: list[Content] = []
        tight = True
        for node in nodes:
            lines += [] if tight else [Content()]
            lines += self._block(node, width)
            tight = node.type == "paragraph" and node.hidden
        return lines

    def _block(self, node: SyntaxTreeNode, width: int) -> list[Content]:
        match node.type:
            case "paragraph" | "heading":
                return self._text(node, _STYLES.get(node.type, "")).wrap(width)
            case "bullet_list" | "ordered_list":
                return list(self._items(node, width))
            case "blockquote":
                return _hung("│ ", "│ ", self.blocks(node.children, width - 2))
            case "table":
                return list(self._table(node, width))
            case "hr":
                return [Content.styled("─" * width, ink.QUIET)]
            case _:  # code, which keeps its lines
                text = (ink.line((line, ink.CURRENT)) for line in node.content.splitlines())
                return _hung("  ", "  ", [part for line in text for part in line.fold(width - 2)])

    def _items(self, items: SyntaxTreeNode, width: int) -> Iterator[Content]:
        """Yield the items of a list, after their marks."""
        first = int(items.attrs.get("start", 1))
        ordered = items.type == "ordered_list"
        marks = [f"{first + i}. " if ordered else "• " for i in range(len(items.children))]
        room = max(map(len, marks))
        for i, (mark, item) in enumerate(zip(marks, items.children, strict=True)):
            loose = any(each.type == "paragraph" and not each.hidden for each in item.children)
            if i and loose:
                yield Content()
            yield from _hung(
                f"{mark:>{room}}", " " * room, self.blocks(item.children, width - room)
            )

    def _table(self, table: SyntaxTreeNode, width: int) -> Iterator[Content]:
        """Yield the rows of a table; where it is too wide, its widest columns are wrapped."""
        rows = [[self._text(cell, _STYLES.get(cell.type, "")) for cell in row.children]
                for part in table.children for row in part.children]  # fmt: skip
        widths = [max(cell.cell_length for cell in column) for column in zip(*rows, strict=True)]
        while sum(widths) + _GAP * (len(widths) - 1) > width and max(widths) > _LEAST:
            widths[widths.index(max(widths))] -= 1
        for row in rows:
            cells = [cell.wrap(max(room, 1)) for cell, room in zip(row, widths, strict=True)]
            for y in range(max(map(len, cells))):
                parts = [lines[y] if y < len(lines) else Content() for lines in cells]
                padded = (
                    part.pad_right(room - part.cell_length)
                    for part, room in zip(parts, widths, strict=True)
                )
                yield Content(" " * _GAP).join(padded).rstrip()

    def _text(self, node: SyntaxTreeNode, style: str) -> Content:
        """The text of a block, in its styles."""
        return self._finish(ink.lines(*map(list, _split(self._spans(node, style)))))

    def _spans(self, node: SyntaxTreeNode, style: str) -> Iterator[ink.Span]:
        match node.type:
            case "text":
                yield node.content, style
            case "code_inline":
                text, own = self._code(node.content)
                yield text, f"{style} {own}".strip()
            case "softbreak":
                yield " ", style
            case "hardbreak":
                yield "\n", ""
            case _:
                inner = f"{style} {_STYLES.get(node.type, '')}".strip()
                for child in node.children:
                    yield from self._spans(child, inner)
                if node.type == "link" and (target := str(node.attrs["href"])) not in (
                    child.content for child in node.children
                ):
                    yield f" ({target})", ink.QUIET


def _hung(first: str, further: str, lines: Sequence[Content]) -> list[Content]:
    """Put something quiet before the first line, and something before each other line."""
    return [
        Content.styled(further if i else first, ink.QUIET) + line
        for i, line in enumerate(lines or [Content()])
    ]


def _split(spans: Iterable[ink.Span]) -> Iterator[list[ink.Span]]:
    """Divide spans into lines at the line breaks."""
    line: list[ink.Span] = []
    for span in spans:
        if span[0] == "\n":
            yield line
            line = []
        else:
            line.append(span)
    yield line
