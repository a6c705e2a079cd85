"""The style sheet of a picture: sizes, and colours for a light and a dark background."""

from __future__ import annotations

from collections.abc import Mapping

from stepgrad.drawing import colours

TITLE, TEXT, LABEL = 17, 13, 11
"""Font sizes in pixels: the heading, the text in and around boxes, the labels on wires."""

_SHAPES = f"""
text {{ font: {TEXT}px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  white-space: pre }}
text.title {{ font-size: {TITLE}px; font-weight: bold }}
text.name, text.event {{ font-weight: bold }}
text.name tspan {{ font-weight: normal }}
text.number, text.source {{ text-anchor: end }}
text.label, text.scope {{ font-size: {LABEL}px }}
text.broken {{ font-weight: bold; text-decoration: underline }}
.box {{ stroke-width: 1.2 }}
.box.focus {{ stroke-width: 2.6 }}
.box.waiting {{ stroke-dasharray: 4 3 }}
.wire, .gap {{ fill: none }}
.gap {{ stroke-width: 6 }}
.wire {{ stroke-width: 1.2 }}
.wire.backward, .wire.tangent {{ stroke-width: 2 }}
.wire.current {{ stroke-width: 3.2 }}
.wire.waiting, .wire.open {{ stroke-dasharray: 4 3 }}
"""

LIGHT = {**colours.LIGHT, "ground": "#ffffff", "box": "#f6f8fa", "ink": "#1f2328"}
DARK = {**colours.DARK, "ground": "#121212", "box": "#1d2026", "ink": "#e6e6e6"}
LIGHT |= {"quiet": "#59636e", "line": "#8c959f", "broken": "#b3261e"}
DARK |= {"quiet": "#9aa4af", "line": "#6e7681", "broken": "#ff7b72"}


def _colours(of: Mapping[str, str]) -> str:
    stroke = {"tangent": "forward", "backward": "backward", "current": "current"}
    inks = ("quiet", "positive", "negative", "broken", "current")
    return "\n".join(
        (
            f"text {{ fill: {of['ink']} }}",
            *(f"text.{each}, tspan.{each} {{ fill: {of[each]} }}" for each in inks),
            f"text.zero, text.waiting {{ fill: {of['quiet']} }}",
            f"text.event, text.focus {{ fill: {of['current']} }}",
            f".ground {{ fill: {of['ground']} }}",
            f".gap {{ stroke: {of['ground']} }}",
            f".box {{ fill: {of['box']}; stroke: {of['line']} }}",
            f".box.focus {{ stroke: {of['current']} }}",
            f".wire {{ stroke: {of['line']} }}",
            f".tip {{ fill: {of['line']} }}",
            *(f".wire.{each} {{ stroke: {of[ink]} }}" for each, ink in stroke.items()),
            *(f".tip.{each} {{ fill: {of[ink]} }}" for each, ink in stroke.items()),
        )
    )


_ON_DARK = f"@media screen and (prefers-color-scheme: dark) {{\n{_colours(DARK)}\n}}"

STYLE = f"{_SHAPES}{_colours(LIGHT)}\n{_ON_DARK}\n"
