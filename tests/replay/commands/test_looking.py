"""What is shown of a recording: folded scopes, the graph, and constants."""

from __future__ import annotations

from dataclasses import replace

from odd_runs import at
from replay_runs import training, two_layer
from stepgrad import Cursor, Recording, Value, record, scope
from stepgrad.replay.commands.looking import (
    fit,
    fold,
    fold_subject,
    next_view,
    scope_in,
    scope_out,
    toggle_constants,
    zoom_by,
)
from stepgrad.replay.commands.moving import jump
from stepgrad.replay.commands.table import BY_KEY
from stepgrad.replay.session import Session
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file

TRAINING = training()
TWO_LAYER = two_layer()


def deep() -> Session:
    with record() as recording, scope("a"), scope("b"), scope("c"):
        Value(1.0) * 2.0
    return at(recording, 1)


def test_scopes_fold_one_level_after_the_other_and_open_again() -> None:
    session = deep()
    folded = []
    for _ in range(3):
        session = scope_out(session)
        folded.append(sorted(session.folded))
    assert folded == [["a/b/c"], ["a/b", "a/b/c"], ["a", "a/b", "a/b/c"]]
    assert scope_out(session).said == "a is the outermost scope"
    for remaining in (["a/b", "a/b/c"], ["a/b/c"], []):
        session = scope_in(session)
        assert sorted(session.folded) == remaining
    assert scope_in(session).said == "nothing is folded here"


def of_scenario(name: str) -> Session:
    recording = record_file(open_scenario(name))
    return Session.open(Cursor(recording, recording.length))


def test_a_network_is_what_is_drawn_first_and_comes_round_again() -> None:
    session = of_scenario("xor_tanh")
    tour = [session.view]
    for _ in range(4):
        session = next_view(session)
        tour.append(session.view)
    assert tour == ["network", "near", "whole", "plot", "network"]
    assert of_scenario("two_layer").view == "near"


def test_what_was_chosen_stays_where_there_is_a_network_and_where_there_is_none() -> None:
    session = replace(of_scenario("xor_tanh"), chosen="whole")
    assert session.view == "whole"
    assert replace(of_scenario("two_layer"), chosen="network").view == "near"


def test_a_selected_neuron_opens_and_closes_again() -> None:
    session = of_scenario("diagonal_flip")
    z = session.recording.first_named("row1/layer1/neuron3/z")
    here = session.cursor
    opened = jump(session.select(z))
    assert (opened.opened, opened.cursor) == ("layer1/neuron3", here)
    assert jump(opened).opened == ""
    moved = opened.go(opened.cursor.step(-1))
    assert moved.selected is None
    assert moved.opened == "layer1/neuron3"
    assert jump(moved).opened == "", "it closes without a selection, too"
    other = opened.select(session.recording.first_named("row1/y2"))
    assert jump(other).opened == "layer2/neuron2"
    assert next_view(opened).opened == ""


def test_a_parameter_opens_its_neuron_and_an_input_leads_to_where_it_was_made() -> None:
    session = of_scenario("diagonal_flip")
    w, x = map(session.recording.first_named, ("layer2/neuron4/w1", "row1/x2"))
    assert jump(session.select(w)).opened == "layer2/neuron4"
    led = jump(session.select(x))
    assert led.opened == ""
    assert led.cursor.position == session.recording.history.made_at(x)


def test_a_selected_folded_scope_opens() -> None:
    session = replace(scope_out(deep()), chosen="near")
    node = next(iter(session.graph))
    assert session.folded
    assert jump(session.select(node)).folded == frozenset()


def test_folding_is_undone_by_folding() -> None:
    session = deep()
    assert fold_subject(session).folded == {"a/b/c"}
    assert fold_subject(fold(session, "a")).folded == frozenset()
    assert fold(fold(session, "a"), "a") == session


def test_a_node_in_no_scope_has_none_to_fold() -> None:
    for session in (at(TWO_LAYER, 3), at(Recording(), 0)):
        assert (
            fold_subject(session).said == scope_out(session).said == "this node is not in a scope"
        )


def chain_of(nodes: int) -> Session:
    with record() as recording:
        x = Value(1.0)
        for _ in range(nodes - 1):
            x = x * x
    return at(recording, 0)


def test_the_views_go_round_and_each_begins_as_it_is() -> None:
    session = chain_of(100)
    assert session.view == "near"
    tour = []
    for _ in range(3):
        session = next_view(session)
        tour.append(session.view)
        assert session.zoom == 0
    assert tour == ["whole", "plot", "near"]


def test_a_view_that_adds_nothing_is_skipped() -> None:
    small = next_view(at(TWO_LAYER, 0))
    assert (small.view, small.said) == ("near", "the whole graph is drawn")
    assert [next_view(chain_of(nodes)).view for nodes in (40, 500)] == ["plot", "plot"]
    assert next_view(replace(chain_of(90), zoom=-1)).view == "plot", "all of it is drawn already"


def test_zoom_ends_where_there_is_nothing_more_to_see() -> None:
    near = chain_of(100)
    assert [zoom_by(near, -1).zoom, zoom_by(zoom_by(near, 1), 1).zoom] == [-1, 1]
    assert zoom_by(zoom_by(near, 1), 1).said == "this is as close as it gets"
    assert zoom_by(at(TWO_LAYER, 0), 1).said == "this is as close as it gets"
    assert zoom_by(at(TWO_LAYER, 0), -1).said == "the whole graph is drawn"
    plot = next_view(next_view(chain_of(200)))
    assert zoom_by(plot, -1).said == "the whole graph is drawn"
    far = replace(chain_of(500), zoom=-3)
    assert zoom_by(far, -1).said == "this is as far as it gets", "most of it is left out"
    for _ in range(20):
        plot = zoom_by(plot, 1)
    assert 4 < len(plot.state.scene) >> plot.zoom < 16


def test_constants_are_shown_and_hidden() -> None:
    session = at(TRAINING, TRAINING.length)
    shown = toggle_constants(session)
    constants = [node for node in shown.scene if TRAINING.node(node).constant]
    assert constants
    assert [node for node in shown.scene if node not in constants] == list(session.scene)
    hidden = toggle_constants(shown.select(constants[0]))
    assert (hidden.selected, hidden.constants) == (None, False)
    assert toggle_constants(shown.select(session.scene[0])).selected == session.scene[0]


def test_fit_is_switched_on_and_off_and_a_plot_needs_none() -> None:
    act = BY_KEY["0"].act
    assert act is not None
    fitted = act(at(TWO_LAYER, 0))
    assert fitted.fit
    assert not fit(fitted).fit
    plot = replace(chain_of(90), chosen="plot")
    assert fit(plot).said == "a plot always fits"
    assert not fit(plot).fit
