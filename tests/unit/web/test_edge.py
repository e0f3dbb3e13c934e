"""The edge's patience with bodies: what is there is taken at once, what is late is waited for, but not for ever."""

import asyncio
from typing import Any

import pytest
from litestar import Litestar, Request, post

from occode.web import edge
from occode.web.edge import Edge
from occode.web.errors import HANDLERS

HEADERS = [(b"host", b"x"), (b"content-length", b"5")]
SCOPE = {"type": "http", "method": "POST", "path": "/echo", "raw_path": b"/echo", "query_string": b"", "headers": HEADERS}


@post("/echo", status_code=200)
async def _echo(request: Request[Any, Any, Any]) -> bytes:
    return await request.body()


def _answer(*messages: tuple[float, bytes, bool]) -> tuple[int, bytes]:
    """Return the status and the body that pieces of a body, each after some seconds, are answered by."""

    async def talk() -> tuple[int, bytes]:
        left, sent = iter(messages), []

        async def receive() -> dict[str, Any]:
            piece = next(left, None)
            await asyncio.sleep(piece[0] if piece else 60)
            return {"type": "http.request", "body": piece[1], "more_body": piece[2]} if piece else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        app = Litestar([_echo], exception_handlers=HANDLERS, openapi_config=None, logging_config=None)
        await Edge(app)({**SCOPE, "state": {}}, receive, send)
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)

    return asyncio.run(talk())


@pytest.mark.parametrize("late", [0, 0.02])
def test_a_body_is_taken_when_it_comes(late: float) -> None:
    """In one piece or in two, at once or a little later."""
    assert _answer((late, b"hello", False)) == (200, b"hello")
    assert _answer((0, b"hel", True), (late, b"lo", False)) == (200, b"hello")


def test_a_body_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it, or half."""
    monkeypatch.setattr(edge, "BODY_SECONDS", 0.1)
    assert _answer()[0] == 408
    assert _answer((0, b"hel", True))[0] == 408
    assert _answer((0.02, b"hel", True), (0.3, b"lo", False))[0] == 408
