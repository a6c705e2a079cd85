"""The chain line."""

import pytest
from hypothesis import given
from rich.cells import cell_len

from odd_runs import WIDTHS, odd_sessions, widths
from replay_runs import two_layer
from stepgrad import Value, record, scope
from stepgrad.replay.session import Session
from stepgrad.replay.telling.narration import narrate
from stepgrad.tui.dialogs.help import LEGEND
from stepgrad.tui.render.chain import ROWS, chain, node_at

TWO_LAYER = two_layer()

CHAINS = {
    1: ["…", "…", "…"],
    20: ["dL/dw2 += dL/d(w2·h…", "= −4 · 1.5 = −6", "w2.grad – → −6, con…"],
    40: [
        "dL/dw2 += dL/d(w2·h) · ∂(w2·h)/∂w2",
        "= −4 · h = −4 · 1.5 = −6",
        "w2.grad – → −6, contribution 1 of 1",
    ],
    80: [
        "dL/dw2 += dL/d(w2·h) · ∂(w2·h)/∂w2",
        "= −4 · h = −4 · 1.5 = −6" + " " * 21 + "w2.grad – → −6, contribution 1 of 1",
    ],
}


@pytest.mark.parametrize("width", CHAINS)
def test_an_edge(width: int) -> None:
    lines = chain(TWO_LAYER, 20, width).plain.split("\n")
    assert lines == CHAINS[width]


def test_effects_that_have_no_room_together_come_apart() -> None:
    with record() as recording:
        with scope("row1/layer1/neuron2"):
            z = Value(-1.0, label="z")
            h = z.relu()
            h.label = "h"
        loss = h * -0.0475
        loss.label = "loss"
        loss.backward()
    whole = narrate(recording, recording.length - 1)
    assert cell_len(whole.effect) > 78
    assert chain(recording, recording.length, 78).plain.split("\n") == [
        f"{whole.symbols:<59}contribution 1 of 1",
        f"{whole.numbers:<46}row1/layer1/neuron2/z.grad – → 0",
        "the gate is shut: nothing passes",
    ]


def test_the_help_names_what_the_chain_line_counts() -> None:
    counted = chain(TWO_LAYER, 20, 80).plain.rpartition(", ")[2]
    assert any(line.startswith(counted.replace("of 1", "of 2: ")) for line in LEGEND)


def test_a_leaf_and_a_seed() -> None:
    assert chain(TWO_LAYER, 1, 40).plain == "x = 3"
    assert chain(TWO_LAYER, 14, 40).plain == "dL/dL = 1" + " " * 19 + "L.grad – → 1"


def test_before_the_first_event_it_says_what_to_do() -> None:
    assert chain(TWO_LAYER, 0, 80).plain == (
        "Nothing has happened yet.\nPress s for the first event, ? for help."
    )


def test_long_symbols_go_on_where_a_line_is_left() -> None:
    with record() as recording:
        names = [f"a_name_of_{i}_words" for i in range(4)]
        x, y, z, u = (Value(2.0, label=name) for name in names)
        (x * y + z * u).backward()
    rows = chain(recording, recording.length, 80).plain.split("\n")
    assert len(rows) <= ROWS
    assert "…" not in rows[0]


@pytest.mark.parametrize("width", range(30, 81, 5))
def test_an_operator_is_not_parted_from_what_comes_after_it(width: int) -> None:
    with record() as recording:
        names = [f"name_of_{i}" for i in range(3)]
        x, y, z = (Value(2.0, label=name) for name in names)
        (x * y + z).backward()
        x.data -= 0.1 * x.grad
    for position in range(1, recording.length + 1):
        symbols = narrate(recording, position - 1).symbols
        rows = [row.rstrip() for row in chain(recording, position, width).plain.split("\n")]
        assert not any(row.endswith((" +=", " ·", " =", " +", " −")) for row in rows), symbols


@pytest.mark.parametrize("width", WIDTHS)
def test_every_event_at_every_width(width: int) -> None:
    for position in range(TWO_LAYER.length + 1):
        rows = chain(TWO_LAYER, position, width).split("\n")
        assert len(rows) <= ROWS
        assert max(row.cell_length for row in rows) <= width


@given(odd_sessions(), widths)
def test_odd_names_and_numbers(session: Session, width: int) -> None:
    rows = chain(session.recording, session.cursor.position, width).split("\n")
    assert len(rows) <= ROWS
    assert all(row.cell_length <= width and row.plain.isprintable() for row in rows)


def pointed(position: int, text: str, row: int = 0, within: int = 0) -> int | None:
    """The node at a place in a row of the panel: so many cells after a text begins."""
    line = chain(TWO_LAYER, position, 80).plain.split("\n")[row]
    return node_at(TWO_LAYER, position, 80, line.index(text) + within, row)


def test_a_name_in_the_chain_line_is_a_node() -> None:
    w2, h, product = (TWO_LAYER.first_named("w2"), TWO_LAYER.first_named("h"), 9)
    assert pointed(20, "w2 +=") == w2
    assert pointed(20, "(w2·h) ·", within=2) == product, "the longest name, not one within it"
    assert pointed(20, "h =", row=1) == h
    assert pointed(20, "w2.grad", row=1) == w2
    assert pointed(20, "L/dw2") == TWO_LAYER.first_named("L")


def test_elsewhere_in_the_chain_line_is_none() -> None:
    assert pointed(20, "+=") is None
    assert pointed(20, "−4", row=1) is None
    assert node_at(TWO_LAYER, 0, 80, 6, 0) is None
    assert node_at(TWO_LAYER, 20, 80, 3, 7) is None
