"""uvicorn, made to lose no request when it stops.

    SIGTERM ──► begin no new connection ──► accept those that have begun ──► close the port
            └─► answer with `Connection: close` ──► close connections that stay idle for a second

uvicorn itself closes idle connections at once, and loses the requests that are on their way.
"""

from __future__ import annotations

import asyncio
import select
import socket

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from services.host.sockets import ignore_new_connections

_HANDSHAKE_SECONDS = 0.1
"""The time in which connections that have begun are established."""

LINGER_SECONDS = 1.0
"""The time in which the next request of an open connection may arrive after SIGTERM."""


class _DrainingState(ServerState):
    """The state that a server shares with its connections."""

    def __init__(self) -> None:
        super().__init__()
        self.is_draining = False


class DrainingProtocol(HttpToolsProtocol):
    """One connection; its client never has to guess whether a request was received."""

    server_state: _DrainingState

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Limits how long a new connection may stay without a request."""
        super().connection_made(transport)
        self._close_when_idle()

    def on_headers_complete(self) -> None:
        """Ends the connection with this answer, if the server is about to stop."""
        super().on_headers_complete()
        if self.server_state.is_draining:
            self.cycle.keep_alive = False

    def shutdown(self) -> None:
        """Closes the connection after the answer, or when no request follows for a moment."""
        if self.cycle is None or self.cycle.response_complete:
            self._close_when_idle()
        else:
            self.cycle.keep_alive = False

    def _close_when_idle(self) -> None:
        self._unset_keepalive_if_required()
        draining = self.server_state.is_draining
        self.timeout_keep_alive_task = self.loop.call_later(
            LINGER_SECONDS if draining else self.timeout_keep_alive,
            self.timeout_keep_alive_handler,
        )


class DrainingServer(uvicorn.Server):
    """A server of connections of this kind."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.server_state: _DrainingState = _DrainingState()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answers every request that was sent before the port closed."""
        self.server_state.is_draining = True
        listeners = sockets or []
        for listener in listeners:
            ignore_new_connections(listener)
        await asyncio.sleep(_HANDSHAKE_SECONDS)
        while select.select(listeners, [], [], 0)[0]:
            await asyncio.sleep(0)
        await super().shutdown(sockets)
