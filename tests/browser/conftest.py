"""A browser for each worker that needs one, and a fresh page for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Request, async_playwright

from browsers import MISSING, chromium


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def browser() -> AsyncIterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip(MISSING)
    async with async_playwright() as driver:
        # In a container, the tests may be run by root, for whom Chromium has no sandbox.
        browser = await driver.chromium.launch(executable_path=path, chromium_sandbox=False)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="package")
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
