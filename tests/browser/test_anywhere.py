"""The page of a replay on any screen, on paper, within other pages, and with any name in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from browsing import opened
from stepgrad import Value, mark, record, record_scenario, scope, show

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("width", [360, 820, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_fits_and_what_happens_is_in_view(
    width: int, scheme: Any, page: Page, tmp_path: Path
) -> None:
    await opened(page, tmp_path, record_scenario("vanishing_gradient"), "#60")
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    await page.set_viewport_size({"width": width, "height": 800})
    await page.keyboard.press("s")
    seen = await page.evaluate("""() => {
      const box = (selector) => document.querySelector(selector).getBoundingClientRect();
      const within = (inner, outer) => inner.left >= outer.left && inner.right <= outer.right
        && inner.top >= outer.top && inner.bottom <= outer.bottom;
      const light = (colour) => Math.max(...colour.match(/\\d+/g).slice(0, 3).map(Number)) > 128;
      return {
        wide: document.documentElement.scrollWidth,
        graph: within(box(".box[data-state=current]"), box(".graph")),
        tape: within(box("tr[data-state=current]"), box(".rows")),
        buttons: [...document.querySelectorAll(".buttons button")].every((button) =>
          button.offsetWidth >= 38 && button.offsetHeight >= 44),
        light: light(getComputedStyle(document.body).backgroundColor),
      };
    }""")
    assert seen == {
        "wide": width, "graph": True, "tape": True, "buttons": True, "light": scheme == "light",
    }  # fmt: skip
    await page.click("#theme")
    toggled = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert toggled == ("rgb(18, 18, 18)" if scheme == "light" else "rgb(255, 255, 255)")


HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"'`&amp;${1}$title",
    "</template></svg><b>",
    "right \u202eto left",
    "<!--<script>",
)


@pytest.mark.parametrize("name", HOSTILE)
async def test_no_name_is_more_than_text(name: str, page: Page, tmp_path: Path) -> None:
    with record() as recording:
        recording.title = name
        mark(name, 1)
        with scope(name.replace("/", "")):
            x = Value(2.0, label=name)
            (x * x).backward()
    await opened(page, tmp_path, recording)
    for _ in range(recording.length):
        await page.keyboard.press("s")
    found = await page.evaluate("""() => [
      document.querySelectorAll("img, b, iframe").length,
      document.scripts.length,
      document.body.textContent.includes("\\u202e"),
    ]""")
    assert found == [0, 2, False]
    shown = name.replace("\u202e", "")
    if "/" not in name:  # which parts a name from its scope
        assert await page.inner_text(".rows tbody tr[data-part] th >> nth=0") == shown


async def test_two_in_a_page_do_not_meet(page: Page, tmp_path: Path) -> None:
    recording = record_scenario("two_layer")
    frames = f"{recording._repr_html_()}{show(recording, at=21)._repr_html_()}"
    style = "<style>.event, rect { color: red; fill: red }</style>"
    path = tmp_path / "notebook.html"
    path.write_text(
        f'<!DOCTYPE html><meta charset="utf-8">{style}<p class="event">ours</p>{frames}',
        encoding="utf-8",
    )
    await page.goto(path.as_uri())
    first, second = (page.frame_locator("iframe").nth(number) for number in (0, 1))
    assert await second.locator(".place").inner_text() == "event 21 of 26 · ◀ backward"
    await first.locator("[data-do=step]").click()
    await first.locator(".lesson a").click()
    assert await first.locator(".place").inner_text() == "event 21 of 26 · ◀ backward"
    await first.locator("[data-do=step_back]").click()
    assert (await first.locator(".place").inner_text()).startswith("event 20 ")
    assert (await second.locator(".place").inner_text()).startswith("event 21 ")
    red = "element => getComputedStyle(element).color"
    assert await page.locator("p.event").evaluate(red) == "rgb(255, 0, 0)"
    assert await first.locator(".event").evaluate(red) != "rgb(255, 0, 0)"
    assert page.url == path.as_uri()


async def test_on_paper_it_is_one_sheet_without_controls(page: Page, tmp_path: Path) -> None:
    await opened(page, tmp_path, record_scenario("two_layer"), "#21")
    paper = await page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1
    await page.emulate_media(media="print")
    assert not await page.is_visible("footer")
    assert await page.is_visible(".graph svg")


async def test_a_voice_hears_what_happens(page: Page, tmp_path: Path) -> None:
    await opened(page, tmp_path, record_scenario("two_layer"))
    await page.get_by_role("button", name="next event").click()
    assert await page.get_by_role("status").inner_text() == ("Event 1 of 26, forward: x is 3.")
    names = await page.evaluate("""() => [...document.querySelectorAll("button, input")].map(
      (each) => each.ariaLabel || each.textContent.trim() || each.labels?.[0]?.textContent)""")
    assert all(names)
