"""The node panel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odd_runs import at, odd_sessions, widths
from replay_runs import training, two_layer
from stepgrad import Value, clip_norm, op, record
from stepgrad.harness import Replay
from stepgrad.recording.events import Accumulate
from stepgrad.replay.session import Session
from stepgrad.replay.telling.derivatives import MOST_LOCALS
from stepgrad.tui.render import ink
from stepgrad.tui.render.node import event_at, heading, node_panel

TWO_LAYER = two_layer()
H, W1 = (TWO_LAYER.first_named(name) for name in ("h", "w1"))
END = TWO_LAYER.length


def panel(session: Session, node: int, width: int = 80, height: int = 24) -> list[str]:
    return node_panel(session.state, node, width, height).plain.split("\n")


def test_all_about_a_node() -> None:
    assert panel(at(TWO_LAYER, END), H) == [
        "value    1.5",
        "grad     −8",
        "received −8 at 21 from w2·h (−4·2)",
        "local    ∂h/∂z1 = 1 (z1 > 0)",
    ]


def test_a_local_derivative_says_of_what_and_by_which_operand() -> None:
    with record() as recording:
        x = Value(3.0, label="x")
        tripled = 3 * x
        _ = tripled * tripled
    session = at(recording, recording.length)
    assert panel(session, 2)[-1] == "local    ∂(3·x)/∂x = 3"
    assert panel(session, 3)[-2:] == [
        "local    ∂₁(3·x·(3·x))/∂(3·x) = 3·x = 9",
        "         ∂₂(3·x·(3·x))/∂(3·x) = 3·x = 9",
    ]


def test_of_many_local_derivatives_the_first_are_shown() -> None:
    with record() as recording:
        _ = op(name="mean")(lambda *xs: sum(xs) / 20)(*map(Value, range(20)), 2.0)
    lines = panel(at(recording, recording.length), recording.size - 1)
    assert len(lines) == 2 + MOST_LOCALS
    assert lines[-1] == f"         … {21 - MOST_LOCALS} more"


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (1, ["…", "…", "…", "…"]),
        (20, ["value    1.5", "grad     −8", "received −8 at 21 f…", "local    ∂h/∂z1 = 1…"]),
    ],
)
def test_a_narrow_and_low_one_is_cut(width: int, lines: list[str]) -> None:
    assert panel(at(TWO_LAYER, END), H, width, height=4) == lines


def test_of_a_local_derivative_the_number_is_kept() -> None:
    with record() as recording:
        x = Value(0.5, label="x")
        (x * 3 + 1).label = "a_name_that_is_long"
    session = at(recording, recording.length)
    last = recording.size - 1
    assert panel(session, last, 30, 3)[-1] == "local    ∂a_name_…g/∂(x·3) = 1"


def test_a_narrow_one_goes_on_in_the_next_line_while_there_are_enough() -> None:
    session = at(TWO_LAYER, END)
    assert panel(session, H, 20, height=9) == [
        "value    1.5",
        "grad     −8",
        "received −8 at 21",
        "         from w2·h",
        "         (−4·2)",
        "local    ∂h/∂z1 = 1",
        "         (z1 > 0)",
    ]
    assert panel(session, H, 20, height=6)[2:] == [
        "received −8 at 21",
        "         from w2·h",
        "         (−4·2)",
        "local    ∂h/∂z1 = 1…",
    ]
    assert [event_at(session.state, H, 20, 9, y) for y in range(2, 6)] == [21, 21, 21, None]


def test_a_file_that_is_too_long_keeps_its_line_number() -> None:
    session = Replay.of("disconnected_parameter").session
    sources = [row for row in panel(session, 0, 38) if "source" in row]
    assert sources == ["source   …sconnected_parameter.yaml:20"]


def test_the_numbers_of_a_contribution_give_what_was_received() -> None:
    """14·2 is not 28.0001: where six digits hide what makes the difference, there are more."""
    session = Replay.of("chain_rule_nudge").press("G 'ex = 3.00001'").session
    assert panel(session, 0)[2] == "received 28.0001 ◀ 8 from 2·x (14.00004·2)"


def test_before_it_is_made_and_before_its_gradient_comes() -> None:
    assert panel(at(TWO_LAYER, 0), H) == ["not computed yet"]
    assert panel(at(TWO_LAYER, 13), H)[:2] == ["value    1.5", "grad     –"]


def test_numbers_are_exact_and_what_is_none_says_so() -> None:
    with record() as recording:
        x = Value(-0.1 - 0.2, label="x")
        (x * float("nan")).backward()
    assert panel(at(recording, recording.length), 0)[:3] == [
        "value    −0.3  −0.30000000000000004",
        "grad     !nan",
        "received nan ◀ 4 from x·nan (1·nan)",
    ]


def test_digits_beyond_those_of_the_tape_are_whole_or_not_there() -> None:
    with record() as recording:
        Value(1 / 3, label="x")
    session = at(recording, 1)
    assert panel(session, 0)[0] == "value    0.333333  0.3333333333333333"
    assert panel(session, 0, 30, 2)[0] == "value    0.333333"


def test_scopes_are_told() -> None:
    recording = training()
    assert "scope    neuron" in panel(at(recording, 3), 0)


def shared(uses: int = 9) -> Session:
    with record() as recording:
        w = Value(2.0, label="w")
        total = w * 1.0
        for use in range(1, uses):
            total = total + w * float(use)
        total.backward()
    return at(recording, recording.length)


def test_a_long_ledger_shows_what_came_last_and_leads_to_all_of_it() -> None:
    session = shared()
    lines = panel(session, 0, height=6)
    assert lines[2] == "received … 6 earlier events"
    assert [line.split()[0] for line in lines[3:]] == ["2", "1", "1"]
    events = [event_at(session.state, 0, 80, 6, y) for y in range(-1, 7)]
    assert events[:3] == [None, 1, None]
    for position in events[3:7]:
        assert position is not None
        event = session.recording.events[position - 1]
        assert isinstance(event, Accumulate)
        assert event.node == 0
    assert events[3:] == [*sorted(each for each in events[3:7] if each), None]
    assert len(panel(session, 0, height=24)) == 2 + 9


def test_what_an_earlier_pass_left_stands_before_what_this_one_pays_in() -> None:
    with record() as recording:
        w = Value(2.0, label="w")
        (w * 3.0).backward()
        cleared = recording.length
        (w * 5.0).backward()
    session = at(recording, recording.length)
    assert panel(session, 0)[1:] == [
        "grad     8",
        f"before   3 at {cleared}, not cleared",
        f"received 5 ◀ {recording.length} from w·5 (1·5)",
    ]
    assert event_at(session.state, 0, 80, 24, 2) == cleared
    assert not any("cleared" in line for line in panel(at(recording, cleared), 0))


def test_who_wrote_over_a_gradient() -> None:
    with record() as recording:
        w = Value(2.0, label="w")
        (w * 3.0).backward()
        clip_norm([w], 1.0)
        w.grad = 5.0
        w.grad = 0.0
    end = recording.length
    told = [panel(at(recording, end - back), 0)[2:] for back in range(4)]
    assert told == [
        [f"cleared  at {end}, was 5"],
        [f"set      at {end - 1}, was 1"],
        [f"clipped  at {end - 2}, was 3"],
        [f"received 3 ◀ {end - 3} from w·3 (1·3)"],
    ]
    assert event_at(at(recording, end).state, 0, 40, 24, 2) == end


def test_the_contribution_at_hand_stands_out() -> None:
    session = shared()
    text = node_panel(session.state, 0, 80, 24)
    [bright] = [span for span in text.spans if span.style == ink.CURRENT]
    assert text.plain[bright.start : bright.end] == f" ◀ {session.cursor.position}"


def test_a_constant_has_a_value_and_no_gradient() -> None:
    session = shared()
    constant = next(n for n in range(9) if session.recording.node(n).constant)
    assert panel(session, constant) == ["value    1", "a constant of the program"]


def test_headings() -> None:
    state = at(TWO_LAYER, END).state
    unnamed = TWO_LAYER.node(TWO_LAYER.first_named("z1")).operands[0]
    assert [heading(state, node) for node in (W1, H, unnamed)] == ["w1", "h = relu(z1)", "w1·x"]
    assert heading(state, H, selected=True) == "› h = relu(z1)"


@given(odd_sessions(), widths, st.data())
def test_it_is_never_wider_than_asked(session: Session, width: int, data: st.DataObject) -> None:
    node = data.draw(st.sampled_from(session.state.scene))
    for line in node_panel(session.state, node, width, 24).split("\n"):
        assert line.cell_length <= width
        assert line.plain.isprintable()
    assert heading(session.state, node).isprintable()
