"""Is the service alive, and ready for requests: for load balancers, without a token."""

import asyncio
from typing import Any

from litestar import Request, Response, get
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from occode.storage.database import reading
from occode.web.admission import parts_of
from occode.wiring import Parts


@get("/health/live")
async def live() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@get("/health/ready")
async def ready(request: Request[Any, Any, Any]) -> Response[dict[str, str]]:
    """Say whether the database answers and a model is live: 200 or 503."""
    missing = await asyncio.to_thread(_missing, parts_of(request))
    return Response({"status": missing or "ok"}, status_code=503 if missing else 200)


def _missing(parts: Parts) -> str:
    registry = parts.registry
    if not any(registry.releases(topic.name).live() for topic in registry.catalogue.topics()):
        return "no model"
    try:
        with reading(parts.engine).begin() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return "the database does not answer"
    return ""
