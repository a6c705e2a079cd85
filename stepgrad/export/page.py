"""A hand-out as a page for a browser, with its drawings; nothing is loaded from afar."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from html import escape
from itertools import groupby

from markdown_it import MarkdownIt

from stepgrad.replay.state import State

WIDTH = 960
"""Pixels of the text and the drawings: on paper too, those can be read."""

_STYLE = f"""
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: {WIDTH}px; margin: 2rem auto;
  padding: 0 1rem }}
figure {{ margin: 1.5rem 0; overflow-x: auto }}
table {{ border-collapse: collapse }}
th, td {{ padding: .2rem .8rem; border-bottom: 1px solid #8886; text-align: left }}
code {{ font: .9em ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace }}
td code, li code {{ overflow-wrap: anywhere }}
@media print {{
  body {{ max-width: none; margin: 0; padding: 0; font-size: 10pt }}
  figure svg {{ max-width: 100%; max-height: 95vh; height: auto }}
  tr, li, figure {{ break-inside: avoid }}
  h1, h2, h3 {{ break-after: avoid }}
}}
"""


def page(
    title: str, handout: Iterable[str | State], draw: Callable[[State, str], str]
) -> Iterator[str]:
    """Yield a page, piece by piece; `draw` draws a state, given a key for its marks.

    HTML within the hand-out is shown as text.
    """
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    yield (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
    )
    for number, (text, pieces) in enumerate(groupby(handout, lambda each: isinstance(each, str))):
        if text:
            yield renderer.render("\n".join(map(str, pieces)))
        else:
            drawings = (draw(each, str(number)) for each in pieces if isinstance(each, State))
            yield from (f"<figure>\n{drawing}</figure>\n" for drawing in drawings)
    yield "</body>\n</html>\n"
