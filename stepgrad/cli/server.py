"""The server behind `stepgrad serve`: that of textual-serve, for pages of its own only."""

from __future__ import annotations

from aiohttp import web
from textual_serve.server import Server

from stepgrad.cli.output import echo


class LocalServer(Server):
    """A server that says where it is, and refuses pages of other sites in the same browser."""

    def __init__(self, command: str, host: str, port: int) -> None:
        super().__init__(command, host, port, title="stepgrad")
        self._origins = {f"http://{name}:{port}" for name in (host, "localhost")}

    async def on_startup(self, app: web.Application) -> None:  # noqa: ARG002 - aiohttp's own
        """Say where it is."""
        echo(f"stepgrad is at {self.public_url}; Ctrl+C stops it", err=True)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Open the debugger for a page of ours."""
        if request.headers.get("Origin") not in self._origins:
            raise web.HTTPForbidden(text="only pages of this server can open the debugger")
        return await super().handle_websocket(request)
