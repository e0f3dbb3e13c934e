"""Synchronous coding: one record or up to 300, with the latest or a named model (guide section 7)."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from litestar import Request, Response, post

from occode.coding.coder import Coder
from occode.web.admission import admit, check_model, check_topic, client_of, parts_of, refuse_query
from occode.web.errors import BodyTooLarge
from occode.web.records import read, write

#: Records up to this many are coded where the request is: a thread costs more than they do.
FEW = 16
MOST_BODY_BYTES = 1_000_000
Req = Request[Any, Any, Any]


@post("/v1/topics/{topic:str}/code", guards=[admit, check_topic], status_code=200)
async def code(request: Req, topic: str) -> Response[bytes]:
    """Code with the latest model of the topic."""
    return await _code(request, parts_of(request).registry.coder(topic))


@post("/v1/topics/{topic:str}/models/{model:str}/code", guards=[admit, check_topic, check_model], status_code=200)
async def code_with_model(request: Req, topic: str, model: str) -> Response[bytes]:
    """Code with the named model of the topic."""
    return await _code(request, parts_of(request).registry.coder(topic, model))


async def _code(request: Req, coder: Coder) -> Response[bytes]:
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
    return Response(write(wanted, codings), media_type="application/json")


async def _body(request: Req) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BODY_BYTES:
            raise BodyTooLarge(limit=MOST_BODY_BYTES)
    return body
