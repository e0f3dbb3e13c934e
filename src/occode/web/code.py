"""Synchronous coding: one record or up to 300, with the latest or a named model (guide section 7)."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from litestar import Request, post
from litestar.types import ASGIApp, Receive, Scope, Send

from occode.coding.coder import Coder
from occode.web.admission import admit, client_of, parts_of, refuse_query
from occode.web.errors import BodyTooLarge, InvalidBody
from occode.web.records import read, write

#: Records up to this many are coded where the request is: a thread costs more than they do.
FEW = 16
MOST_BODY_BYTES = 1_000_000
Req = Request[Any, Any, Any]


@post("/v1/topics/{topic:str}/code", before_request=admit, status_code=200)
async def code(request: Req) -> ASGIApp:
    """Code with the latest model of the topic."""
    return await _code(request, parts_of(request).registry.coder(request.path_params["topic"]))


@post("/v1/topics/{topic:str}/models/{model:str}/code", before_request=admit, status_code=200)
async def code_with_model(request: Req) -> ASGIApp:
    """Code with the named model of the topic."""
    names = request.path_params
    return await _code(request, parts_of(request).registry.coder(names["topic"], names["model"]))


async def _code(request: Req, coder: Coder) -> ASGIApp:
    refuse_query(request)
    wanted = read(await _body(request))
    texts = [record.texts for record in wanted.records]
    if len(texts) <= FEW:
        codings = coder.code_many(texts, suggestions=wanted.suggestions, threads=1)
    else:
        codings = await asyncio.to_thread(coder.code_many, texts, suggestions=wanted.suggestions, threads=1)
    if request.app.state.metrics:
        request.app.state.metrics.codings(coder.classification.name, codings)
    coded = sum(coding.result is not None for coding in codings)
    client = client_of(request).client_id
    parts_of(request).directory.count(client, datetime.now(UTC).date(), records=len(codings), coded=coded)
    return _Json(write(wanted, codings))


async def _body(request: Req) -> bytes:
    body, more = b"", True
    while more:  # as `Request.stream` does, but this is the busiest endpoint
        message: Any = await request.receive()
        if message["type"] == "http.disconnect":
            raise InvalidBody("it ended early")
        body += message.get("body", b"")
        if len(body) > MOST_BODY_BYTES:
            raise BodyTooLarge(limit=MOST_BODY_BYTES)
        more = message.get("more_body", False)
    return body


class _Json:
    """The plainest answer: JSON that is already written."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(self._body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self._body, "more_body": False})
