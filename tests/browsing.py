"""A browser with one tab for each worker that needs it: each test opens a page of its own there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from browsers import MISSING, chromium

if TYPE_CHECKING:
    from playwright.async_api import ConsoleMessage, Dialog, Page, Request, ViewportSize

    from stepgrad import Recording


VIEWPORT: ViewportSize = {"width": 1280, "height": 860}


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab, what its pages complained of and asked, and what they loaded from the network."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def tab() -> AsyncIterator[Tab]:
    path = chromium()
    if path is None:
        pytest.skip(MISSING)
    from playwright.async_api import async_playwright  # noqa: PLC0415 - few tests need it

    async with async_playwright() as driver:
        # In a container, the tests may be run by root, for whom Chromium has no sandbox.
        browser = await driver.chromium.launch(executable_path=path, chromium_sandbox=False)
        context = await browser.new_context(viewport=VIEWPORT, has_touch=True)
        context.set_default_timeout(20_000)
        tab = Tab(await context.new_page())

        def hear(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                tab.complaints.append(message.text)

        def see(request: Request) -> None:
            if not request.url.startswith(("file:", "data:", "about:")):
                tab.loaded.append(request.url)

        async def answer(dialog: Dialog) -> None:
            tab.complaints.append(dialog.message)
            await dialog.dismiss()

        context.on("console", hear)
        context.on("weberror", lambda error: tab.complaints.append(str(error.error)))
        context.on("request", see)
        context.on("dialog", answer)
        yield tab
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(tab: Tab) -> AsyncIterator[Page]:
    """An empty page, which may neither complain nor ask nor load anything from the network."""
    await tab.page.set_viewport_size(VIEWPORT)
    await tab.page.emulate_media(media="null", color_scheme="null", reduced_motion="null")
    tab.complaints.clear()
    tab.loaded.clear()
    yield tab.page
    await tab.page.goto("about:blank")  # what the page still had to say has been said then
    assert (tab.complaints, tab.loaded) == ([], [])


async def opened(
    page: Page, folder: Path, recording: Recording, where: str = "", **options: Any
) -> None:
    """Open the replay of a recording from a file."""
    from stepgrad import show  # noqa: PLC0415 - every test session loads this file

    path = folder / "page.html"
    path.write_text(show(recording, **options).html, encoding="utf-8")
    await page.goto(f"{path.as_uri()}{where}")
