"""The node panel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odd_runs import at, odd_sessions, widths
from replay_runs import training, two_layer
from stepgrad import Value, record
from stepgrad.replay.session import Session
from stepgrad.tui.render.node import heading, node_panel

TWO_LAYER = two_layer()
H, W1 = (TWO_LAYER.first_named(name) for name in ("h", "w1"))
END = TWO_LAYER.length


def panel(session: Session, node: int, width: int = 80) -> list[str]:
    return node_panel(session.state, node, width).plain.split("\n")


def test_all_about_a_node() -> None:
    assert panel(at(TWO_LAYER, END), H) == [
        "value   1.5",
        "grad    −8.0",
        "paid in −8 = −4·2 from w2·h at 21",
        "local   ∂/∂z1 = 1 (z1 > 0)",
    ]


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (1, ["…", "…", "…", "…"]),
        (20, ["value   1.5", "grad    −8.0", "paid in −8 = −4·2 f…", "local   ∂/∂z1 = 1 (…"]),
    ],
)
def test_a_narrow_one_is_cut(width: int, lines: list[str]) -> None:
    assert panel(at(TWO_LAYER, END), H, width) == lines


def test_before_it_is_made_and_before_its_gradient_comes() -> None:
    assert panel(at(TWO_LAYER, 0), H) == ["not made yet"]
    assert panel(at(TWO_LAYER, 13), H)[:2] == ["value   1.5", "grad    –"]


def test_numbers_are_exact_and_what_is_none_says_so() -> None:
    with record() as recording:
        x = Value(-0.1 - 0.2, label="x")
        (x * float("nan")).backward()
    assert panel(at(recording, recording.length), 0)[:3] == [
        "value   −0.30000000000000004",
        "grad    !nan",
        "paid in nan = 1·nan from x·nan at 4",
    ]


def test_scopes_are_told() -> None:
    recording = training()
    assert "scope   neuron" in panel(at(recording, 3), 0)


def test_headings() -> None:
    state = at(TWO_LAYER, END).state
    unnamed = TWO_LAYER.node(TWO_LAYER.first_named("z1")).operands[0]
    assert [heading(state, node) for node in (W1, H, unnamed)] == ["w1", "h = relu(z1)", "w1·x"]


@given(odd_sessions(), widths, st.data())
def test_it_is_never_wider_than_asked(session: Session, width: int, data: st.DataObject) -> None:
    node = data.draw(st.sampled_from(session.state.scene))
    for line in node_panel(session.state, node, width).split("\n"):
        assert line.cell_length <= width
        assert line.plain.isprintable()
    assert heading(session.state, node).isprintable()
