"""The picture of the screen in the README. Run `python tests/picture.py` to take it again."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from screens import drained, settle
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.tui.app import DebuggerApp

PICTURE = Path(__file__).with_name("picture.svg")
SIZE = (120, 36)
POSITION = 21


async def take() -> str:
    """Return the screen at the event of two_layer in which h gets its gradient, as SVG."""
    scenario = open_scenario(Path(__file__).parents[1] / "scenarios" / "two_layer.yaml")
    app = DebuggerApp(record_file(scenario), scenario, position=POSITION)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await drained(pilot)
        return app.export_screenshot(title="stepgrad run two_layer")


if __name__ == "__main__":
    os.environ["STEPGRAD_STATE"] = "off"
    PICTURE.write_text(asyncio.run(take()), encoding="utf-8")
