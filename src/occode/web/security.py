"""Whom to tell of a fault: ``/v1/security.txt`` (guide section 9, RFC 9116)."""

from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

from litestar import Request, Response, get

from occode.web.admission import admit, parts_of, refuse_query

VALID = timedelta(days=180)


@get("/v1/security.txt", before_request=admit)
async def security_txt(request: Request[Any, Any, Any]) -> Response[str]:
    """Return the contact for reports and until when it holds."""
    refuse_query(request)
    contact = escape(parts_of(request).settings.security_contact)
    expires = (datetime.now(UTC) + VALID).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Response(f"<p>contact: {contact}\nexpires: {expires}</p>\n", media_type="text/html")
