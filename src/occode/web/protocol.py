"""HTTP connections with little patience: a request's head has to arrive in time and in a bounded number of bytes."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Seconds from a connection, or from the first byte of a further request, to the end of the request's head; and its most bytes.
HEAD_SECONDS = 10.0
MOST_HEAD_BYTES = 65_536


class ImpatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which by itself waits for ever for a head that dribbles in (the slow-header attack)."""

    _deadline: asyncio.TimerHandle | None = None
    _in_head = True
    _head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Start the clock."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEAD_SECONDS, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; cut off a head that grows too long."""
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes - len(data) > MOST_HEAD_BYTES:
                self.transport.abort()
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Start the clock for a further request on the same connection."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def on_headers_complete(self) -> None:
        """Stop the clock; the body has one of its own."""
        self._stop()
        self._in_head = False
        super().on_headers_complete()

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
