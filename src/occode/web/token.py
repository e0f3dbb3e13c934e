"""The token endpoint: client credentials in, an access token out (guide section 3.1, RFC 6749 section 4.4)."""

import asyncio
import base64
import binascii
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import msgspec
from litestar import Request, Response, post

from occode.access.clients import Client, InvalidClient, authenticate
from occode.access.limits import Allowance
from occode.access.tokens import LIFETIME
from occode.web.admission import authorization, parts_of
from occode.web.errors import RateLimitExceeded

Req = Request[Any, Any, Any]
#: Attempts a client id and address may make: enough for a fleet of web processes, too few to guess a secret.
ATTEMPTS = Allowance(per_second=20, per_hour=1000)
MOST_BODY_BYTES = 10_000
#: The guide prints the body neither as a form nor as JSON; as printed it is understood too.
_AS_PRINTED = re.compile(r"""^\s*\{\s*"?grant_type"?\s*:\s*"([^"]*)"\s*,?\s*\}\s*$""")


@post("/oauth2/token", status_code=200)
async def token(request: Req) -> Response[bytes]:
    """Exchange client credentials for an access token that lives one hour."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BODY_BYTES:
            return _refuse("invalid_request", 400, "the body is too large")
    try:
        credentials = _basic(request)
        form = _form(body.decode("ascii"))
    except ValueError as error:
        return _refuse("invalid_request", 400, str(error))
    if "grant_type" not in form:
        return _refuse("invalid_request", 400, "grant_type is missing")
    if form["grant_type"] != "client_credentials":
        return _refuse("unsupported_grant_type", 400, "the grant_type is client_credentials")
    client_id, offered = credentials or (form.get("client_id", ""), [form.get("client_secret", "")])
    try:
        client = await _authenticated(request, client_id, offered)
    except InvalidClient as error:
        return _refuse("invalid_client", 401, error.message)
    issued = parts_of(request).tokens.issue(client.client_id, datetime.now(UTC))
    return _answer({"access_token": issued, "token_type": "Bearer", "expires_in": int(LIFETIME.total_seconds())}, 200)


async def _authenticated(request: Req, client_id: str, offered: list[str]) -> Client:
    parts = parts_of(request)
    address = request.client.host if request.client else ""
    verdict = await asyncio.to_thread(parts.limiter.take, f"token {client_id[:100]} {address}", ATTEMPTS)
    if not verdict.allowed:
        raise RateLimitExceeded(verdict)
    return await asyncio.to_thread(authenticate, parts.clients, client_id, offered)


def _basic(request: Req) -> tuple[str, list[str]] | None:
    """Return the client id and the secrets that Basic credentials may mean: as they stand, and form-decoded (RFC 6749 2.3.1)."""
    value = authorization(request)
    if not value:
        return None
    scheme, _, encoded = value.partition(" ")
    if scheme.lower() != "basic":
        raise ValueError("the authorization is not Basic")
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("the credentials are not base64") from error
    if not colon:
        raise ValueError("the credentials hold no colon")
    return unquote_plus(client_id), list(dict.fromkeys([secret, unquote_plus(secret)]))


def _form(body: str) -> dict[str, str]:
    printed = _AS_PRINTED.match(body)
    if printed:
        return {"grant_type": printed[1]}
    fields = parse_qs(body, keep_blank_values=True, max_num_fields=20)
    if any(len(values) > 1 for values in fields.values()):
        raise ValueError("a field stands twice")
    return {name: values[0] for name, values in fields.items()}


def _refuse(error: str, status: int, why: str) -> Response[bytes]:
    """Answer as RFC 6749 section 5.2 has it."""
    return _answer({"error": error, "error_description": why, "message": why}, status)


def _answer(content: dict[str, Any], status: int) -> Response[bytes]:
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="occode"'
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json", headers=headers)
