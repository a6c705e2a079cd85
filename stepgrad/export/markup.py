"""Markdown in which no text is taken for markup; tables are GitHub's."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence

from markdown_it import MarkdownIt

from stepgrad.printable import printable

_ROUNDS = 8  # what was HTML becomes paragraphs, which may contain HTML in turn
_BRACKETS = re.compile(
    r"""\\.                                       # what is plain already,
    | (?<!`)(`+)(?!`) .*? (?<!`)\1(?!`)          # code,
    | <[A-Za-z][A-Za-z0-9+.-]+:[^\s<>]*>         # and links keep their brackets
    | <(?=[A-Za-z/!?])""",
    re.DOTALL | re.VERBOSE,
)


def block(lines: Iterable[str]) -> Iterator[str]:
    """Yield an empty line, then lines; nothing if there are none."""
    found = list(lines)
    if found:
        yield from ("", *found)


def section(heading: str, level: int, lines: Iterable[str]) -> Iterator[str]:
    """Yield lines under a heading; nothing if there are none."""
    found = [*block(lines)]
    if found:
        yield from ("", f"{'#' * level} {heading}", *found)


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Container[str]
) -> Iterator[str]:
    """Yield the lines of a table; the columns of `numbers` are aligned right."""
    yield f"| {' | '.join(head)} |"
    yield f"|{''.join('---:|' if each in numbers else '---|' for each in head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def code(text: str) -> str:
    """Mark text as code, where no character is markup; the marks outnumber its backticks."""
    text = printable(text)
    if not text.strip():
        return ""
    longest = max(map(len, re.findall("`+", text)), default=0)
    marks = "`" * (longest + 1)
    space = " " if longest or text[0] == text[-1] == " " else ""  # a reader takes one pair off
    return f"{marks}{space}{text}{space}{marks}"


def plain(text: str) -> str:
    """Escape the characters that Markdown would read as markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|~&])", r"\\\1", text)


def without_html(text: str) -> str:
    """Return a Markdown text in which HTML is marked as plain text."""
    for _ in range(_ROUNDS):
        blocks = [*_with_html(text)]
        if not blocks:
            return text
        lines = text.split("\n")
        for first, end in blocks:
            block = "\n".join(lines[first:end])
            lines[first:end] = _BRACKETS.sub(_plain_bracket, block).split("\n")
        text = "\n".join(lines)
    return text.replace("<", "&lt;")


def _with_html(text: str) -> Iterator[tuple[int, int]]:
    """Yield the lines, from and up to, of each block with HTML in it."""
    for token in MarkdownIt("commonmark").parse(text):
        inline = (child.type == "html_inline" for child in token.children or ())
        if token.map is not None and (token.type == "html_block" or any(inline)):
            yield token.map[0], token.map[1]


def _plain_bracket(match: re.Match[str]) -> str:
    return "\\<" if match[0] == "<" else match[0]


def demoted(text: str) -> Sequence[str]:
    """Return the lines of a Markdown text with its headings one level down, below the title."""
    lines = without_html(text.strip()).splitlines()
    for token in MarkdownIt("commonmark").parse("\n".join(lines)):
        if token.type != "heading_open" or token.map is None:
            continue
        first, end = token.map
        if token.markup == "=":
            lines[end - 1] = lines[end - 1].replace("=", "-")
        elif token.markup[0] == "#" and len(token.markup) < 6:
            lines[first] = lines[first].replace("#", "##", 1)
    return lines
