"""Our own styles, scripts and fonts: compressed on their way, and asked for again only when they changed."""

from __future__ import annotations

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send


class Assets(StaticFiles):
    """Static files behind the compressor. A server that sends files by their path would go past it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI's own signature."""
        await super().__call__({**scope, "extensions": {}}, receive, send)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, to be checked by its ETag at each visit: an update of Escucha shows at once."""
        response = await super().get_response(path, scope)
        response.headers.setdefault("Cache-Control", "no-cache")
        return response
