"""A network on the screen: as much of it as fits, and what does not is counted."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepgrad import MLP, Recording, State, Value, record
from stepgrad.harness import Replay
from stepgrad.replay.commands.editing import edit
from stepgrad.replay.commands.looking import shown_network
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.graph.network.picture import Network, network
from stepgrad.replay.session import Session
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.scenario.rerun import rerun
from stepgrad.tui.render import ink
from stepgrad.tui.render.network import NetworkDrawing, draw_network, rows_in
from tries import tries

FLIP = record_file(open_scenario("diagonal_flip"))
XOR = record_file(open_scenario("xor_tanh"))
AT_140, AT_80, AT_200 = (138, 16), (78, 6), (198, 27)
"""The panel in terminals of 140x45, 80x24 and 200x60."""


def at(recording: Recording, position: int | None = None, node: int | None = None) -> Network:
    where = recording.length if position is None else position
    found = network(State(recording, where), node)
    assert found is not None
    return found


def text(shown: Network, size: tuple[int, int], selected: int | None = None) -> str:
    return draw_network(shown, *size, selected).canvas.plain()


@pytest.mark.parametrize("size", [AT_140, AT_200])
def test_all_of_diagonal_flip_is_on_one_screen(size: tuple[int, int]) -> None:
    shown = text(at(FLIP), size)
    for name in ("x1", "x4", "layer1/neuron1", "layer1/neuron3", "layer2/neuron4", "loss"):
        assert shown.count(f"{name}─") + shown.count(f"{name}┐") + shown.count(f"{name}━") == 1
    assert "−0.1 → 0 " in shown  # z and h of a shut neuron
    assert "0 ┼ −0.0475" in shown  # their gradients, and the bar between them
    assert shown.count("shut") == 2
    assert re.search(r"0\.1 ∇ 0\.44 ─+▶", shown)  # a weight and its gradient
    assert "t3 = 0" in shown
    assert shown.count("▶") == 4 * 3 + 3 * 4 + 4


def test_a_small_screen_has_a_line_for_each_neuron_and_signs_for_wires() -> None:
    drawing = draw_network(at(FLIP), *AT_80)
    shown = drawing.canvas.plain()
    assert "←" not in drawing.title
    assert "→" not in drawing.title
    for line in ("x1 1     ∇ 0.044", "+−+−▶ 3 0.5   ∇ 0.44", "+−−▶ y4 −0.25 ∇ −0.62", "loss 0.896"):
        assert line in shown


def test_below_the_drawing_are_the_weights_of_the_selected_neuron() -> None:
    node = FLIP.first_named("row1/layer1/neuron3/z")
    last = text(at(FLIP, node=node), AT_80, node).split("\n")[-1]
    assert last.startswith("layer1/neuron3  b 0 ∇ 0.44  w1 0.1 ∇ 0.44  w2 −0.2 ∇ 0")


def test_all_of_a_selected_line_has_the_background_of_a_selection() -> None:
    node = FLIP.first_named("row1/x2")
    line = draw_network(at(FLIP, node=node), *AT_80, node).canvas.crop(0, 1, 78, 1)[0]
    chosen = "".join(
        line.plain[span.start : span.end] for span in line.spans if ink.SELECTED in str(span.style)
    )
    assert chosen.strip() == "x2 0     ∇ −0.09"


def test_where_there_is_no_line_for_them_they_are_in_the_title() -> None:
    node = XOR.first_named("row2/layer1/neuron3/z")
    found = at(XOR, XOR.steps[1], node)
    drawing = draw_network(found, 78, 16, node)
    assert "▶" in drawing.canvas.plain()
    assert drawing.title.startswith("network 2-4-1, row 2 of 4  layer1/neuron3  b 0.0253 ∇ −0.5")
    assert drawing.title.endswith("and 2 more")
    assert len(drawing.title) <= 78


def test_weights_without_room_are_counted_and_no_number_is_cut() -> None:
    node = XOR.first_named("row2/layer2/neuron1/z")
    found = at(XOR, XOR.steps[1], node)
    lines = [text(found, (width, 6), node).split("\n")[-1].rstrip() for width in range(46, 120)]
    counts = [re.search(r"and (\d) more$", line) for line in lines]
    assert [int(count[1]) for count in counts if count] == sorted(
        (int(count[1]) for count in counts if count), reverse=True
    )
    assert counts[0]
    assert not counts[-1]
    for line in lines:
        assert re.fullmatch(r"layer2/neuron1 ( \w+ [\d.−e]+ ∇ [\d.−e]+ ?)*( and \d more)?", line)


def test_the_legend_is_about_what_is_shown_and_is_not_cut() -> None:
    assert "…" not in text(at(XOR), (82, 17))
    small = text(at(XOR), AT_80).split("\n")[-1]
    assert small.startswith("h · ∇h · + − weights, bold if large")
    assert "…" not in small


def test_a_number_in_a_line_is_never_cut() -> None:
    edited = Replay.of("diagonal_flip").press("G '/row1/x2' enter ]").session
    shown = text(at(edited.recording), AT_80)
    assert "…" not in shown
    assert "y3 −0.01 ∇ −5e−3" in shown


def test_a_target_without_room_for_its_name_is_its_number() -> None:
    recording = record_file(open_scenario("network_stops"))
    shown = text(at(recording), (98, 9))
    assert "─ −27 ─" in shown
    assert "t = " not in shown


@pytest.mark.parametrize("width", range(78, 140))
def test_a_single_input_has_a_wire_to_each_neuron_or_its_sign(width: int) -> None:
    recording = record_file(open_scenario("network_stops"))
    drawing = draw_network(at(recording), width, 9)
    wired = {wire.target.key >> 16 for wire in drawing.layout.wires}
    assert wired in ({1, 2, 3}, set(), {3}), "wires for all layers, or signs for all"


def test_the_sign_of_a_weight_on_a_wire_stands_apart_from_the_wire() -> None:
    shown = text(at(XOR, XOR.steps[1] + 100), (102, 17))
    assert re.search(r"[─━] −[\d.]+ [─━]", shown)
    assert not re.search(r"[─━]−[\d.]", shown)


def test_colour_and_weight_of_a_wire_are_those_of_the_weight() -> None:
    drawing = draw_network(at(FLIP), *AT_140)
    lines = drawing.canvas.crop(0, 0, *AT_140)
    styles = {
        part: {str(span.style) for span in line.spans if part in line.plain[span.start : span.end]}
        for part in (" −0.4", " 0.5")
        for line in lines
        if part in line.plain
    }
    assert ink.NEGATIVE in styles[" −0.4"]
    assert ink.POSITIVE in styles[" 0.5"]
    assert re.search(r"━ −0\.4 ∇ 0 ━", drawing.canvas.plain())
    assert re.search(r"─ 0\.1 ∇ 0 ─", drawing.canvas.plain())


def test_with_the_rows_that_it_needs_a_network_has_frames_and_a_line_below() -> None:
    found = at(XOR, XOR.steps[1] + 100)
    assert rows_in(found, 30) == 17
    assert rows_in(found, 16) == 16
    assert rows_in(found, 12) == 6
    assert rows_in(found, 4) == 4
    lines = text(found, (78, 17)).split("\n")
    assert "┌layer1/neuron4" in "\n".join(lines)
    assert lines[-1]


def test_the_sign_of_a_wire_is_seen_without_colour() -> None:
    found = at(XOR, XOR.steps[1] + 100)
    shown = text(found, (78, 17))
    weights = [weight.value for each in found.layers[0] for weight, _ in each.weights]
    assert len(weights) == 8
    drawn = re.findall(r" ([+−])▶[│┌└┃┏┗]", shown)  # apart from its wire
    assert drawn.count("−") == sum(
        (each.value or 0) < 0
        for layer in found.layers
        for neuron in layer
        for each, _ in neuron.weights
    )
    assert len(drawn) == 12


def test_nothing_moves_from_event_to_event() -> None:
    layouts = {draw_network(at(FLIP, each), *AT_140).layout for each in range(FLIP.length)}
    assert len(layouts) == 1


def test_of_a_wide_layer_is_drawn_what_fits_and_the_rest_is_counted() -> None:
    with record() as recording:
        model = MLP.drawn([2, 64, 1], ["relu", "linear"], Random(1))
        model([Value(1.0), Value(2.0)])[0].backward()
    shown = text(at(recording), AT_140)
    assert " 14 " in shown
    assert "↓ 50" in shown
    node = at(recording).layers[0][63].index
    shown = text(at(recording, node=node), AT_140, node)
    assert "╎64 " in shown
    assert "↑ 56" in shown
    assert re.search(r"[+−]{7}…▶", shown), "of 64 weights, the first"


def test_columns_that_do_not_fit_are_counted() -> None:
    with record() as recording:
        model = MLP.drawn([2] * 9, ["tanh"] * 8, Random(1))
        one, two = model([1.0, 2.0])
        (one + two).backward()
    title = draw_network(at(recording), *AT_80).title
    assert title == "network 2-2-2-2-2-2-2-2-2  ← 1 · 6 →"
    title = draw_network(at(recording, 0), *AT_80).title
    assert title == "network 2-2-2-2-2-2-2-2-2  7 →"


def test_a_box_leads_to_its_neuron_and_a_wire_to_its_weight() -> None:
    drawing = draw_network(at(FLIP), *AT_140)
    found = {drawing.node_at(x, y) for x in range(AT_140[0]) for y in range(AT_140[1])}
    names = [FLIP.names(FLIP.length)]
    for name in ("row1/x2", "row1/layer1/neuron1/h", "row1/y3", "loss", "layer2/neuron4/w3"):
        assert names[0][name] in found


def test_what_is_to_be_predicted_stays_hidden() -> None:
    node = FLIP.first_named("row1/layer1/neuron2/h")
    assert draw_network(at(FLIP), *AT_140, secret=node).canvas.plain().count("shut") == 1


@given(
    st.lists(st.integers(1, 12), min_size=2, max_size=6),
    st.integers(0, 220),
    st.integers(0, 40),
    st.floats(0, 1),
)
@settings(deadline=None, max_examples=tries(60))
def test_every_network_fits_into_every_panel(
    sizes: list[int], width: int, height: int, share: float
) -> None:
    with record() as recording:
        model = MLP.drawn(sizes, ["relu"] * (len(sizes) - 1), Random(1))
        outputs = model([Value(float(number)) for number in range(sizes[0])])
        sum(outputs[1:], outputs[0]).backward()
    position = round(share * recording.length)
    drawing: NetworkDrawing = draw_network(at(recording, position), width, height)
    assert (drawing.canvas.width, drawing.canvas.height) == (max(width, 1), max(height, 1))


def edited(text: str, scenario: str = "diagonal_flip", position: int | None = None) -> Session:
    """A lesson at its end, or at a position, with an edit."""
    file = open_scenario(scenario)
    recording = record_file(file)
    where = recording.length if position is None else position
    return edit(Session.open(Cursor(recording, where), rerun(file)), text)


def drawn(session: Session, size: tuple[int, int]) -> str:
    found = shown_network(session)
    assert found is not None
    return draw_network(found, *size, session.selected).canvas.plain()


def test_after_an_edit_boxes_show_numbers_before_and_after() -> None:
    lines = drawn(edited("row1/x2 = 0.5"), AT_140)
    assert "│  0 → 0.5 ┝" in lines, "the input"
    assert re.search(r"│  0\.5 → 0\.4 +┝", lines), "h of the third neuron"
    assert re.search(r"│∇ 0\.44 → 0\.4145 +│", lines), "its gradient"
    assert "0.5 ∇ →0.4145 ━" in lines, "that of a weight"
    assert "…" not in lines
    assert "┼" not in lines, "z → h and old → new do not mix"


def test_after_an_edit_wires_show_what_it_changed() -> None:
    session = edited("layer2/neuron1/w1 = 0.9")
    assert " 0.3 → 0.9 " in drawn(session, AT_140)
    assert "0.3 →" not in drawn(edit(session, "layer2/neuron1/w1 = 0.3"), AT_140)


def test_the_line_below_shows_weights_before_and_after() -> None:
    session = edited("layer1/neuron3/w1 = 0.9")
    session = session.select(session.recording.first_named("row1/layer1/neuron3/z"))
    assert "w1 0.1 → 0.9 ∇ " in drawn(session, AT_80).split("\n")[-1]


@pytest.mark.parametrize("changed", [False, True])
def test_the_legend_names_no_colour(changed: bool) -> None:
    session = edited("row1/x2 = 0.5", position=0)
    found = at(FLIP, 0) if not changed else shown_network(session)
    assert found is not None
    below = draw_network(found, 138, 17).canvas.crop(0, 16, 138, 1)[0]
    numbers = "h · ∇h, old → new" if changed else "z → h · ∇z ← ∇h"
    assert below.plain.startswith(f"{numbers} · wires: + − weights, heavy if large")
    styles = {below.plain[span.start : span.end]: str(span.style) for span in below.spans}
    assert styles["+"] == ink.POSITIVE
    assert styles["−"] == ink.NEGATIVE
