"""A row of the tape, and every state of a gradient."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odd_runs import WIDTHS, at, odd_names, odd_sessions, widths
from replay_runs import training, two_layer
from stepgrad import Cursor, Value, record
from stepgrad.replay.commands import stopping
from stepgrad.replay.commands.searching import search
from stepgrad.replay.graph.contents import Node
from stepgrad.replay.graph.outline import ScopeLine
from stepgrad.replay.session import Session
from stepgrad.tui.render import ink
from stepgrad.tui.render.tape import bar, headings, scope_row, tape_row

TWO_LAYER = two_layer()
H = TWO_LAYER.first_named("h")
END = TWO_LAYER.length


def row(session: Session, name: str, width: int = 44) -> str:
    return tape_row(session, session.recording.first_named(name), width).plain


@pytest.mark.parametrize(
    ("position", "name", "expected"),
    [
        (0, "h", "  h"),
        (9, "h", "▶ h                        1.5          –"),
        (END, "h", "  h                        1.5         −8 ▇"),
        (END, "b1", "  b1                         0         −8 ▇"),
        (END, "x", "◀ x                          3         −4 ▇"),
    ],
)
def test_a_row(position: int, name: str, expected: str) -> None:
    assert row(at(TWO_LAYER, position), name).rstrip() == expected.rstrip()


def test_long_numbers_stand_apart() -> None:
    with record() as recording:
        a = Value(0.00832207654, label="a" * 40)
        (a * -2.727031e-16).backward()
    shown = row(at(recording, recording.length), "a" * 40)
    assert shown.split()[-3:-1] == ["0.00832208", "−2.727e−16"]
    assert shown.split()[0] == "◀"
    assert len(shown.split()) == 5


def test_a_stop_shows_at_its_like_in_every_step() -> None:
    recording = training()
    losses = [n for n in range(recording.size) if recording.node(n).name == "loss"]
    session = stopping.toggle_stop(at(recording, recording.length).select(losses[0]), every=False)
    for loss in losses:
        assert tape_row(session, loss, 44).plain[1:].startswith("●loss")


def test_a_selected_row_is_marked_from_end_to_end() -> None:
    line = tape_row(at(TWO_LAYER, END).select(H), H, 44)
    [span] = [span for span in line.spans if span.style == ink.SELECTED]
    assert (span.start, span.end) == (0, 44)


@pytest.mark.parametrize("width", WIDTHS)
def test_at_every_width_it_is_one_line(width: int) -> None:
    assert tape_row(at(TWO_LAYER, END), H, width).cell_length == width


@given(odd_sessions(), widths, st.data())
def test_a_row_is_as_wide_as_asked(session: Session, width: int, data: st.DataObject) -> None:
    line = tape_row(session, data.draw(st.sampled_from(session.state.scene)), width)
    assert line.cell_length == width
    assert line.plain.isprintable()


@given(odd_sessions(), odd_names, widths)
def test_a_scope_is_never_wider_than_asked(session: Session, scope: str, width: int) -> None:
    assert scope_row(session, ScopeLine(scope), width).cell_length == width
    folded = scope_row(session, ScopeLine(scope, session.state.scene), width)
    assert folded.cell_length <= width
    assert folded.plain.isprintable()


def test_scopes_keep_the_end_that_tells_them_apart() -> None:
    scope = "model/layers[0]/attention/head1"
    assert scope_row(at(TWO_LAYER, END), ScopeLine(scope), 20).plain == "  …]/attention/head1"
    folded = scope_row(at(TWO_LAYER, END), ScopeLine(scope, (H,)), 44).plain
    assert folded.startswith(" + …/attention/head1 ")


def test_a_folded_scope_counts_what_is_no_number() -> None:
    with record() as recording:
        leaves = [Value(number) for number in (1.0, 2.0, 3.0)]
        for leaf, grad in zip(leaves, (nan, 0.0, -4.0), strict=True):
            leaf.grad = grad
    row = scope_row(at(recording, recording.length), ScopeLine("s", (0, 1, 2)), 44)
    assert row.plain == "=+ s         3 !nan 33% 0 33%         0…4 ▇ "


@pytest.mark.parametrize(
    ("sizes", "span"),
    [
        ((0.0, 0.8655), "0…0.87"),
        ((-2.34e-9, 3.3e-4), "2e−9…3e−4"),
        ((0.125, -0.125), "0.13"),
        ((12345.0, inf), "12345…inf"),
        ((1e300, 5e-324), "5e−324…1e300"),
    ],
)
def test_the_range_of_a_folded_scope(sizes: tuple[float, ...], span: str) -> None:
    with record() as recording:
        leaves = [Value(1.0) for _ in sizes]
        for leaf, grad in zip(leaves, sizes, strict=True):
            leaf.grad = grad
    session = at(recording, recording.length)
    assert span in scope_row(session, ScopeLine("s", (0, 1)), 44).plain.split()


def test_a_folded_scope_that_no_pass_reaches_says_so() -> None:
    with record() as recording:
        x, _ = Value(1.0), [Value(float(i)) for i in range(3)]
        (x * x).backward()
    session = at(recording, recording.length)
    assert scope_row(session, ScopeLine("s", (0, 1, 2, 3)), 44).plain.split()[-4:] == [
        "∅",
        "75%",
        "2",
        "▆",
    ]
    before = at(recording, 4)
    assert "∅" not in scope_row(before, ScopeLine("s", (0, 1, 2, 3)), 44).plain


def test_a_folded_scope_is_where_its_nodes_are() -> None:
    session = at(TWO_LAYER, 9)
    line = ScopeLine("a/long/scope/with/a/name", (0, H))
    assert scope_row(session, line, 44).plain == "▶+ a/long/scope/with/a/name       2 nodes   "
    assert scope_row(session, line, 28).plain == "▶+ …e/with/a/name 2 nodes   "
    selected = scope_row(session.select(0), ScopeLine("s", (0, 1)), 44)
    assert selected.plain.startswith("›+ s")
    assert any(span.style == ink.SELECTED for span in selected.spans)


def test_a_constant_has_a_value_and_no_gradient() -> None:
    constant = next(n for n in range(TWO_LAYER.size) if TWO_LAYER.node(n).constant)
    assert tape_row(at(TWO_LAYER, END), constant, 44).plain.split() == ["constant", "2"]


@pytest.mark.parametrize(
    ("grad", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (5e-324, "~0"),
        (-1e-310, "~0"),
        (2.3e-308, "2.3e−308"),
        (1e-20, "1e−20"),
        (nan, "!nan"),
        (inf, "inf"),
        (-inf, "−inf"),
        (-8.0, "−8"),
    ],
)
def test_the_states_of_a_gradient(grad: float, text: str) -> None:
    with record() as recording:
        x = Value(1.0)
        (x * 2).backward()
        x.grad = grad
    session = Session(Cursor(recording, recording.length))
    assert Node(session.state, 0).grad_text == text
    assert tape_row(session, 0, 44).plain.split()[-1 if bar(grad) == " " else -2] == text


def test_a_gradient_that_has_not_come_and_one_that_never_will() -> None:
    with record() as recording:
        x, idle = Value(1.0), Value(2.0)
        (x * 2).backward()
    before, after = at(recording, 2).state, at(recording, recording.length).state
    assert recording.node(1).operands == ()
    assert idle.grad == 0
    assert [Node(before, n).grad_text for n in (0, 1)] == ["–", "–"]
    assert [Node(after, n).grad_text for n in (0, 1)] == ["2", "∅"]


@pytest.mark.parametrize("x", [-1.23456789e-300, -9.87654321e-10, 1.23456e10, -123456789012.5])
def test_a_number_that_is_too_wide_loses_digits_and_not_its_exponent(x: float) -> None:
    with record() as recording:
        Value(x, label="x")
    shown = row(at(recording, 1), "x").split()[-2]
    assert len(shown) <= 11
    assert float(shown.replace("−", "-")) == pytest.approx(x, rel=1e-3)


@pytest.mark.parametrize(
    ("grad", "glyph"),
    [
        (None, " "),
        (0.0, " "),
        (-0.0, " "),
        (nan, " "),
        (inf, " "),
        (5e-324, "▁"),
        (1e-5, "▁"),
        (-1e-4, "▂"),
        (1e-3, "▃"),
        (0.01, "▄"),
        (0.1, "▅"),
        (-1.0, "▆"),
        (10.0, "▇"),
        (100.0, "█"),
        (-1e300, "█"),
    ],
)
def test_bar(grad: float | None, glyph: str) -> None:
    assert bar(grad) == glyph


@pytest.mark.parametrize(
    ("width", "title"),
    [(44, "tape  match 1 of 2 ───── value ─ gradient"), (36, "tape  1/2 ────── value ─ gradient")],
)
def test_which_match_of_a_search_is_selected_stands_above_the_names(width: int, title: str) -> None:
    found = search(at(TWO_LAYER, 0), "w")
    assert headings(found, width).plain == title
    assert "match" not in headings(found.select(None), width).plain
