"""What a command has to say is shown whole, in a terminal of any size."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from screens import debugger, drained, press, shown

WORDS = " ".join(f"word{number}" for number in range(100, 200))


@pytest.mark.parametrize("size", [(80, 24), (140, 45), (200, 60), (50, 18)])
async def test_a_message_is_shown_whole_however_long_it_is(size: tuple[int, int]) -> None:
    async with debugger(size=size) as (pilot, screen):
        room = 3 * (size[0] - 10)
        for length in (*range(4, room, 23), room):
            said = WORDS[:length].strip()
            screen.session = screen.now.say(said)
            await drained(pilot)
            text = " ".join(shown(pilot.app).replace("─", " ").split())
            assert said in text
        screen.session = screen.now.say(WORDS)
        await drained(pilot)
        assert "…" in shown(pilot.app)
        await press(pilot, "f")
        assert "word" not in shown(pilot.app)


async def test_a_message_is_wrapped_once_the_terminal_is_too_narrow_for_it() -> None:
    async with debugger(size=(140, 45)) as (pilot, screen):
        said = WORDS[:100].strip()
        screen.session = screen.now.say(said)
        await drained(pilot)
        assert f"chain rule  {said}" in shown(pilot.app)
        await pilot.resize_terminal(80, 24)
        await drained(pilot)
        assert said in " ".join(shown(pilot.app).split())


async def test_what_is_typed_replaces_a_prediction_that_was_refused() -> None:
    async with debugger() as (pilot, screen):
        await press(pilot, "s", "s", "p", "a", "b", "c", "enter")
        field = screen.query_one("#answer", Input)
        assert field.value == "abc"
        await press(pilot, "7")
        assert field.value == "7"
