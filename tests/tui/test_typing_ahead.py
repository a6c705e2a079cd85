"""Keys that arrive together, as those of a fast typist or of a paste do."""

from __future__ import annotations

from itertools import product

import pytest
from textual.events import Key, Paste
from textual.pilot import Pilot
from textual.widgets import Input

from screens import debugger, drained, shown
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.tui.app import DebuggerApp
from stepgrad.tui.gallery.screen import GalleryScreen
from stepgrad.tui.screen.debugger import DebuggerScreen
from stepgrad.tui.widgets.prompt import Prompt

NAMED = {"\r": "enter", "\x1b": "escape", "\x7f": "backspace", "\t": "tab",
         "/": "slash", ":": "colon", ".": "full_stop", "=": "equals_sign", " ": "space",
         "?": "question_mark", "%": "percent_sign"}  # fmt: skip


async def at_once(pilot: Pilot[None], text: str) -> None:
    """Let keys arrive in one read."""
    for character in text:
        pilot.app.post_message(Key(NAMED.get(character, character), character))
    await drained(pilot)


@pytest.mark.parametrize("opened", [False, True])
async def test_a_prompt_is_closed_once(opened: bool) -> None:
    endings = ("\r\r", "\r\r\r\r\r", "\x1b\x1b", "\r\x1b")
    async with debugger() as (pilot, screen):
        start = screen.now
        for prompt, then in product(("p5", "e5", "B", ":50%", "/w"), endings):
            screen.session = start
            if opened:
                await at_once(pilot, prompt)
                assert screen.query_one(Prompt).asks, prompt
            await at_once(pilot, then if opened else prompt + then)
            assert not screen.query_one(Prompt).asks, (prompt, then)
            await at_once(pilot, "G")
            assert screen.now.cursor.position == screen.now.recording.length, (prompt, then)


@pytest.mark.parametrize("text", ["x\x1b\x1b", "D\r\r", "?\x1b\x1b", "?qq", "Dqq"], ids=repr)
async def test_what_is_read_is_closed_once(text: str) -> None:
    async with debugger() as (pilot, screen):
        await at_once(pilot, text)
        if "qq" in text:
            assert not pilot.app.is_running
        else:
            assert pilot.app.screen is screen


async def test_keys_after_an_enter_in_the_gallery_go_to_the_lesson() -> None:
    app = DebuggerApp()
    async with app.run_test() as pilot:
        await at_once(pilot, "Ggj\r\rsss:5\rs")
        assert isinstance(app.screen, DebuggerScreen)
        assert app.screen.now.cursor.position == 6
        await at_once(pilot, "q")
        assert isinstance(app.screen, GalleryScreen)


@pytest.mark.parametrize(
    ("text", "title"),
    [("/zzz\r", ""), ("/dead relu\r", "dead_relu"), ("/dead relux\x7f\r", "dead_relu")],
)
async def test_a_search_in_the_gallery_finds_what_is_typed_by_then(text: str, title: str) -> None:
    app = DebuggerApp()
    async with app.run_test() as pilot:
        await at_once(pilot, text)
        if title:
            assert isinstance(app.screen, DebuggerScreen)
            assert app.screen.now.recording.name == f"{title}.yaml"
        else:
            assert isinstance(app.screen, GalleryScreen)


async def test_what_is_typed_ahead_of_a_prompt_lands_in_it() -> None:
    async with debugger() as (pilot, screen):
        start = screen.now
        for prompt, text, expected in (
            ("/", "neuron3/h", "neuron3/h"), (":", "w1", "w1"), ("e", "w1=0.5", "w1=0.5"),
            ("B", "abs(grad)>5", "abs(grad)>5"), ("p", "0.25", "0.25"), (":", "q?.s", "q?.s"),
            (":", "w12\x7f", "w1"), ("/", "w2\x7f1", "w1"),
        ):  # fmt: skip
            screen.session = start
            await at_once(pilot, prompt + text)
            assert screen.query_one(Prompt).asks, prompt
            assert screen.query_one(Input).value == expected
            assert screen.now.cursor.position == (6 if prompt == "p" else 0), prompt
            await at_once(pilot, "\x1b")


async def test_a_prompt_answered_in_one_breath_lets_the_keys_behind_it_through() -> None:
    async with debugger() as (pilot, screen):
        await at_once(pilot, ":5\rsss")
        assert (pilot.app.screen, screen.now.cursor.position) == (screen, 8)


async def test_what_follows_a_bad_answer_lands_in_the_prompt() -> None:
    async with debugger() as (pilot, screen):
        await at_once(pilot, ":w9\rsx")
        assert screen.query_one(Prompt).asks
        assert screen.query_one(Input).value == "w9sx"
        assert screen.now.cursor.position == 0


async def test_all_keys_keep_their_order_however_fast_they_come() -> None:
    async with debugger("xor_tanh") as (pilot, screen):
        await at_once(pilot, ":241\rp")
        assert (screen.query_one(Prompt).asks, screen.now.cursor.position) == (True, 241)
        await at_once(pilot, "\x1bGx\x1bs?qgs:9\r/w1\rnD\rss")
        assert (pilot.app.screen, screen.now.sought) == (screen, "w1")
        assert screen.now.cursor.position == 12


async def test_keys_from_before_there_is_a_screen_wait_for_it() -> None:
    scenario = open_scenario("two_layer")
    app = DebuggerApp(record_file(scenario), scenario)
    for character in ":5\nss":  # Enter, as a terminal that is not yet the screen's has it
        name = "ctrl+j" if character == "\n" else NAMED.get(character, character)
        app.post_message(Key(name, character))
    async with app.run_test() as pilot:
        await pilot.pause()
        assert isinstance(app.screen, DebuggerScreen)
        assert app.screen.now.cursor.position == 7


async def test_a_paste_and_the_enter_after_it_answer() -> None:
    async with debugger() as (pilot, screen):
        pilot.app.post_message(Key("colon", ":"))
        pilot.app.post_message(Paste("5\nnot this"))
        await at_once(pilot, "\rs")
        assert screen.now.cursor.position == 6


@pytest.mark.parametrize("size", [(80, 24), (140, 45), (60, 20), (40, 12)])
async def test_a_prompt_hides_neither_the_chain_line_nor_its_problem(
    size: tuple[int, int],
) -> None:
    async with debugger(size=size) as (pilot, screen):
        start = screen.now
        for keys in ("fnnnnnp", ":w9\r", "B", "%", "4/", "7:"):
            screen.session = start
            await at_once(pilot, keys)
            chain, prompt = screen.query_one("#chain"), screen.query_one(Prompt)
            assert prompt.asks, keys
            assert chain.region.height == 4, keys
            assert chain.region.bottom <= prompt.region.y < prompt.region.bottom <= size[1], keys
            await at_once(pilot, "\x1b")
            assert not prompt.asks, keys
            if keys[0].isdigit():
                assert screen.maximized is not None, "Esc leaves the prompt first"
                await at_once(pilot, "\x1b")
            assert screen.maximized is None, keys


@pytest.mark.parametrize("size", [(80, 24), (140, 45)])
async def test_what_may_be_typed_is_there_in_full(size: tuple[int, int]) -> None:
    async with debugger(size=size) as (pilot, _):
        await at_once(pilot, "%")
        assert "open NODE, skip_update K; leave empty for none" in " ".join(
            shown(pilot.app).split()
        )


async def test_who_points_at_something_is_not_asked_any_more() -> None:
    async with debugger() as (pilot, screen):
        await pilot.press("s", "p")
        assert screen.now.cursor.position == 6
        await pilot.click("#tape", offset=(5, 2))
        assert not screen.query_one(Prompt).asks
        await pilot.press("S")
        assert screen.now.cursor.position == 5


async def test_a_dialog_has_the_keys_to_itself() -> None:
    async with debugger() as (pilot, screen):
        await pilot.press("?", "ctrl+p", "s", "escape", "s")
        assert (pilot.app.screen, screen.now.cursor.position) == (screen, 1)
