"""Who gets in: what every endpoint does first: token, tier, rate, topic, model, in this order (guide section 10)."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection

from occode.access.clients import Client
from occode.access.tokens import InvalidToken
from occode.web.errors import InvalidBody, RateLimitExceeded, Refused
from occode.wiring import Parts

Connection = ASGIConnection[Any, Any, Any, Any]
#: The guide writes the header with an s; both are taken, and the token with or without its scheme.
HEADERS = (b"authorization", b"authorisation")


def parts_of(connection: Connection) -> Parts:
    """Return the parts that the application was made with."""
    parts: Parts = connection.app.state.parts
    return parts


def client_of(connection: Connection) -> Client:
    """Return the client that `admit` let in."""
    client: Client = connection.scope["state"]["client"]
    return client


def authorization(connection: Connection) -> str:
    """Return what the request's ``Authorization`` header holds, in either spelling; empty where there is none."""
    headers = dict(reversed(list(connection.scope["headers"])))  # of two with the same name, the first
    return next((headers[name].decode("latin-1").strip() for name in HEADERS if headers.get(name)), "")


def bearer(connection: Connection) -> str:
    """Return the token of a request (RFC 6750 section 2.1, guide section 3.2.1).

    Raises
    ------
    InvalidToken
        There is none.
    """
    value = authorization(connection)
    if not value:
        raise InvalidToken
    scheme, _, rest = value.partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else value


async def admit(connection: Request[Any, Any, Any]) -> None:
    """Let a client with a good token in, count the request, hold it to its tier and its rate, and look up what it names.

    Raises
    ------
    InvalidToken, InvalidClient, Refused, RateLimitExceeded
    TopicNotFound
        The path names a topic that text is not coded to, or that is unknown.
    ModelNotFound, ModelOfOtherTopic
        The path names a model that is not live for the topic.
    """
    parts = parts_of(connection)
    now = datetime.now(UTC)
    claims = parts.tokens.check(bearer(connection), now)
    client = parts.directory.active(claims.client_id)
    connection.scope["state"]["client"] = client
    if connection.scope["route_handler"].opt.get("partner_only") and client.tier != "partner":
        parts.directory.count(client.client_id, now.date(), refused=1)
        raise Refused
    allowance = parts.directory.allowance(client)
    if allowance.items:
        verdict = await asyncio.to_thread(parts.limiter.take, client.client_id, allowance)
        if not verdict.allowed:
            parts.directory.count(client.client_id, now.date(), refused=1)
            raise RateLimitExceeded(verdict)
        connection.scope["state"]["headers"] = verdict.headers()
    parts.directory.count(client.client_id, now.date(), requests=1)
    names = connection.path_params
    if "topic" in names:
        parts.registry.catalogue.topic(names["topic"])
    if "model" in names:
        parts.registry.find(names["topic"], names["model"])


def refuse_query(connection: Connection) -> None:
    """Raise `InvalidBody` where the address has a query string (guide section 4.2)."""
    if connection.scope["query_string"]:
        raise InvalidBody("query strings are not accepted")
