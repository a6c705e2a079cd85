"""A hand-out as a page for a browser and for paper, with its drawings; it loads nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape
from itertools import groupby, islice, takewhile

from markdown_it.token import Token

from stepgrad.markdown import reader
from stepgrad.replay.state import State

WIDTH = 960
"""Pixels of the text and of the drawings; a drawing this wide is legible on paper too."""

WHOLE = 24
"""The most rows and lines of a section that are kept on one printed page."""

NARROW = 64
"""The mean length of lines that are set in two columns on paper."""

_PARTS = ("table_open", "ordered_list_open", "bullet_list_open")
_ROWS = ("tr_open", "list_item_open")

_STYLE = f"""
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: {WIDTH}px; margin: 2rem auto;
  padding: 0 1rem; overflow-wrap: break-word }}
h1, h2, h3 {{ line-height: 1.2 }}
figure {{ margin: 1.5rem 0; overflow-x: auto }}
figure svg {{ display: block }}
figure svg + svg {{ margin-top: .8rem }}
figcaption {{ font-size: .85em; opacity: .8 }}
table {{ border-collapse: collapse }}
th, td {{ padding: .15rem .8rem .15rem 0; border-bottom: 1px solid #8886; text-align: left;
  vertical-align: top }}
code {{ font: .9em ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace }}
ol {{ padding: 0 }}
ol > li {{ margin-left: calc((var(--digits, 1) + 2) * 1ch); font-variant-numeric: tabular-nums }}
td code, li code {{ overflow-wrap: anywhere }}
.number {{ text-align: right }}
.number code {{ white-space: nowrap; font-variant-numeric: tabular-nums }}
pre {{ overflow-x: auto }}
@page {{ margin: 13mm }}
@media print {{
  :root {{ color-scheme: light }}
  body {{ max-width: none; margin: 0; padding: 0; font-size: 9.5pt; line-height: 1.3 }}
  h1 {{ font-size: 15pt; margin: 0 0 .6em }}
  h2, h3 {{ font-size: 11pt; margin: .9em 0 .4em; break-after: avoid }}
  p {{ margin: .5em 0; orphans: 3; widows: 3 }}
  ol, ul {{ margin: .3em 0 }}
  figure {{ margin: .7em 0; overflow: visible }}
  figure svg {{ max-width: 100%; max-height: 66vh; height: auto }}
  table, li {{ font-size: 8pt; line-height: 1.2 }}
  figcaption {{ font-size: 7.5pt; break-before: avoid }}
  .long {{ font-size: 7pt; line-height: 1.25 }}
  .long code {{ font-size: 1em }}
  th, td {{ padding: .05em 1.2em .05em 0 }}
  tr, li, figure svg, figcaption, .whole {{ break-inside: avoid }}
  .lines, .short {{ columns: 2; column-gap: 6mm }}
  .short :is(table, li, p) {{ font-size: 7pt; line-height: 1.15 }}
  .short :is(h2, h3) {{ font-size: 9.5pt; margin: .6em 0 .3em }}
  .short :is(th, td) {{ padding-block: 0 }}
  .short > :first-child {{ margin-top: 0 }}
  .sheet :is(.short, .lines) {{ columns: 1 }}
  .sheet :is(table, li, p) {{ font-size: 10pt; line-height: 2.2 }}
  .sheet li p {{ margin: 0 }}
  .sheet :is(h2, h3) {{ font-size: 11pt; margin: 1em 0 .4em }}
  .sheet figure svg {{ width: 100%; max-height: 45vh }}
}}
"""


def page(
    title: str, handout: Iterable[str | State], draw: Callable[[State, str], str], kind: str = ""
) -> Iterator[str]:
    """Yield a page, piece by piece; `draw` draws a state as a figure, given a key for its marks.

    HTML within the hand-out is shown as text. Each heading opens a section, which ends before the
    next one of its level. A page of the `kind` "sheet" has room to write by hand.
    """
    markdown = reader()
    levels: list[int] = []
    yield (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body{kind and f' class={kind}'}>\n"
    )
    for number, (text, pieces) in enumerate(groupby(handout, lambda each: isinstance(each, str))):
        if text:
            tokens = markdown.parse("\n".join(map(str, pieces)))
            short = _mark(tokens) <= WHOLE and number > 0 and not levels
            tokens = [*_sectioned(tokens, levels)]
            body = markdown.renderer.render(tokens, markdown.options, {})
            if short:  # all of it is below the drawing, in two columns on paper
                body = f'<div class="short">\n{body}{"</section>" * len(levels)}</div>\n'
                levels.clear()
            yield body
        else:
            yield from (draw(each, str(number)) for each in pieces if isinstance(each, State))
    yield f"{'</section>' * len(levels)}\n</body>\n</html>\n"


def _mark(tokens: Sequence[Token]) -> int:
    """Prepare tokens for the style sheet: classes, and the places where code may break.

    Returns the most rows or lines of a part.
    """
    parts = [
        (token, [*_until_closed(tokens, place)])
        for place, token in enumerate(tokens)
        if token.type in _PARTS
    ]
    sizes = [sum(each.type in _ROWS for each in inner) for _, inner in parts]
    for (part, inner), size in zip(parts, sizes, strict=True):
        if max(sizes) > WHOLE:
            narrow = part.type == "ordered_list_open" and size > 2 and _narrow(inner)
            part.attrSet("class", "long lines" if narrow else "long")
        if part.type == "ordered_list_open":
            last = max(len(each.info) for each in inner)
            part.attrSet("style", f"--digits: {last}")
    for token in tokens:
        if token.type in ("th_open", "td_open") and token.attrs.pop("style", ""):
            token.attrSet("class", "number")
        for code in token.children or ():
            if code.type == "code_inline":  # names with scopes are long: they break at a slash
                code.type = "html_inline"
                code.content = f"<code>{escape(code.content).replace('/', '/<wbr>')}</code>"
    return max(sizes, default=0)


def _until_closed(tokens: Sequence[Token], place: int) -> Iterator[Token]:
    """Yield the tokens within the one at a place."""
    level = tokens[place].level
    return takewhile(lambda each: each.level > level, islice(tokens, place + 1, None))


def _narrow(tokens: Iterable[Token]) -> bool:
    """Whether the lines of a list mostly fit into half the width of a page."""
    lengths = [len(each.content) for each in tokens if each.type == "inline"]
    return sum(lengths) <= NARROW * len(lengths)


def _sectioned(tokens: Sequence[Token], levels: list[int]) -> Iterator[Token]:
    """Yield tokens with each part below a heading in a section; `levels` are those open."""
    for place, token in enumerate(tokens):
        if token.type == "heading_open" and token.level == 0 and token.tag != "h1":
            level = int(token.tag[1:])
            while levels and levels[-1] >= level:
                levels.pop()
                yield _html("</section>\n")
            levels.append(level)
            whole = ' class="whole"' if _size(islice(tokens, place + 3, None)) <= WHOLE else ""
            yield _html(f"<section{whole}>\n")
        yield token


def _size(tokens: Iterable[Token]) -> int:
    """Return how many rows and paragraphs come before the next heading."""
    part = takewhile(lambda each: each.type != "heading_open", tokens)
    return sum(each.type in (*_ROWS, "paragraph_open") for each in part)


def _html(text: str) -> Token:
    return Token("html_block", "", 0, content=text)
