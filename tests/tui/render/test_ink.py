"""Text in cells."""

from itertools import pairwise
from math import inf, nan

import pytest
from hypothesis import given
from rich.cells import cell_len
from textual.color import Color

from odd_runs import ODD_NAMES, odd_names, widths
from stepgrad.printable import printable
from stepgrad.tui.render import ink


@given(odd_names, widths)
def test_fit_fills_its_cells_exactly(text: str, width: int) -> None:
    fitted = ink.fit(text, width)
    assert cell_len(fitted) == width
    assert fitted.isprintable()


@pytest.mark.parametrize(
    ("text", "width", "fitted"),
    [
        ("h", 3, "h  "),
        ("hidden", 6, "hidden"),
        ("hidden", 4, "hid…"),
        ("hidden", 1, "…"),
        ("hidden", 0, ""),
        ("hidden", -3, ""),
        ("重み", 4, "重み"),
        ("重み", 3, "重…"),
        ("重み", 2, " …"),
        ("two\nlines", 9, "two lines"),
        ("[bold]x[/]", 10, "[bold]x[/]"),
    ],
)
def test_fit(text: str, width: int, fitted: str) -> None:
    assert ink.fit(text, width) == fitted


@given(odd_names, widths)
def test_a_name_fills_its_cells_exactly(name: str, width: int) -> None:
    fitted = ink.fit_name(name, width)
    assert cell_len(fitted) == width
    assert fitted.isprintable()


@pytest.mark.parametrize(
    ("name", "width", "fitted"),
    [
        ("h", 3, "h  "),
        ("hidden", 6, "hidden"),
        ("hidden", 1, "…"),
        ("hidden", 0, ""),
        ("hidden", -3, ""),
        ("cross_entropy_loss", 9, "cros…loss"),
        ("model.layers[0]/attention/head0/q", 12, "…ion/head0/q"),
        ("model.layers[0]/attention/head0/q", 2, "…q"),
        ("net.layers[1].weight[2,3]", 14, "…].weight[2,3]"),
        ("state['wte'][0][12]", 10, "st…[0][12]"),
        ("layer1/ws[3]", 8, "…1/ws[3]"),
        ("layer1/weights[3]", 8, "wei…s[3]"),
        ("ws[3]", 4, "…[3]"),
        ("ws[3]", 3, "…3]"),
        ("a[0]·bias[3]", 8, "a[0…s[3]"),
        ("… + row3/error", 12, "… + …3/error"),
        ("… + w3·layer1/h", 14, "… + w3·l…er1/h"),
        ("… + row3/error", 8, "… +…rror"),
        ("blocks/0/expand/linear (2×6)", 20, "…expand/linear (2×6)"),
        ("0.25·x + layer/b", 9, "0.25…er/b"),
        ("重み", 4, "重み"),
        ("重み", 3, "…  "),
        ("two\nlines", 9, "two lines"),
    ],
)
def test_of_a_name_the_end_stays(name: str, width: int, fitted: str) -> None:
    assert ink.fit_name(name, width) == fitted


@given(odd_names)
def test_a_line_is_one_line_and_no_markup(text: str) -> None:
    assert ink.line((text, ink.NAME)).plain == printable(text)


def test_lines_keep_apart() -> None:
    assert ink.lines([("a", ""), ("b", ink.NAME)], [], [("c\n", "")]).plain == "ab\n\nc "


@pytest.mark.parametrize("text", ODD_NAMES)
def test_what_is_printable_stays(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(printable(text)) == printable(text)


@pytest.mark.parametrize(
    ("x", "style"),
    [
        (None, ink.QUIET),
        (0.0, ink.QUIET),
        (-0.0, ink.QUIET),
        (nan, ink.BROKEN),
        (inf, ink.BROKEN),
        (-inf, ink.BROKEN),
        (5e-324, ink.POSITIVE),
        (-1.0, ink.NEGATIVE),
    ],
)
def test_sign(x: float | None, style: str) -> None:
    assert ink.sign(x) == style


@pytest.mark.parametrize("dark", [True, False])
def test_without_colours_the_two_sides_are_told_apart_by_lightness(dark: bool) -> None:
    greys = {name: Color.parse(grey).brightness for name, grey in ink.greys(dark=dark).items()}
    scale = [greys[ink.shade(x)[1:]] for x in (-1.0, -0.5, -0.1, 0.1, 0.5, 1.0)]
    steps = [after - before for before, after in pairwise(scale)]
    assert all((step if dark else -step) > 0.05 for step in steps)
