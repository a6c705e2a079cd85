"""`stepgrad serve`: the debugger in a browser, and what cannot be served."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import ClientConnectorError, ClientSession, WSMsgType, WSServerHandshakeError

from processes import python, started
from test_cli import stepgrad


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
        assert isinstance(port, int)
        return port


async def policy_of(visitor: ClientSession) -> str:
    """Wait until the server listens, and return what its page may load."""
    while True:
        with suppress(ClientConnectorError):
            async with visitor.get("/") as page:
                return str(page.headers["Content-Security-Policy"])
        await asyncio.sleep(0.05)


async def test_a_visitor_gets_the_debugger_and_other_sites_do_not() -> None:
    port = free_port()
    command = python("-m", "stepgrad", "serve", "two_layer", "--port", str(port))
    with started(command) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == (
            f"stepgrad is at http://127.0.0.1:{port}; Ctrl+C stops it\n"
        )
        async with ClientSession(f"http://127.0.0.1:{port}") as visitor:
            policy = await policy_of(visitor)
            assert "https:" not in policy
            for origin in ("http://example.org", None):
                with pytest.raises(WSServerHandshakeError, match="403"):
                    await visitor.ws_connect("/ws", origin=origin)
            seen = b""
            async with visitor.ws_connect("/ws", origin=f"http://localhost:{port}") as terminal:
                async for message in terminal:
                    if message.type is WSMsgType.BINARY:
                        seen += message.data
                    if b"two layers" in seen:
                        break
        process.terminate()
        process.wait(timeout=30)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["two_layers"], "did you mean `two_layer`?"),
        (["."], ".: is a folder without lessons"),
        (["train.py"], "stepgrad record -o run.stepgrad train.py"),
        (["two_layer", "--port", "0"], "0 is not in the range"),
    ],
)
def test_what_cannot_be_served(
    words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "train.py").write_text("")
    monkeypatch.chdir(tmp_path)
    assert told in stepgrad("serve", *words, code=2).stderr


def test_a_port_that_is_taken() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        told = stepgrad("serve", "--port", port, code=2).stderr
    assert told.startswith(f"port {port}: ")
    assert told.endswith("; try another --port\n")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepgrad.cli.serve.find_spec", lambda _: None)
    assert "pip install 'stepgrad[web]'" in stepgrad("serve", code=2).stderr
