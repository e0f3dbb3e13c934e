"""The application: routes, error answers, and the looks at the database between requests."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import structlog
from litestar import Litestar

from occode.access.directory import REFRESH_SECONDS
from occode.web import batch, code, health, objects, openapi, security, token, topics
from occode.web.errors import HANDLERS
from occode.web.metrics import Metrics
from occode.wiring import Parts

_log = structlog.get_logger(__name__)
ROUTES = [
    token.token,
    topics.list_topics,
    topics.describe_topic,
    topics.list_models,
    topics.describe_latest_model,
    code.code,
    code.code_with_model,
    batch.create,
    batch.create_with_model,
    batch.status,
    batch.status_with_model,
    objects.receive,
    objects.give,
    security.security_txt,
    openapi.document,
    openapi.page,
    openapi.style,
    health.live,
    health.ready,
]


def create_app(parts: Parts, metrics: Metrics | None = None) -> Litestar:
    """Make the ASGI application."""
    app = Litestar(
        route_handlers=list(ROUTES),
        exception_handlers=HANDLERS,
        lifespan=[_refreshing(parts)],
        openapi_config=None,
        logging_config=None,
    )
    app.state.parts, app.state.metrics = parts, metrics
    return app


def _refreshing(parts: Parts) -> Any:
    """Return a lifespan that reads keys and clients at start and every few seconds, and writes usage down."""

    def refresh() -> None:
        now = datetime.now(UTC)
        parts.tokens.refresh(now)
        parts.directory.refresh()
        parts.directory.flush(now)

    async def repeat() -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            try:
                await asyncio.to_thread(refresh)
            except Exception as error:
                _log.warning("the database does not answer; trying again", kind=type(error).__name__)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        await asyncio.to_thread(refresh)
        task = asyncio.create_task(repeat())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await asyncio.to_thread(parts.directory.flush, datetime.now(UTC))

    return lifespan
