"""Batch endpoints: create an operation and look at it (guide sections 8.1 and 8.3)."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Request, Response, get, post

from occode.batch.desk import seconds_left
from occode.batch.operations import Operation, State
from occode.web.admission import admit, client_of, parts_of, refuse_query
from occode.web.errors import InvalidBody

Req = Request[Any, Any, Any]
PARTNER = {"partner_only": True}
_BATCH = "/v1/topics/{topic:str}/batch-code"
_BATCH_MODEL = "/v1/topics/{topic:str}/models/{model:str}/batch-code"


@post(_BATCH, before_request=admit, opt=PARTNER, status_code=200)
async def create(request: Req, topic: str) -> Response[bytes]:
    """Create an operation that codes with the latest model of the topic."""
    return await _create(request, topic, parts_of(request).registry.latest(topic).model_id)


@post(_BATCH_MODEL, before_request=admit, opt=PARTNER, status_code=200)
async def create_with_model(request: Req, topic: str, model: str) -> Response[bytes]:
    """Create an operation that codes with the named model."""
    return await _create(request, topic, model)


@get(_BATCH + "/operations/{operation_id:str}", before_request=admit, opt=PARTNER)
async def status(request: Req, topic: str, operation_id: str) -> Response[bytes]:
    """Say how an operation is getting on."""
    return await _status(request, operation_id)


@get(_BATCH_MODEL + "/operations/{operation_id:str}", before_request=admit, opt=PARTNER)
async def status_with_model(request: Req, topic: str, model: str, operation_id: str) -> Response[bytes]:
    """Say how an operation is getting on; the same as without a model (guide section 8.3.1)."""
    return await _status(request, operation_id)


def address_of(request: Req) -> str:
    """Return the address under which the client reached the service, or the one set."""
    own = parts_of(request).settings.public_url
    return own.rstrip("/") if own else f"{request.scope['scheme']}://{request.headers.get('host', 'localhost')}"


async def _create(request: Req, topic: str, model: str) -> Response[bytes]:
    refuse_query(request)
    if await request.body():
        raise InvalidBody("this request has no body")
    client, now, address = client_of(request).client_id, datetime.now(UTC), address_of(request)
    operation, upload = await asyncio.to_thread(parts_of(request).desk.create, client, topic, model, now, address)
    content = {"requestUploadUrl": upload.url, "operationId": operation.operation_id, "bucketKmsKeyArn": upload.kms_key_id}
    return Response(msgspec.json.encode(content), media_type="application/json")


async def _status(request: Req, operation_id: str) -> Response[bytes]:
    refuse_query(request)
    content = await asyncio.to_thread(_describe, request, operation_id)
    return Response(msgspec.json.encode(content), media_type="application/json")


def _describe(request: Req, operation_id: str) -> dict[str, Any]:
    desk, now = parts_of(request).desk, datetime.now(UTC)
    operation = desk.look(client_of(request).client_id, operation_id, now)
    found: dict[str, Any] = {"operationStatus": operation.state.value}
    if operation.state is State.IN_PROGRESS:
        found |= _progress(operation, now)
    if operation.state is State.COMPLETE:
        records, metadata = desk.downloads(operation, now, address_of(request))
        found |= {"responseDownloadUrl": records, "metadataDownloadUrl": metadata}
    if operation.state is State.FAILED:
        found["error"] = operation.error
    return found


def _progress(operation: Operation, now: datetime) -> dict[str, Any]:
    left = seconds_left(operation, now)
    found = {"recordsDone": operation.records_done, "recordsTotal": operation.records_total}
    return found if left is None else {**found, "secondsLeft": left}
