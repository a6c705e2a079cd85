"""Every renderer has something to show at every position of every program."""

from __future__ import annotations

from hypothesis import given, settings

from graphs import Program, run, writing_programs
from odd_runs import at
from stepgrad import Recording, Value, record
from stepgrad.headless import narration, report, snapshot
from stepgrad.replay.commands import moving
from stepgrad.replay.graph.outline import ScopeLine
from stepgrad.replay.session import Session
from stepgrad.replay.telling.sentences import say
from stepgrad.replay.training import parameters
from stepgrad.tui.render.chain import chain
from stepgrad.tui.render.graph import draw, in_view
from stepgrad.tui.render.header import header
from stepgrad.tui.render.node import event_at, heading, node_panel
from stepgrad.tui.render.parameters import parameter_row
from stepgrad.tui.render.reports import difference_report, paths_report
from stepgrad.tui.render.spy import spy
from stepgrad.tui.render.tape import headings, scope_row, tape_row
from stepgrad.tui.render.timeline import timeline
from stepgrad.tui.render.training import training

SIZE = WIDTH, HEIGHT = 80, 24


def show_node(session: Session, node: int) -> None:
    """Render what the screen shows of a node, and do what its keys do."""
    state, selected = session.state, session.select(node)
    heading(state, node)
    node_panel(state, node, *SIZE)
    event_at(state, node, *SIZE, 3)
    tape_row(selected, node, WIDTH)
    paths_report(selected)
    moving.previous_write(selected)
    moving.next_write(selected)


def show(session: Session) -> None:
    """Render everything that the screen and a script show of a position."""
    state, recording = session.state, session.recording
    header(session, "a program", (0, 0), WIDTH)
    headings(session, WIDTH)
    chain(recording, state.position, WIDTH)
    timeline(session, WIDTH)
    training(state, *SIZE)
    spy(session, *SIZE)
    draw(session.graph, in_view(session), framed=True).paint(state, None)
    difference_report(session)
    for line in session.outline:
        if isinstance(line, ScopeLine):
            scope_row(session, line, WIDTH)
    for parameter in parameters(recording):
        parameter_row(state, parameter, WIDTH)
    for node in range(recording.size):
        show_node(session, node)
    assert list(report(None, session.cursor))
    assert snapshot(None, session.cursor)


def show_all(recording: Recording) -> None:
    assert len(list(narration(recording))) >= recording.length
    for position in range(recording.length + 1):
        show(at(recording, position))
        if position:
            assert say(recording, position - 1)


@settings(max_examples=25)
@given(writing_programs(4))
def test_every_panel_renders_at_every_position(program: Program) -> None:
    with record() as recording:
        run(program, [Value(0.5), Value(-2.0)])
    show_all(recording)


def test_a_loop_that_updates_and_clears_each_parameter_in_turn() -> None:
    with record() as recording:
        ps = [Value(1.0, label="w"), Value(2.0, label="b")]
        for _ in range(2):
            (ps[0] * 3 + ps[1]).backward()
            for p in ps:
                p.data -= 0.1 * p.grad
                p.grad = 0
    show_all(recording)
