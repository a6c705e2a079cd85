"""Themes: our own beside Textual's, and what our colours are in each."""

from __future__ import annotations

from collections.abc import Mapping

from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from stepgrad.drawing import colours
from stepgrad.errors import StepgradError, suggest
from stepgrad.tui.render import ink

_PALETTES = {
    "high-contrast": colours.HIGH_CONTRAST,
    "high-contrast-light": colours.HIGH_CONTRAST_LIGHT,
    "colour-blind": colours.COLOUR_BLIND,
    "colour-blind-light": colours.COLOUR_BLIND_LIGHT,
}


def _own(name: str, *, muted: str, rule: str, panel: str) -> Theme:
    """A theme of ours, on black or on white."""
    dark = not name.endswith("-light")
    background, foreground = ("#000000", "#ffffff") if dark else ("#ffffff", "#000000")
    return Theme(
        name=name,
        primary=_PALETTES[name]["positive"],
        accent=_PALETTES[name]["current"],
        foreground=foreground,
        background=background,
        surface=background,
        panel=panel,
        dark=dark,
        variables={"foreground-muted": muted, "text-muted": muted, "rule": rule},
    )


OURS = {
    theme.name: theme
    for theme in (
        _own("high-contrast", muted="#d8d8d8", rule="#b0b0b0", panel="#1c1c1c"),
        _own("high-contrast-light", muted="#303030", rule="#505050", panel="#e8e8e8"),
        _own("colour-blind", muted="#a8a8a8", rule="#505050", panel="#242424"),
        _own("colour-blind-light", muted="#5a5a5a", rule="#b0b0b0", panel="#ececec"),
    )
}
"""Our own themes by name; Textual has none like them."""


class ThemeError(StepgradError):
    """A theme that does not exist; says which one was probably meant."""


def check_theme(name: str) -> None:
    """Make sure that there is such a theme.

    Raises:
        ThemeError: there is no such theme.
    """
    known = [*BUILTIN_THEMES, *OURS]
    if name not in known:
        raise ThemeError(f"no theme `{name}`{suggest(name, known)}; choose from {', '.join(known)}")


def variables(theme: Theme, *, no_color: bool = False) -> dict[str, str]:
    """Return our own colours in a theme; without colours, areas are grey."""
    found = theme.to_color_system().generate()
    background = found["background"]
    rule = Color.parse(found["foreground"]).with_alpha(0.25).hex
    if theme.ansi:  # the terminal's own colours, which are not known
        background, rule = ink.BACKGROUNDS[theme.dark], found["foreground"]
    named = palette(theme)
    shades = ink.greys(dark=theme.dark) if no_color else ink.shades(named, background)
    return {"rule": rule, **named, **shades}


def palette(theme: Theme) -> Mapping[str, str]:
    """Return the colours of a theme by meaning."""
    return _PALETTES.get(theme.name, colours.DARK if theme.dark else colours.LIGHT)
