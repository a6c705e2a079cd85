"""The debugger, driven by keys and by mouse, without a terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from textual.content import Content
from textual.events import MouseEvent, MouseMove, MouseScrollDown, MouseScrollUp
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static

from picture import PICTURE, take
from screens import debugger, painted, press, settle, shown, until
from stepgrad import Value, record
from stepgrad.drawing.layout import Item, Layout, lay_out
from stepgrad.engine.optim import SGD
from stepgrad.program import run_program
from stepgrad.recording.events import Accumulate
from stepgrad.replay.commands import moving, stopping
from stepgrad.replay.commands.searching import search
from stepgrad.replay.commands.table import BY_KEY, COMMANDS
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.gradients.ledger import contributions
from stepgrad.replay.session import Session
from stepgrad.tui.app import DebuggerApp
from stepgrad.tui.dialogs.help import LEGEND, HelpScreen
from stepgrad.tui.render import graph
from stepgrad.tui.render.graph import FRAMED, draw, in_view
from stepgrad.tui.render.reports import difference_report
from stepgrad.tui.screen.debugger import DebuggerScreen
from stepgrad.tui.themes import ThemeError
from stepgrad.tui.widgets.graph import GraphPanel
from stepgrad.tui.widgets.lists import SourcePanel
from stepgrad.tui.widgets.prompt import Prompt
from stepgrad.tui.widgets.text import Chain, Keys

ACTS = [
    (command, key)
    for command in COMMANDS
    if command.act and not command.asks
    for key in command.keys
]


async def test_a_key_does_to_the_screen_what_its_command_does_to_a_session() -> None:
    async with debugger("xor_tanh") as (pilot, screen):
        start = Session(screen.now.cursor.seek(1000), selected=screen.now.state.scene[0])
        middle = stopping.stop_where(search(moving.bookmark(start), "w"), "phase == 'update'")
        for command, key in ACTS:
            screen.session = middle
            await press(pilot, key)
            assert command.act
            assert screen.now == command.act(middle), key
            assert screen.now != middle, key


@pytest.mark.parametrize("name", ["two_layer", "xor_tanh"])
async def test_what_a_key_leaves_on_the_screen_is_what_would_be_drawn_anew(name: str) -> None:
    async with debugger(name, size=(120, 40)) as (pilot, screen):
        for key in ["s", "n", "f", "down", "S", "N", "u", "t", "v", "s", "v", "G", "s", "b", "p"]:
            await press(pilot, key)
            left = painted(pilot.app)
            for widget in screen.walk_children(Widget):
                widget.refresh()
            await pilot.pause()
            assert painted(pilot.app) == left, key


def test_no_key_has_two_meanings() -> None:
    keys = [key for command in COMMANDS for key in command.keys]
    assert sorted(keys) == sorted(BY_KEY)


async def test_goto_goes_and_explains_what_it_cannot_do() -> None:
    async with debugger() as (pilot, screen):
        await press(pilot, *":w9", "enter")
        assert screen.query_one(Prompt).asks
        problem = str(screen.query_one("#problem", Static).content)
        assert "did you mean `w1`" in problem
        screen.query_one(Input).value = "50%"
        await press(pilot, "enter")
        assert screen.now.cursor.position == 13


async def test_goto_can_be_left() -> None:
    async with debugger() as (pilot, screen):
        await press(pilot, "n", ":", "escape")
        assert not screen.query_one(Prompt).asks
        assert screen.now.cursor.position == 1


async def test_a_number_is_predicted_checked_and_shown() -> None:
    async with debugger(size=(140, 45)) as (pilot, screen):
        await press(pilot, *"fnnnnnnnnp")
        assert screen.query_one(Prompt).asks
        question = str(screen.query_one("#question", Static).content)
        assert question == (
            "−8 arrives at h = relu(z1) = relu(1.5) = 1.5. What does z1 receive from it?"
        )
        await press(pilot, "x", "enter")
        assert "`x` is not a number" in str(screen.query_one("#problem", Static).content)
        screen.query_one(Input).value = "-8"
        await press(pilot, "enter")
        assert (screen.now.cursor.position, screen.now.said) == (22, "right: −8 · score 1/1")
        await press(pilot, "p", "?", "enter")
        assert screen.now.said == "it is −8 · score 1/1"


@pytest.mark.parametrize("leave", ["?\r", "\x1b"], ids=["told", "escape"])
async def test_what_would_tell_the_answer_is_hidden_until_the_prompt_closes(leave: str) -> None:
    async with debugger(size=(140, 45)) as (pilot, screen):
        await press(pilot, *"fnnnnnnnn")
        telling = ("1 (z1 > 0)", "backward: loss")

        assert all(words in shown(pilot.app) for words in telling)
        await press(pilot, "p")
        assert not any(words in shown(pilot.app) for words in telling)
        told = leave != "\x1b"
        await press(pilot, *(("?", "enter", "S") if told else ("escape",)))
        assert all(words in shown(pilot.app) for words in telling)
        assert (screen.now.secret, screen.now.cursor.position) == (None, 21)


async def test_predicting_pauses_and_at_the_end_asks_nothing() -> None:
    async with debugger() as (pilot, screen):
        await press(pilot, "space", "p")
        prompt = screen.query_one(Prompt)
        asked = [prompt.asks]
        await press(pilot, "escape", "G", "p")
        assert [*asked, prompt.asks] == [True, False]
        assert "nothing is left to predict" in screen.now.said


async def test_whatever_opens_over_the_screen_pauses_it() -> None:
    async with debugger("xor_tanh") as (pilot, screen):
        await press(pilot, *["+"] * 5, "s")
        start = screen.now
        for key in ["e", ":", "slash", "B", "p", "x", "D", "?", "ctrl+p"]:
            screen.session = start
            await press(pilot, "space")
            await until(pilot, lambda: screen.now.cursor.position > 1)
            await press(pilot, key)
            assert screen.query_one(Prompt).asks or pilot.app.screen is not screen, key
            position = screen.now.cursor.position
            await pilot.pause(0.15)
            assert screen.now.cursor.position == position, key
            await press(pilot, "escape")
            await pilot.pause(0.15)
            assert screen.now.cursor.position == position, key
            assert not screen.query_one(Prompt).asks, key
            assert pilot.app.screen is screen, key


async def test_an_edit_asks_for_the_node_that_it_edits() -> None:
    async with debugger() as (pilot, screen):
        await press(pilot, "/", *"w1", "enter", "e")
        question = screen.query_one("#question", Static)
        assert str(question.content) == "w1 = 0.5. What value instead?"
        assert screen.query_one("#node").visible, "only a prediction hides anything"


async def test_a_search_that_finds_nothing_stays_open() -> None:
    async with debugger() as (pilot, screen):
        await press(pilot, "/", *"zz", "enter")
        assert screen.query_one(Prompt).asks
        problem = str(screen.query_one("#problem", Static).content)
        assert problem == 'no node matches "zz"'


async def test_help_lists_every_command_and_closes() -> None:
    async with debugger(size=(140, 60)) as (pilot, screen):
        await press(pilot, "?")
        help_screen = pilot.app.screen
        assert isinstance(help_screen, HelpScreen)
        shown = "\n".join(str(each.content) for each in help_screen.query(Static))
        words = " ".join(shown.split())
        assert all(command.brief.split()[-1] in words for command in COMMANDS)
        await press(pilot, "?")
        assert pilot.app.screen is screen


async def test_arrows_select_enter_jumps_escape_lets_go() -> None:
    async with debugger() as (pilot, screen):
        await press(pilot, "G", "down", "j", "up")
        scene = screen.now.state.scene
        assert screen.now.selected == scene[1]
        await press(pilot, "enter")
        assert screen.now.cursor.position == 2
        await press(pilot, "down", "escape")
        assert screen.now.selected is None


async def test_selection_stops_at_both_ends_of_the_tape() -> None:
    async with debugger() as (pilot, screen):
        scene = screen.now.state.scene
        await press(pilot, "up", "up")
        assert screen.now.selected == scene[0]
        await press(pilot, *["down"] * (len(scene) + 3))
        assert screen.now.selected == scene[-1]


async def test_a_click_in_the_tape_selects_and_a_second_lets_go() -> None:
    async with debugger() as (pilot, screen):
        await pilot.click("#tape", offset=(5, 3))
        assert screen.now.selected == screen.now.state.scene[2]
        await pilot.click("#tape", offset=(5, 3))
        assert screen.now.selected is None


async def test_a_click_in_the_graph_selects_the_box_under_it() -> None:
    async with debugger(size=(140, 45)) as (pilot, screen):
        panel = screen.query_one("#graph")
        lines = [panel.render_line(y).text for y in range(panel.size.height)]
        row = next(y for y, line in enumerate(lines) if " z1 " in line or "z1╌" in line)
        column = lines[row].index("z1")
        await pilot.click("#graph", offset=(column + 1, row + 1))
        assert screen.now.selected == screen.now.recording.first_named("z1")


async def test_a_click_selects_a_neuron_and_enter_opens_and_closes_it() -> None:
    async with debugger("diagonal_flip", (140, 45)) as (pilot, screen):
        await press(pilot, "G")
        panel = screen.query_one("#graph")
        await pilot.click("#graph", offset=cell(panel, "layer1/neuron3", 2))
        assert screen.now.selected == screen.now.recording.first_named("row1/layer1/neuron3/h")
        await press(pilot, "enter")
        assert str(panel.border_title).startswith("layer1/neuron3")
        lines = [panel.render_line(y).text for y in range(panel.size.height)]
        assert any("w3·x3" in line for line in lines)
        await press(pilot, "enter")
        assert panel.border_title == "network 4-3-4"
        await pilot.click("#graph", offset=cell(panel, " −0.2 ∇ 0 ", 2))
        selected = screen.now.recording.node(screen.now.selected or 0)
        assert selected.name == "layer2/neuron2/w1"


def cell(panel: Widget, text: str, within: int = 0) -> tuple[int, int]:
    """Where a text stands in a panel, for a click on it."""
    lines = [panel.render_line(y).text for y in range(panel.size.height)]
    y = next(y for y, line in enumerate(lines) if text in line)
    content = panel.content_region.offset - panel.region.offset
    return lines[y].index(text) + within + content.x, y + content.y


def mouse(kind: type[MouseEvent], panel: Widget, x: int, y: int, button: int = 0) -> MouseEvent:
    left, top = panel.region.offset
    return kind(panel, x, y, 0, 0, button, False, False, False, left + x, top + y)


async def test_a_click_on_an_edge_goes_to_where_it_is_walked() -> None:
    async with debugger("chain_rule", (140, 45)) as (pilot, screen):
        await press(pilot, "f")
        panel = screen.query_one("#graph")
        await pilot.click("#graph", offset=cell(panel, " 14 ", 1))
        event = screen.now.state.event
        assert isinstance(event, Accumulate)
        assert (screen.now.said, event.local) == ("this edge's backward step", 14.0)
        before = screen.now
        await pilot.click("#graph", offset=cell(panel, " 14 ", 1))
        assert screen.now == before


async def test_a_click_on_a_trunk_of_many_edges_selects_their_operand() -> None:
    async with debugger("sum_over_paths", (140, 45)) as (pilot, screen):
        h = screen.now.recording.first_named("h")
        await press(pilot, "f")
        panel = screen.query_one("#graph")
        nodes = in_view(screen.now)
        layout = draw(screen.now.graph, nodes, FRAMED).painter.layout
        [box] = layout.boxes_of(h)
        [edges] = {layout.wires_at(*box.exit)}
        assert len(edges) == 2
        x, y = cell(panel, "┌h")
        await pilot.click("#graph", offset=(x + box.exit[0] - box.x, y + box.exit[1] - box.y))
        assert screen.now.selected == h


async def test_what_is_drawn_depends_on_the_position_and_not_on_the_way_there() -> None:
    async with debugger("xor_tanh", (140, 45)) as (pilot, screen):
        panel = screen.query_one(GraphPanel)
        await press(pilot, "f")
        seen: dict[int, list[str]] = {}
        for key in [*["s"] * 20, *["S"] * 20]:
            await press(pilot, key)
            lines = [panel.render_line(y).text for y in range(panel.size.height)]
            assert seen.setdefault(screen.now.cursor.position, lines) == lines
        assert len({tuple(lines) for lines in seen.values()}) > 10


async def test_a_click_on_a_folded_scope_opens_it_and_one_on_a_wire_goes_to_its_edges() -> None:
    async with debugger("xor_tanh", (140, 45)) as (pilot, screen):
        folded = frozenset({"layer1", "layer2", "row1", "row2", "row3", "row4"})
        start = screen.now.go(screen.now.cursor.seek(screen.now.recording.steps[0] + 1))
        inside = start.recording.first_named("layer1/neuron2/w1")
        screen.session = replace(start, folded=folded, chosen="near").select(inside)
        await pilot.pause()
        panel = screen.query_one("#graph")
        await pilot.click("#graph", offset=cell(panel, " ×12 ", 2))
        event = screen.now.state.event
        assert isinstance(event, Accumulate)
        assert screen.now.recording.node(event.node).place.scope.startswith("layer1/")
        assert screen.now.folded == folded
        screen.session = screen.now.select(inside)
        await pilot.pause()
        await pilot.click("#graph", offset=cell(panel, "+ layer1 ", 3))
        assert screen.now.folded == folded - {"layer1"}


async def test_a_pan_is_no_click() -> None:
    async with debugger("chain_rule", (140, 45)) as (pilot, screen):
        await press(pilot, "f")
        before = screen.now
        x, y = cell(screen.query_one("#graph"), "x")
        panel = screen.query_one("#graph")
        await pilot.mouse_down(panel, offset=(x, y))
        panel.post_message(mouse(MouseMove, panel, x + 1, y, button=1))
        await pilot.mouse_up(panel, offset=(x, y))
        await pilot.pause()
        assert screen.now == before


async def test_a_click_in_the_ledger_goes_to_where_it_was_paid() -> None:
    async with debugger("sum_over_paths") as (pilot, screen):
        h = screen.now.recording.first_named("h")
        screen.session = screen.now.go(screen.now.cursor.seek(10**9)).select(h)
        await pilot.pause()
        paid = contributions(screen.now.recording, h, screen.now.cursor.position)
        assert len(paid) == 2
        await pilot.click("#node", offset=(12, 3))
        assert (screen.now.cursor.position, screen.now.selected) == (paid[0].position, h)
        await press(pilot, "a")
        assert (screen.now.cursor.position, screen.now.selected) == (paid[1].position, h)
        await press(pilot, "A")
        assert screen.now.cursor.position == paid[0].position
        await pilot.click("#node", offset=(12, 1))
        assert screen.now.cursor.position == screen.now.recording.history.made_at(h)


async def test_the_wheel_zooms_the_plot_where_the_mouse_is() -> None:
    async with debugger("xor_tanh", (140, 45)) as (pilot, screen):
        await press(pilot, "t", "v", "v", "v")
        assert screen.now.view == "plot"
        panel = screen.query_one("#graph")
        panel.post_message(mouse(MouseScrollUp, panel, 40, 5))
        await pilot.pause()
        assert screen.now.zoom == 1
        assert screen.now.selected is not None
        panel.post_message(mouse(MouseScrollDown, panel, 40, 5))
        await pilot.pause()
        assert screen.now.zoom == 0
        await pilot.click("#graph", offset=(40, 8))
        assert screen.now.selected is not None


async def test_a_step_lays_nothing_out_where_the_nodes_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    laid_out: list[int] = []

    def counted(items: Sequence[Item]) -> Layout:
        laid_out.append(len(items))
        return lay_out(items)

    monkeypatch.setattr(graph, "lay_out", counted)
    for view in ("near", "whole"):
        async with debugger("xor_tanh", (140, 45)) as (pilot, screen):
            scene = screen.now.state.scene
            start = screen.now.go(screen.now.cursor.seek(1000))
            screen.session = replace(start, chosen=view)
            await pilot.pause()
            laid_out.clear()
            await press(pilot, *"snsSNs")
            assert screen.now.state.scene is start.state.scene is not scene
            assert len(laid_out) <= (6 if view == "near" else 0)
            await press(pilot, "down", "b", "i")
            assert view == "near" or not laid_out


async def test_a_click_on_the_timeline_seeks() -> None:
    async with debugger() as (pilot, screen):
        await pilot.click("#timeline", offset=(70, 1))
        position = screen.now.cursor.position
        assert screen.now.state.phase == "backward"
        await pilot.click("#timeline", offset=(60, 1))
        assert 13 < screen.now.cursor.position < position


@pytest.mark.parametrize("size", [(80, 24), (140, 45), (60, 20), (200, 60), (30, 8)])
async def test_resizing_keeps_the_place_and_shows_the_current_node(size: tuple[int, int]) -> None:
    async with debugger(size=(100, 30)) as (pilot, screen):
        await press(pilot, "f", "n", "n")
        position = screen.now.cursor.position
        await pilot.resize_terminal(*size)
        await pilot.pause()
        assert screen.now.cursor.position == position
        tape = screen.query_one("#tape")
        lines = [tape.render_line(y).text for y in range(tape.size.height)]
        assert any("◀" in line for line in lines)


async def test_every_position_of_every_panel_can_be_drawn() -> None:
    for name in ("two_layer", "sum_over_paths", "dead_relu"):
        async with debugger(name) as (pilot, screen):
            length = screen.now.recording.length
            for _ in range(length + 1):
                await press(pilot, "s")
            assert screen.now.cursor == Cursor(screen.now.recording, length)


async def test_at_80x24_most_keys_are_in_view_and_what_the_signs_mean_is_scrolled_to() -> None:
    async with debugger() as (pilot, _):
        await press(pilot, "?")
        box = pilot.app.screen.query_one("#report")
        assert box.max_scroll_y <= len(LEGEND) + box.size.height // 3
        await press(pilot, "pagedown")
        await pilot.pause(0.5)
        assert box.scroll_y == box.max_scroll_y


def lines_of(panel: Widget) -> list[str]:
    """The lines of a panel."""
    return [panel.render_line(y).text.rstrip() for y in range(panel.size.height)]


def test_the_help_explains_the_signs_of_the_drawings_and_the_switches() -> None:
    for sign in ("∇", "Σ", "┼", "┄▶", "empty frames", "z → h", "∇z ← ∇h", "2 → 2.1",
                 "NO_COLOR", "TEXTUAL_ANIMATIONS", "--theme"):  # fmt: skip
        assert any(sign in line for line in LEGEND), sign


async def test_where_there_is_room_the_lesson_stays_and_the_source_begins_below_it() -> None:
    async with debugger("chain_rule", size=(140, 45)) as (pilot, screen):
        await press(pilot, "s", "s")
        lesson, source = screen.query_one("#lesson"), screen.query_one("#source")
        assert lesson.display
        assert any("Check it: press G" in line for line in lines_of(lesson))
        assert lines_of(source)[0].endswith("inputs: {x: 2.0}")
        assert not screen.query_one("#parameters").display
    async with debugger("xor_tanh", size=(140, 45)) as (_, screen):
        assert all(screen.query_one(f"#{name}").display for name in ("lesson", "parameters"))


@pytest.mark.parametrize("size", [(140, 45), (200, 60), (120, 36)])
async def test_a_few_parameters_leave_their_lines_to_the_panel_above(size: tuple[int, int]) -> None:
    async with debugger("forgotten_zero_grad", size=size) as (_, screen):
        few, lesson, tape = (
            screen.query_one(f"#{name}") for name in ("parameters", "lesson", "tape")
        )
        assert few.size.height == 1
        assert lesson.region.height + few.region.height == tape.region.height
    async with debugger("xor_tanh", size=size) as (_, screen):
        many, lesson = screen.query_one("#parameters"), screen.query_one("#lesson")
        assert abs(many.region.height - lesson.region.height) <= 1
    with record() as recording:
        weight = Value(0.5, label="w")
        for _ in range(2):
            (weight * weight).backward()
            weight.data -= 0.1
    async with DebuggerApp(recording).run_test(size=size) as pilot:
        names = ("parameters", "node", "tape", "source")
        few, node, tape, source = (pilot.app.screen.query_one(f"#{name}") for name in names)
        assert few.size.height == 1
        assert node.region.height + few.region.height == tape.region.height == source.region.height


async def test_the_lesson_alone_is_scrolled_with_the_keys_of_a_list() -> None:
    async with debugger("diagonal_flip", size=(60, 16)) as (pilot, screen):
        await press(pilot, "7")
        lesson = screen.query_one("#lesson")
        before = lines_of(lesson)
        assert before[-1] == "… ↓"
        assert "PgDn" in str(screen.query_one("#notice", Static).content)
        for key, lines in (("j", 1), ("down", 2), ("k", 1), ("up", 0)):
            await press(pilot, key)
            await pilot.pause(0.3)
            assert lesson.scroll_y == lines, key
            assert screen.now.selected is None
        await press(pilot, *["pagedown"] * 9)
        await pilot.pause(0.5)
        assert lesson.scroll_y == lesson.max_scroll_y
        assert lines_of(lesson)[-1] != "… ↓"


async def test_a_broad_screen_is_shared_evenly_by_a_network_and_its_training() -> None:
    async with debugger("xor_tanh", size=(140, 45)) as (pilot, screen):
        graph, training = (
            screen.query_one(f"#{name}").size.width for name in ("graph", "training")
        )
        await pilot.resize_terminal(200, 60)
        await pilot.pause()
        broad = screen.query_one("#graph").size.width
        assert broad - graph >= 40
        assert screen.query_one("#training").size.width >= training


async def test_while_a_number_is_asked_for_nothing_shows_what_comes() -> None:
    async with debugger("xor_tanh", size=(140, 45)) as (pilot, screen):
        panels = [screen.query_one(f"#{name}") for name in ("lesson", "parameters", "training")]
        assert all(panel.visible for panel in panels)
        await press(pilot, "p")
        assert not any(panel.visible for panel in panels)


async def test_a_panel_alone_makes_way_for_the_others_where_a_question_would_blank_it() -> None:
    async with debugger("xor_tanh", size=(140, 45)) as (pilot, screen):
        await press(pilot, "f")
        start = screen.now
        for key in "123456789":
            screen.session = start
            await press(pilot, key)
            alone = screen.maximized
            assert alone is not None, key
            await press(pilot, "p")
            assert screen.prompt.asks, key
            hidden = alone.id in ("source", "lesson", "parameters", "training")
            assert screen.maximized is (None if hidden else alone), key
            assert screen.query_one("#node").region.height > 0 or not hidden, key
            await press(pilot, "escape")
            assert screen.maximized is alone, key
            await press(pilot, key)
            assert screen.maximized is None, key


async def test_an_edit_keeps_the_selection() -> None:
    async with debugger() as (pilot, screen):
        await press(pilot, "G", "/", *"w1", "enter", "e", *"0.7", "enter")
        assert screen.now.selected == screen.now.recording.first_named("w1")
        assert screen.now.state.value(screen.now.selected) == 0.7


def foot(screen: DebuggerScreen) -> str:
    """The keys that the foot of the screen names."""
    line = screen.query_one(Keys).render()
    assert line.cell_length <= screen.size.width
    return line.plain.strip()


async def test_the_foot_of_the_screen_names_the_keys_of_the_moment() -> None:
    async with debugger() as (pilot, screen):
        assert foot(screen) == "s step  n node  f phase  7 lesson  ? help  q quit"
        await press(pilot, "s")
        assert foot(screen).startswith("s step  S back  n node  f phase  p predict")
        await press(pilot, "down")
        assert "e edit  ] nudge  Esc clear" in foot(screen)
        await press(pilot, "p")
        assert foot(screen) == "Enter answer  Esc leave"
        await press(pilot, "escape")
        assert "q quit" in foot(screen)


async def test_the_foot_of_the_screen_leaves_out_what_cannot_work() -> None:
    with record() as recording:
        Value(2.0)
    async with DebuggerApp(recording).run_test(size=(140, 24)) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, DebuggerScreen)
        await press(pilot, "G", "down")
        assert not any(word in foot(screen) for word in ("edit", "lesson", "paths", "wrote"))
        await press(pilot, "e")
        assert "only a scenario can run again" in shown(pilot.app)


async def test_with_a_verdict_the_foot_names_what_lists_and_explains_it() -> None:
    async with debugger("disconnected_parameter", size=(100, 24)) as (pilot, screen):
        await settle(pilot)
        assert "! verdicts  y why" in foot(screen)


async def test_a_click_on_a_key_at_the_foot_presses_it() -> None:
    async with debugger() as (pilot, screen):
        await pilot.click(Keys, offset=(foot(screen).index("node") + 2, 0))
        await pilot.pause()
        assert screen.now.cursor == Cursor(screen.now.recording).next_node()


async def test_the_tape_says_what_its_columns_are() -> None:
    async with debugger("forward_and_reverse") as (pilot, screen):
        tape = screen.query_one("#tape")
        for position, heading in ((0, "gradient"), (2, "tangent"), (10**6, "gradient")):
            screen.session = screen.now.go(screen.now.cursor.seek(position))
            await pilot.pause()
            title = Content.from_markup(str(tape.border_title)).plain
            assert re.fullmatch(rf"tape ─+ value ─+ {heading}", title)


async def test_every_command_is_known_to_the_screen() -> None:
    async with debugger() as (_, screen):
        for command in COMMANDS:
            if command.name != "palette":
                assert callable(getattr(screen, f"action_{command.name}", None)), command.name


async def test_the_palette_has_every_command_and_little_else() -> None:
    async with debugger(size=(120, 80)) as (pilot, _):
        await press(pilot, "ctrl+p")
        await pilot.pause(0.3)
        options = pilot.app.screen.query_one(OptionList).options
        shown = "\n".join(str(option.prompt) for option in options)
        listed = [command for command in COMMANDS if command.name != "palette"]
        assert all(command.help in shown for command in listed)
        assert len(options) == len(listed) + 2
        assert "Change the current theme" in shown


async def test_the_palette_finds_a_command_and_does_it() -> None:
    async with debugger() as (pilot, screen):
        await press(pilot, "ctrl+p", *"who")
        await pilot.pause(0.3)
        await press(pilot, "enter")
        assert "no earlier write to" in screen.now.said


PANEL_KEYS = [(command.panel, command.keys[0]) for command in COMMANDS if command.panel]


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (140, 45), (40, 12)])
async def test_a_panel_alone_and_back(size: tuple[int, int]) -> None:
    async with debugger("xor_tanh", size=size) as (pilot, screen):
        await press(pilot, "s")
        for position, (panel, key) in enumerate(PANEL_KEYS, 2):
            await press(pilot, key)
            assert screen.maximized is screen.query_one(f"#{panel}")
            assert screen.maximized.size.height >= 3
            assert screen.maximized.region.width == size[0]
            await press(pilot, "s")
            assert screen.now.cursor.position == position
            await press(pilot, key)
            assert screen.maximized is None


async def test_tab_goes_round_the_panels_and_back_to_all() -> None:
    async with debugger("xor_tanh") as (pilot, screen):
        seen = []
        for _ in range(len(PANEL_KEYS) + 1):
            await press(pilot, "tab")
            seen.append(screen.maximized.id if screen.maximized else None)
        assert seen == [panel for panel, _ in PANEL_KEYS] + [None]
        await press(pilot, "shift+tab")
        assert screen.maximized is screen.query_one(f"#{PANEL_KEYS[-1][0]}")


async def test_a_panel_with_nothing_to_show_is_not_offered() -> None:
    async with debugger(size=(79, 24)) as (pilot, screen):
        await pilot.pause()
        notice = str(screen.query_one("#notice", Static).content)
        assert "lesson" in notice
        assert "training" not in notice
        await press(pilot, "9")
        assert screen.maximized is None
        assert screen.now.said == "training: no training in this recording"
        await press(pilot, "shift+tab")
        assert screen.maximized is screen.query_one("#lesson")
        await press(pilot, "?")
        assert "8 parameters" not in shown(pilot.app)


async def test_a_click_on_a_title_shows_the_panel_alone_and_back() -> None:
    async with debugger(size=(140, 45)) as (pilot, screen):
        for panel in ("tape", "node", "graph", "chain", "timeline", "source", "lesson"):
            await pilot.click(f"#{panel}", offset=(3, 0))
            await pilot.pause()
            assert screen.maximized is screen.query_one(f"#{panel}")
            await pilot.click(f"#{panel}", offset=(3, 0))
            await pilot.pause()
            assert screen.maximized is None
        assert screen.now.selected is None


async def test_a_click_in_the_chain_line_selects_the_node_of_the_name() -> None:
    async with debugger() as (pilot, screen):
        await press(pilot, "G")
        row = screen.query_one(Chain).render().plain.split("\n")[0]
        await pilot.click(Chain, offset=(row.index("w1") + 1, 1))
        await pilot.pause()
        assert screen.now.selected == screen.now.recording.first_named("z1") - 1  # w1·x


async def test_a_click_on_a_line_of_the_source_goes_to_its_event() -> None:
    async with debugger(size=(140, 45)) as (pilot, screen):
        await pilot.pause()
        panel = screen.query_one(SourcePanel)
        lines = lines_of(panel)
        row = next(i for i, line in enumerate(lines) if "h = relu(z1)" in line)
        await pilot.click(SourcePanel, offset=(8, row + 1))
        await pilot.pause()
        assert screen.now.state.focus == screen.now.recording.first_named("h")


async def test_a_click_on_a_key_in_the_lesson_presses_it() -> None:
    async with debugger(size=(140, 45)) as (pilot, screen):
        await pilot.pause()
        row = next(
            i for i, line in enumerate(lines_of(screen.query_one("#lesson"))) if "Press f" in line
        )
        await pilot.click("#lesson", offset=(4 + len("Press "), row + 1))
        await pilot.pause()
        assert screen.now.cursor == Cursor(screen.now.recording).phase_end()


async def test_a_click_on_a_hidden_panel_shows_it_alone() -> None:
    async with debugger(size=(70, 20)) as (pilot, screen):
        await pilot.pause()
        text = str(screen.query_one("#notice", Static).content)
        await pilot.click("#notice", offset=(text.index("graph") + 2, 0))
        await pilot.pause()
        assert screen.maximized is screen.query_one("#graph")


async def test_a_click_on_the_matches_of_the_header_lists_them() -> None:
    async with debugger(size=(140, 45)) as (pilot, _):
        await press(pilot, "G")
        await pilot.click("#header", offset=(130, 0))
        await pilot.pause()
        assert "✓ h.grad = −8" in shown(pilot.app)


@pytest.mark.parametrize(
    ("size", "words"),
    [((79, 24), "hidden:  2 node"), ((59, 24), "small terminal"), ((80, 19), "small terminal")],
)
async def test_what_has_no_room_is_told(size: tuple[int, int], words: str) -> None:
    async with debugger(size=size) as (pilot, screen):
        await pilot.pause()
        notice = screen.query_one("#notice", Static)
        assert notice.display
        assert words in str(notice.content)


@pytest.mark.parametrize(
    ("size", "classes"),
    [((120, 40), {"-wide", "-high"}), ((80, 24), {"-narrow", "-middling"})],
    ids=("large", "small"),
)
async def test_the_first_layout_knows_the_size_of_the_terminal(
    size: tuple[int, int], classes: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_mount: list[set[str]] = []
    sizes = {"-tiny", "-slim", "-narrow", "-wide", "-low", "-middling", "-high"}
    monkeypatch.setattr(
        DebuggerScreen,
        "on_mount",
        lambda screen: at_mount.append(set(screen.classes)),
        raising=False,
    )
    async with debugger(size=size) as (_, screen):
        assert [each & sizes for each in at_mount] == [classes]
        assert screen.classes & sizes == classes


async def test_the_line_of_interest_is_in_view_from_the_start() -> None:
    async with debugger(size=(120, 36)) as (_, screen):
        source = screen.query_one(SourcePanel)
        line = source.line_of_interest()
        assert line is not None
        assert line >= source.size.height
        assert 0 <= line - source.scroll_offset.y < source.size.height


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
def test_no_color_makes_areas_grey_that_the_eye_tells_apart(
    monkeypatch: pytest.MonkeyPatch, theme: str
) -> None:
    coloured = DebuggerApp(theme=theme).get_theme_variable_defaults()
    monkeypatch.setenv("NO_COLOR", "1")
    grey = DebuggerApp(theme=theme).get_theme_variable_defaults()
    assert {name for name in grey if grey[name] != coloured[name]} == {
        f"{side}-{i}" for side in ("positive", "negative") for i in range(3)
    }


async def test_the_help_points_down_only_where_there_is_more() -> None:
    async with debugger(size=(80, 24)) as (pilot, _):
        await press(pilot, "?")
        box = pilot.app.screen.query_one("#report")
        assert "PgDn" in str(box.border_subtitle)
        await pilot.press("end")
        await pilot.pause()
        assert box.border_subtitle == "Esc closes"
    async with debugger(size=(140, 70)) as (pilot, _):
        await press(pilot, "?")
        assert pilot.app.screen.query_one("#report").border_subtitle == "Esc closes"


def test_a_theme_that_does_not_exist() -> None:
    with pytest.raises(ThemeError, match="did you mean `textual-light`"):
        DebuggerApp(theme="textual-ligth")


async def test_quit_leaves() -> None:
    async with debugger() as (pilot, _):
        await press(pilot, "q")
    assert pilot.app.return_code == 0


async def test_the_picture_in_the_readme_is_of_today() -> None:
    assert PICTURE.read_text(encoding="utf-8") == await take(), "run python tests/picture.py"


async def test_the_source_is_the_file_of_the_node_that_is_spoken_of(tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text("def double(x):\n    return x * 2\n")
    path = tmp_path / "own.py"
    path.write_text(
        "import parts\nfrom stepgrad import Value\n\nparts.double(Value(1.0))\nexec('Value(3)')\n"
    )
    app = DebuggerApp(run_program(str(path)).recording)
    async with app.run_test(size=(140, 45)) as pilot:
        panel = app.screen.query_one(SourcePanel)
        for file, current in (
            ("own.py", "▶  4 parts.double(Value(1.0))"),
            ("parts.py", "▶  2     return x * 2"),
            ("<string>", "no source for <string>"),
        ):
            await press(pilot, "s")
            assert file in str(panel.border_title)
            shown = [panel.line(n, 40).plain for n in range(panel.count)]
            assert current in shown


async def test_a_report_is_never_wider_than_the_screen() -> None:
    async with debugger("two_layer", size=(60, 20)) as (pilot, _):
        await press(pilot, "G", "x")
        report = pilot.app.screen.query_one("#report")
        assert report.virtual_size.width <= report.size.width
        assert report.virtual_size.height == 3  # what was found, and a path in two lines


async def test_what_an_edit_changed_is_a_line_for_each_name_at_80_columns() -> None:
    async with debugger("xor_tanh") as (pilot, screen):
        await press(pilot, "G", "e", *"layer1/neuron1/w1=0.7", "enter")
        await pilot.pause(0.5)
        *table, _ = difference_report(screen.now).plain.splitlines()
        await press(pilot, "D")
        report = pilot.app.screen.query_one("#report")
        assert report.virtual_size.height == len(table) + 2  # the first event, in two lines


async def test_what_a_program_says_of_itself_is_its_lesson_and_a_write_shows_its_line() -> None:
    path = Path(__file__).parents[2] / "scenarios" / "overwritten_gradient.py"
    app = DebuggerApp(run_program(str(path)).recording)
    async with app.run_test(size=(140, 45)) as pilot:
        await press(pilot, "7")
        assert app.screen.maximized is app.screen.query_one("#lesson")
        await press(pilot, "7", "slash", "h", "enter", "a", "a")
        source = app.screen.query_one(SourcePanel)
        line = source.line_of_interest()
        assert line is not None
        assert path.read_text().splitlines()[line].startswith("h.grad = -1 * z2.grad")


async def test_the_first_message_is_what_the_debugger_is_opened_with() -> None:
    with record() as recording:
        Value(2.0)
    app = DebuggerApp(recording, position=1, said="⟦quit⟧ continues the program")
    async with app.run_test(size=(80, 24)) as pilot:
        assert "q continues the program" in str(app.screen.query_one(Chain).border_title)
        await press(pilot, "S")
        assert "continues" not in str(app.screen.query_one(Chain).border_title)


async def test_in_the_list_of_parameters_keys_go_line_by_line() -> None:
    with record() as recording:
        w = [[Value(float(i - j), label=f"w[{i}][{j}]") for j in range(6)] for i in range(6)]
        b = [Value(float(i), label=f"b[{i}]") for i in range(3)]
        everything = [*(each for row in w for each in row), *b]
        sum((each * each for each in everything), Value(0.0)).backward()
        SGD(everything, 0.1).step()
    app = DebuggerApp(recording)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = app.screen
        assert isinstance(screen, DebuggerScreen)
        await press(pilot, "G", "8", "up", "up")
        assert shown(app).splitlines()[2].startswith(" ›+ w (6×6)")
        await press(pilot, "z")
        assert shown(app).splitlines()[3].startswith(" ›  [0][0]")
        await press(pilot, "z", "down")
        assert screen.now.selected == recording.first_named("b[0]")
        assert screen.now.in_closed
        await press(pilot, "8")
        assert not screen.now.in_closed, "elsewhere, keys are for the tape"
