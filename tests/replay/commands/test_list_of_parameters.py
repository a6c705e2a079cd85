"""The list of parameters: its keys go line by line, and a matrix is one line until it is opened."""

from __future__ import annotations

from stepgrad import Value, record
from stepgrad.engine.optim import SGD
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.looking import open_selected
from stepgrad.replay.commands.parameters import ACTS
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.graph.outline import ScopeLine
from stepgrad.replay.graph.summary import Summary
from stepgrad.replay.matrices import parameter_lines, values
from stepgrad.replay.session import Session
from stepgrad.replay.state import State


def trained() -> Recording:
    """Two matrices and a number; one is written twice in an update, and one is made late."""
    with record() as recording:
        w = [[Value(0.5 + i - j, label=f"w[{i}][{j}]") for j in range(4)] for i in range(4)]
        b = [Value(float(i), label=f"b[{i}]") for i in range(5)]
        scale = Value(-8.0, label="scale")
        rows: list[Value] = [each for row in w for each in row]
        for step in range(3):
            if step == 1:
                b.append(Value(9.0, label="b[5]"))
            everything = [*rows, *b, scale]
            sum((each * each for each in everything), Value(0.0)).backward()
            SGD(rows, 0.01).step()
            for each in b:
                each.data -= 0.1 * each.grad
            b[2].data = -float(step)
            scale.data *= 2
    return recording


def session(recording: Recording) -> Session:
    return Session(Cursor(recording).seek(recording.length))


def pressed(session: Session, *commands: str) -> Session:
    for command in commands:
        session = ACTS[command](session)
    return session


def name(session: Session) -> str | None:
    assert session.selected is not None
    return session.recording.node(session.selected).name


def test_a_range_is_that_of_the_elements_at_every_position() -> None:
    recording = trained()
    lines = [each for each in parameter_lines(session(recording)) if isinstance(each, ScopeLine)]
    assert [line.scope for line in lines] == ["w (4×4)", "b (6)"]
    history = recording.history
    for position in range(recording.length + 1):
        state = State(recording, position)
        for line in lines:
            found = [history.value(node, position) for node in line.nodes]
            right = Summary.of(value for value in found if value is not None)
            assert values(state, line) == right, (position, line.scope)


def test_a_key_passes_a_whole_matrix() -> None:
    now = session(trained())
    now = pressed(now, *["select_up"] * 3)
    assert name(now) == "w[0][0]"
    assert len(parameter_lines(now)) == 3, "it is closed"
    now = pressed(now, "select_down")
    assert (name(now), len(parameter_lines(now))) == ("b[0]", 3)
    now = pressed(now, "select_down", "select_down")
    assert name(now) == "scale"
    assert now.said == "this is the last parameter"


def test_before_anything_has_happened_the_first_line_comes_first() -> None:
    now = session(trained())
    start = now.go(now.cursor.seek(0))
    assert name(pressed(start, "select_down")) == "w[0][0]"
    assert name(pressed(start, "select_down", "select_down")) == "b[0]"


def test_what_is_selected_opens_and_closes() -> None:
    now = pressed(session(trained()), *["select_up"] * 3)
    opened = open_selected(now)
    assert opened is not None
    assert len(parameter_lines(opened)) == 1 + 16 + 2
    below = pressed(opened, "select_down")
    assert name(below) == "w[0][1]"
    closed = pressed(below, "fold")
    assert (name(closed), len(parameter_lines(closed))) == ("w[0][1]", 3)
    assert closed.said == "w (4×4) is closed"
    assert name(pressed(closed, "select_down")) == "b[0]"
    assert pressed(closed, "fold") == pressed(closed, "scope_in")
    assert len(parameter_lines(pressed(closed, "fold"))) == 1 + 16 + 2
    assert pressed(closed, "scope_out") == closed


def test_another_selection_opens_its_matrix() -> None:
    now = pressed(session(trained()), *["select_up"] * 3)
    node = now.state.find("b[3]")
    assert len(parameter_lines(now.select(node))) == 1 + 6 + 2


def test_what_is_in_no_matrix_says_so() -> None:
    now = pressed(session(trained()), "select_up", "select_down")
    assert pressed(now, "fold").said == "this is not an element of a matrix"
