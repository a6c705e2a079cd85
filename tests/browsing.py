"""A browser for each worker that needs one, and pages of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from browsers import MISSING, chromium

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request

    from stepgrad import Recording


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip(MISSING)
    from playwright.async_api import async_playwright  # noqa: PLC0415 - few tests need it

    async with async_playwright() as driver:
        # In a container, the tests may be run by root, for whom Chromium has no sandbox.
        browser = await driver.chromium.launch(executable_path=path, chromium_sandbox=False)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Pages that may neither complain nor load anything from the network."""
    context = await browser.new_context(viewport={"width": 1280, "height": 860}, has_touch=True)
    context.set_default_timeout(20_000)
    complaints: list[str] = []
    loaded: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    def see(request: Request) -> None:
        if not request.url.startswith(("file:", "data:", "about:")):
            loaded.append(request.url)

    context.on("console", hear)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on("request", see)
    yield context
    await context.close()
    assert (complaints, loaded) == ([], [])


async def opened(
    context: BrowserContext, folder: Path, recording: Recording, where: str = "", **options: Any
) -> Page:
    """Open the page of a recording from a file."""
    from stepgrad import show  # noqa: PLC0415 - every test session loads this file

    path = folder / "page.html"
    path.write_text(show(recording, **options).html, encoding="utf-8")
    page = await context.new_page()
    await page.goto(f"{path.as_uri()}{where}")
    return page
