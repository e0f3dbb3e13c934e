"""What surrounds every request: an id, the headers of every answer, patience with slow clients, one line in the log."""

import asyncio
from collections.abc import Coroutine, Generator
from secrets import token_hex
from time import perf_counter
from typing import Any

import structlog
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from occode.errors import OccodeError
from occode.web.metrics import Metrics

_log = structlog.get_logger("occode.access")
#: Seconds that a client has for the whole of a request's body, and for the next piece of an upload.
BODY_SECONDS = 30.0
UPLOADS = "/objects/"
#: On every answer: nothing here is to be sniffed, framed, sent on as a referrer or fetched from elsewhere (OWASP secure headers).
SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; style-src 'self'; img-src 'self' data:; frame-ancestors 'none'"),
    (b"strict-transport-security", b"max-age=31536000"),
]


class SlowClient(OccodeError):
    """The request's body did not arrive in time"""  # noqa: D400  # an answer's words, in the guide's manner


class Edge:
    """An ASGI application around another."""

    def __init__(self, app: ASGIApp, metrics: Metrics | None = None) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if "method" not in scope:  # the start and the end of the application (web sockets are off)
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        try:
            await self._app(exchange.scope, exchange.receive, exchange.send)
        finally:
            exchange.log(self._metrics)


class _Exchange:
    def __init__(self, scope: Any, receive: Receive, send: Send) -> None:
        self.scope = scope
        self._receive, self._send = receive, send
        self._started = perf_counter()
        self._status = 0
        self._request_id = token_hex(16)
        scope["headers"] = [header if header[0] != b"host" else _plain_host(*header) for header in scope["headers"]]
        scope["state"] = {"request_id": self._request_id}

    async def receive(self) -> Any:
        spent = 0.0 if self.scope["path"].startswith(UPLOADS) else perf_counter() - self._started
        if self._status:
            return await self._receive()
        message: Any = self._receive()
        try:
            awaited = message.send(None)
        except StopIteration as arrived:  # it was there already, as it mostly is: no clock is needed
            return arrived.value
        try:
            async with asyncio.timeout(max(0.001, BODY_SECONDS - spent)):
                return await _Resumed(message, awaited)
        except TimeoutError:
            raise SlowClient from None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            extra = self.scope["state"].get("headers", {})
            message["headers"] = [
                *message["headers"],
                *SECURITY_HEADERS,
                *((name.lower().encode(), value.encode()) for name, value in extra.items()),
                (b"x-request-id", self._request_id.encode()),
            ]
        await self._send(message)

    def log(self, metrics: Metrics | None) -> None:
        """Log who asked for what and how it went: never a query, a body or an answer."""
        client = self.scope["state"].get("client")
        seconds = perf_counter() - self._started
        if metrics:
            metrics.request(self.scope["method"], self.scope.get("path_template") or "other", self._status, seconds)
        _log.info(
            "request",
            request_id=self._request_id,
            method=self.scope["method"],
            path=self.scope["path"][:200],
            status=self._status,
            milliseconds=round(1000 * seconds, 1),
            client=client.client_id if client else None,
        )


class _Resumed:
    """A coroutine that was begun: first what it awaits, then the rest of it. Where that is cut off, the coroutine is closed."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], awaited: Any) -> None:
        self._coroutine, self._awaited = coroutine, awaited

    def __await__(self) -> Generator[Any, Any, Any]:
        yield self._awaited
        return (yield from self._coroutine.__await__())


def _plain_host(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Drop the scheme that the guide prints in the ``Host`` header."""
    _, scheme, rest = value.partition(b"://")
    return name, rest.partition(b"/")[0] if scheme else value
