"""The folder store over HTTP, as S3 would: PUT and GET at signed addresses, the encryption headers required, ranges served."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

from litestar import Request, Response, get, put
from litestar.response import Stream

from occode.batch.ports import ObjectMissing, StoreUnavailable
from occode.storage.folder import PATH, PIECE, FolderStore, InvalidSignature
from occode.web.admission import parts_of
from occode.web.errors import answer

Req = Request[Any, Any, Any]
_RANGE = re.compile(r"^bytes=(\d*)-(\d*)$")


@put(PATH + "/{key:path}", status_code=200, request_max_body_size=None, include_in_schema=False)
async def receive(request: Req, key: str) -> Response[bytes]:
    """Take an upload (guide section 8.2); one that breaks off leaves nothing behind."""
    store, name = _verified(request, "PUT", key)
    headers = request.headers
    if headers.get("x-amz-server-side-encryption") != "aws:kms":
        return answer(403, "AccessDenied: the header x-amz-server-side-encryption is aws:kms")
    if headers.get("x-amz-server-side-encryption-aws-kms-key-id") != store.kms_key_id(name):
        return answer(403, "AccessDenied: the header x-amz-server-side-encryption-aws-kms-key-id is the bucketKmsKeyArn")
    most = parts_of(request).settings.max_upload_bytes
    if int(headers.get("content-length") or 0) > most:
        return answer(400, f"EntityTooLarge: the most is {most} bytes")
    return await _write(request, store, name, most)


@get(PATH + "/{key:path}", include_in_schema=False)
async def give(request: Req, key: str) -> Response[Any]:
    """Give an object or a range of it (RFC 9110 section 14)."""
    store, name = _verified(request, "GET", key)
    size = await asyncio.to_thread(store.size, name)
    if size is None:
        raise ObjectMissing(key=name)
    asked = _range(request.headers.get("range", ""), size)
    if asked is None:
        return Response(b"", status_code=416, headers={"Content-Range": f"bytes */{size}"})
    first, last = asked
    file = name.rpartition("/")[2]
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(last - first),
        "Content-Disposition": f'attachment; filename="{file}"',
    }
    partial = (first, last) != (0, size)
    if partial:
        headers["Content-Range"] = f"bytes {first}-{last - 1}/{size}"
    media = "application/json" if file.endswith(".json") else "application/octet-stream"
    pieces = (store.read(name, at, min(last, at + PIECE)) for at in range(first, last, PIECE))
    return Stream(_threaded(pieces), status_code=206 if partial else 200, media_type=media, headers=headers)


def _verified(request: Req, method: str, key: str) -> tuple[FolderStore, str]:
    store = parts_of(request).desk.store
    name = key.lstrip("/")
    if not isinstance(store, FolderStore):
        raise ObjectMissing(key=name)
    query = request.query_params
    try:
        store.verify(method, name, query.get("expires", ""), query.get("signature", ""), datetime.now(UTC))
    except (TypeError, ValueError) as error:
        raise InvalidSignature from error
    return store, name


async def _write(request: Req, store: FolderStore, name: str, most: int) -> Response[bytes]:
    scope = store.writer(name)
    target = await asyncio.to_thread(scope.__enter__)
    size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > most:
                raise _TooLarge
            await asyncio.to_thread(target.write, piece)
    except BaseException as error:
        await asyncio.to_thread(_undo, scope, error)
        if isinstance(error, _TooLarge):
            return answer(400, f"EntityTooLarge: the most is {most} bytes")
        raise
    await asyncio.to_thread(scope.__exit__, None, None, None)
    return Response(b"", status_code=200)


class _TooLarge(Exception):
    pass


def _undo(scope: Any, error: BaseException) -> None:
    try:
        scope.__exit__(type(error), error, error.__traceback__)
    except BaseException as again:  # the error itself comes back out of the context
        if again is not error and not isinstance(again, StoreUnavailable):
            raise


def _range(header: str, size: int) -> tuple[int, int] | None:
    """Return the first byte and the one after the last; the whole where no range is asked for; None where there is none."""
    found = _RANGE.match(header.strip())
    if not found or found[0] == "bytes=-":
        return 0, size
    first, last = found[1], found[2]
    if not first:
        return (max(0, size - int(last)), size) if int(last) and size else None
    end = min(size, int(last) + 1) if last else size
    return (int(first), end) if int(first) < end else None


async def _threaded(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece
