"""The server behind `stepgrad serve`: that of textual-serve, for this machine alone."""

from __future__ import annotations

from aiohttp import web
from textual_serve.server import Server

from stepgrad.cli.output import echo


class LocalServer(Server):
    """A server whose page loads nothing from elsewhere, and that refuses pages of other sites."""

    def __init__(self, command: str, host: str, port: int) -> None:
        super().__init__(command, host, port, title="stepgrad")
        names = [f"{name}:{port}" for name in (host, "localhost")]
        self._origins = {f"http://{name}" for name in names}
        self._policy = (
            f"default-src 'self' 'unsafe-inline' data: {' '.join(sorted(self._origins))}; "
            f"connect-src 'self' {' '.join(f'ws://{name}' for name in names)}"
        )

    def initialize_logging(self) -> None:
        """Leave the log as it is: there is not a line for each request."""

    async def on_startup(self, app: web.Application) -> None:  # noqa: ARG002 - aiohttp's own
        """Say where it is."""
        echo(f"stepgrad is at {self.public_url}; Ctrl+C stops it", err=True)

    async def handle_index(self, request: web.Request) -> web.Response:
        """Return the page."""
        response: web.Response = await super().handle_index(request)
        response.headers["Content-Security-Policy"] = self._policy
        return response

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Open the debugger for a page of ours."""
        if request.headers.get("Origin") not in self._origins:
            raise web.HTTPForbidden(text="only pages of this server can open the debugger")
        return await super().handle_websocket(request)
