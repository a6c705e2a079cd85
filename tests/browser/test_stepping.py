"""The replay in a browser: it shows what the debugger says, wherever a person goes in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from browsing import opened
from stepgrad import Cursor, record_scenario
from stepgrad.headless import narration
from stepgrad.replay.commands.table import BY_NAME
from stepgrad.replay.graph.contents import Node
from stepgrad.replay.session import Session
from stepgrad.replay.state import State
from stepgrad.replay.telling.sentences import say

expect.set_options(timeout=20_000)
pytestmark = pytest.mark.asyncio(loop_scope="session")

READ = """() => {
  const text = (selector) => document.querySelector(selector).textContent;
  const [symbols, numbers, effect] = [".symbols", ".numbers", ".effect"].map(text);
  const shown = (element) => [...element.querySelectorAll(".number")].map((n) => n.textContent);
  return {
    place: text(".place a"),
    notation: [symbols, numbers].filter(Boolean).join(" ") + (effect && `   [${effect}]`),
    sentence: text("#sentence"),
    tape: [...document.querySelectorAll(".rows tr[data-part]")].map(shown),
    boxes: [...document.querySelectorAll(".box")].map((box) =>
      [box.querySelector(".name").textContent, ...shown(box)].join(" ").trim()),
    current: document.querySelectorAll(".rows tr[data-state=current]").length,
  };
}"""

WALK = f"""async (name) => {{
  const read = {READ}, seen = [read()];
  const button = document.querySelector(`.buttons [data-do=${{name}}]`);
  while (!button.disabled && seen.length < 2000) {{
    button.click();
    seen.push(read());
  }}
  return seen;
}}"""


async def position(page: Page) -> int:
    found = re.match(r"event ([\d,]+)", await page.inner_text(".place"))
    assert found is not None
    return int(found[1].replace(",", ""))


@pytest.mark.parametrize(
    "name", ["two_layer", "dual_numbers", "forgotten_zero_grad", "gradient_is_nan", "dead_relu"]
)
async def test_each_event_has_the_words_and_numbers_of_the_debugger(
    name: str, page: Page, tmp_path: Path
) -> None:
    recording = record_scenario(name)
    await opened(page, tmp_path, recording)
    seen = await page.evaluate(WALK, "step")
    assert len(seen) == recording.length + 1
    assert seen[0]["notation"] == "Nothing has happened yet."
    lines = [line.split(maxsplit=2)[2] for line in narration(recording)]
    assert [each["notation"] for each in seen[1:]] == lines
    assert [each["sentence"] for each in seen[1:]] == [
        say(recording, index) for index in range(recording.length)
    ]
    for at, each in enumerate(seen):
        state = State(recording, at)
        told = [
            [number.text for number in [*node.numbers][:2]] or ["", ""]
            for node in (Node(state, index) for index in state.scene)
        ]
        assert (at, each["tape"]) == (at, told)
        assert each["current"] == (state.focus in state.scene)
    back = await page.evaluate(WALK, "step_back")
    assert back == seen[::-1]


async def test_a_step_of_a_network_has_its_scopes_folded_in_the_graph_not_in_the_tape(
    page: Page, tmp_path: Path
) -> None:
    recording = record_scenario("xor_tanh")
    begin = recording.steps[3]
    await opened(page, tmp_path, recording, f"#{begin + 300}", steps=[3, 50])
    seen = await page.evaluate(READ)
    assert seen["place"] == f"event {begin + 300:,} of 39,853 · ◀ backward · step 3"
    assert len(seen["tape"]) == len(State(recording, begin + 300).scene)
    assert any(box.startswith("+ layer1 ×12") for box in seen["boxes"])
    await page.keyboard.press("t")
    assert await position(page) == recording.steps[50] + 300
    assert await page.inner_text("#step-name") == "step 50"
    await page.keyboard.press("t")
    assert await position(page) == recording.steps[50] + 300
    await page.keyboard.press("Home")
    assert await position(page) == begin + 1


MOVES = """async ([keys, positions]) => {
  const seen = {};
  const link = document.body.appendChild(document.createElement("a"));
  history.replaceState = () => {};  // which takes far longer than the move itself
  for (const key of keys) {
    seen[key] = positions.map((position) => {
      link.setAttribute("href", `#${position}`);
      link.click();
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
      return Number(document.querySelector(".place a").getAttribute("href").slice(1));
    });
  }
  return seen;
}"""


@pytest.mark.parametrize("name", ["two_layer", "forgotten_zero_grad", "forward_and_reverse"])
async def test_keys_lead_where_they_lead_in_the_terminal(
    name: str, page: Page, tmp_path: Path
) -> None:
    recording = record_scenario(name)
    await opened(page, tmp_path, recording)
    commands = [command for command in BY_NAME.values() if command.act in _MOVED]
    keys = [key for command in commands for key in command.keys if len(key) == 1]
    positions = [*range(recording.length + 1)]
    seen = await page.evaluate(MOVES, [keys, positions])
    for command in commands:
        assert command.act is not None
        told = [command.act(Session(Cursor(recording, each))).cursor.position for each in positions]
        for key in command.keys:
            assert (key, seen.get(key, told)) == (key, told)


_MOVED = [
    BY_NAME[name].act
    for name in (
        "step", "step_back", "next_node", "previous_node", "phase_end", "phase_start",
        "next_step", "previous_step", "start", "end",
    )
]  # fmt: skip


async def test_arrows_and_home_and_end_are_keys_too(page: Page, tmp_path: Path) -> None:
    await opened(page, tmp_path, record_scenario("two_layer"))
    for key, there in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", 26)):
        await page.keyboard.press(key)
        assert await position(page) == there
    await page.focus("#position")
    await page.keyboard.press("ArrowLeft")  # once, not by the slider as well
    assert await position(page) == 25
    await page.keyboard.press("Control+s")
    assert await position(page) == 25


async def test_links_lead_to_events_and_the_address_follows(page: Page, tmp_path: Path) -> None:
    await opened(page, tmp_path, record_scenario("two_layer"), "#21")
    assert await position(page) == 21
    await page.keyboard.press("s")
    await page.wait_for_url("**#22")
    await page.evaluate("location.hash = '#9'")
    await expect(page.locator(".place")).to_contain_text("event 9 of")
    await page.click(".lesson a:has-text('h.grad')")
    assert await position(page) == 21
    await page.click(".lesson .key:has-text('f')")
    assert await position(page) == 26
    for odd in ("#-1", "#x", "#1e3", "#<b>"):
        await page.evaluate("hash => { location.hash = hash }", odd)
        await page.wait_for_url("**#26")
    await page.evaluate("location.hash = '#999999'")
    await page.wait_for_url("**#26")
    assert "stepgrad" not in await page.inner_text(".place")


async def test_it_opens_at_a_place(page: Page, tmp_path: Path) -> None:
    await opened(page, tmp_path, record_scenario("two_layer"), at="w2")
    assert await page.inner_text(".symbols") == "w2 = 2"


async def test_on_a_phone_it_opens_with_the_node_in_view(page: Page, tmp_path: Path) -> None:
    await opened(page, tmp_path, record_scenario("two_layer"))
    await page.set_viewport_size({"width": 380, "height": 800})
    await page.goto("about:blank")
    await page.goto(f"{(tmp_path / 'page.html').as_uri()}#21")
    graph, node = [
        await page.evaluate(
            f"(({{left, right}}) => [left, right])"
            f"(document.querySelector('{each}').getBoundingClientRect())"
        )
        for each in (".graph", ".box[data-state=current]")
    ]
    assert graph[0] <= node[0] < node[1] <= graph[1]


async def test_by_slider_by_thumb_and_playing(page: Page, tmp_path: Path) -> None:
    await opened(page, tmp_path, record_scenario("two_layer"))
    await page.evaluate(
        "const s = document.querySelector('#position'); s.value = 12; "
        "s.dispatchEvent(new Event('input'))"
    )
    assert await position(page) == 12
    assert await page.get_attribute("#position", "aria-valuetext") == (
        await page.inner_text(".place")
    )
    swipe = """(across) => {
      const card = document.querySelector(".event");
      const at = (x) => new Touch({ identifier: 1, target: card, clientX: x, clientY: 100 });
      const touch = (type, x) => card.dispatchEvent(
        new TouchEvent(type, { changedTouches: [at(x)], bubbles: true }));
      touch("touchstart", 200);
      touch("touchend", 200 + across);
    }"""
    for across, there in ((-90, 13), (90, 12), (10, 12)):
        await page.evaluate(swipe, across)
        assert await position(page) == there
    await page.keyboard.press("End")
    await page.keyboard.press(" ")  # from the end, it plays from the start
    assert await page.get_attribute("[data-do=play]", "aria-pressed") == "true"
    await expect(page.locator(".place")).to_contain_text(re.compile(r"event 1?[1-9] of"))
    await page.keyboard.press(" ")
    assert await page.get_attribute("[data-do=play]", "aria-pressed") == "false"
    assert (await page.evaluate(READ))["sentence"].startswith("Event ")
