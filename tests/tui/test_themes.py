"""Themes: legible, and told apart by every eye."""

from __future__ import annotations

from itertools import combinations
from math import hypot

import pytest
from textual.color import Color
from textual.style import Style
from textual.theme import BUILTIN_THEMES

from screens import press
from stepgrad.drawing import colours
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.tui.app import DebuggerApp
from stepgrad.tui.dialogs.places import Places
from stepgrad.tui.render import ink
from stepgrad.tui.themes import OURS, palette, variables

MEANINGS = [name for name in colours.DARK if name != "selected"]

EYES = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}  # fmt: skip
"""What becomes of linear red, green and blue (Machado, Oliveira and Fernandes 2009)."""


def linear(colour: str) -> list[float]:
    """Red, green and blue, from 0 to 1, in proportion to the light."""
    shares = (each / 255 for each in Color.parse(colour).rgb)
    return [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in shares]


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG: 4.5 is legible, 7 is legible with weak eyes."""
    lights = (
        sum(w * x for w, x in zip((0.2126, 0.7152, 0.0722), linear(each), strict=True))
        for each in (one, other)
    )
    dark, light = sorted(lights)
    return (light + 0.05) / (dark + 0.05)


def lab(colour: str, eye: str) -> list[float]:
    """A colour in CIELAB, as an eye sees it."""
    rgb = linear(colour)
    seen = [sum(w * x for w, x in zip(row, rgb, strict=True)) for row in EYES[eye]]
    r, g, b = (min(max(each, 0.0), 1.0) for each in seen)
    xyz = (
        (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047,
        0.2126 * r + 0.7152 * g + 0.0722 * b,
        (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883,
    )
    x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in xyz)
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]


def difference(one: str, other: str, eye: str) -> float:
    """The distance in CIELAB: 10 is seen at a glance."""
    pairs = zip(lab(one, eye), lab(other, eye), strict=True)
    return hypot(*(a - b for a, b in pairs))


def seen_in(name: str) -> dict[str, str]:
    """Every colour of a theme."""
    app = DebuggerApp(theme=name)
    return app.get_css_variables()


@pytest.mark.parametrize(
    ("name", "least"),
    [("textual-dark", 4.5), ("textual-light", 4.5), ("colour-blind", 4.5),
     ("colour-blind-light", 4.5), ("high-contrast", 7), ("high-contrast-light", 7)],
)  # fmt: skip
def test_every_colour_is_legible(name: str, least: float) -> None:
    seen = seen_in(name)
    for meaning in MEANINGS:
        assert contrast(seen[meaning], seen["background"]) >= least, meaning
        assert contrast(seen[meaning], seen["panel"]) >= least, meaning
        if name in OURS:
            assert contrast(seen[meaning], seen["selected"]) >= min(least, 4.5), meaning
    if name in OURS:
        assert contrast(seen["foreground-muted"], seen["background"]) >= least


@pytest.mark.parametrize("name", ["colour-blind", "colour-blind-light"])
@pytest.mark.parametrize("eye", EYES)
def test_every_eye_tells_signs_and_phases_apart(name: str, eye: str) -> None:
    seen = palette(OURS[name])
    assert difference(seen["positive"], seen["negative"], eye) > 40
    for one, other in combinations(("forward", "backward", "writing", "current"), 2):
        assert difference(seen[one], seen[other], eye) > 20, (one, other)


@pytest.mark.parametrize("name", [*BUILTIN_THEMES, *OURS])
def test_shades_of_a_plane_begin_at_the_background_of_the_theme(name: str) -> None:
    theme = {**BUILTIN_THEMES, **OURS}[name]
    found = variables(theme)
    assert {f"{side}-{i}" for side in ("positive", "negative") for i in range(3)} <= set(found)
    ground = Color.parse("#121212" if theme.ansi else seen_in(name)["background"])
    if not (theme.ansi and not theme.dark):
        pale = ground.blend(Color.parse(found["positive"]), 0.3)
        assert found["positive-0"] == pale.hex


@pytest.mark.parametrize("name", ["textual-dark", "textual-light", *OURS])
async def test_a_chosen_line_of_a_report_has_the_background_of_a_selection(name: str) -> None:
    scenario = open_scenario("two_layer")
    app = DebuggerApp(record_file(scenario), scenario, theme=name)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "G", "y")
        places = app.screen.query_one(Places)
        style = places.get_component_rich_style("option-list--option-highlighted")
        assert style.bgcolor is not None
        assert style.bgcolor.name == Color.parse(app.theme_variables["selected"]).hex.lower()


@pytest.mark.parametrize("name", [*BUILTIN_THEMES, *OURS])
def test_a_rule_is_as_quiet_within_a_title_as_beside_it(name: str) -> None:
    """A text and the style sheet read a variable in different ways."""
    rule = seen_in(name)["rule"]
    assert Style.parse(ink.RULE, {"rule": rule}).foreground == Color.parse(rule)


async def test_a_theme_of_ours_opens() -> None:
    for name in OURS:
        async with DebuggerApp(theme=name).run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            assert pilot.app.theme == name
