"""The pictures of the screen in the README. Run `python tests/picture.py` to take them again."""

from __future__ import annotations

import asyncio
import os
from importlib.util import find_spec
from pathlib import Path

from screens import drained, settle
from stepgrad.program import run_program
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.tui.app import DebuggerApp

SCENARIOS = Path(__file__).parents[1] / "scenarios"
PICTURE = Path(__file__).with_name("picture.svg")
TENSORS = Path(__file__).with_name("picture_torch.svg")
SIZE = (120, 36)


async def take() -> str:
    """Return the screen at the event of two_layer in which h gets its gradient, as SVG."""
    scenario = open_scenario(SCENARIOS / "two_layer.yaml")
    app = DebuggerApp(record_file(scenario), scenario, position=21)
    return await _pictured(app, "two_layer")


async def take_tensors() -> str:
    """Return the screen while the gradient goes through the softmax of torch_attention, as SVG."""
    recording = run_program(str(SCENARIOS / "torch_attention.py")).recording
    return await _pictured(DebuggerApp(recording, position=200), "torch_attention")


async def _pictured(app: DebuggerApp, name: str) -> str:
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await drained(pilot)
        return app.export_screenshot(title=f"stepgrad run {name}")


if __name__ == "__main__":
    os.environ["STEPGRAD_STATE"] = "off"
    PICTURE.write_text(asyncio.run(take()), encoding="utf-8")
    if find_spec("torch") is not None:
        TENSORS.write_text(asyncio.run(take_tensors()), encoding="utf-8")
