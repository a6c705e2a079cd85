"""A replay within another page: a frame of its own, so that no name or style leaks out or in."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

HEIGHT = 720
"""Pixels of the frame."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A page that shows itself in a notebook."""

    page: str
    title: str
    height: int = HEIGHT

    def _repr_html_(self) -> str:
        return embedded(self.page, self.title, self.height)


def embedded(page: str, title: str, height: int = HEIGHT) -> str:
    """Return HTML that shows a page in a frame, which carries the page: there is no other file."""
    return (
        f'<iframe srcdoc="{escape(page)}" title="{escape(title)}" loading="lazy" '
        f'style="width: 100%; height: {height}px; border: 0; color-scheme: auto"></iframe>'
    )
