"""Every error as an HTTP answer: the one place that knows which error has which status and words (guide section 10)."""

from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from occode.access.clients import InvalidClient
from occode.access.limits import Verdict
from occode.access.tokens import InvalidToken
from occode.batch.operations import NotOwner, OperationNotFound
from occode.batch.ports import ObjectMissing
from occode.classification import TopicNotFound
from occode.coding.registry import ModelNotFound, ModelOfOtherTopic, NoModel
from occode.errors import OccodeError
from occode.storage.folder import InvalidSignature
from occode.web.edge import SlowClient

_log = structlog.get_logger(__name__)


class Refused(OccodeError):
    """User is not authorized to access this resource with an explicit deny"""  # noqa: D400  # the guide's words


class RateLimitExceeded(OccodeError):
    """RateLimitExceededException"""  # noqa: D400  # the guide's words

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        super().__init__()


class InvalidBody(OccodeError):
    """Invalid request body{why}"""  # noqa: D400  # the guide's words

    def __init__(self, why: str = "") -> None:
        super().__init__(why=f": {why}" if why else "")


class BodyTooLarge(OccodeError):
    """Invalid request body: it is larger than {limit} bytes"""  # noqa: D400  # the guide's words


class MalformedRecord(OccodeError):
    """Malformed record found in request{why}"""  # noqa: D400  # the guide's words

    def __init__(self, why: str = "") -> None:
        super().__init__(why=f": {why}" if why else "")


class NoRecords(OccodeError):
    """Batch input contained no records"""  # noqa: D400  # the guide's words


class TooManyRecords(OccodeError):
    """Batch records exceeds length limit of 300"""  # noqa: D400  # the guide's words


class OutsideLimits(OccodeError):
    """There are record(s) outside the min or max char limit:{each}"""  # noqa: D400  # the guide's words


#: Status and, where the guide has words of its own, the message.
ANSWERS: dict[type[OccodeError], tuple[int, str | None]] = {
    Refused: (403, None),
    InvalidToken: (403, Refused().message),
    InvalidClient: (403, Refused().message),
    RateLimitExceeded: (429, None),
    TopicNotFound: (404, "The specified topic does not exist"),
    ModelNotFound: (404, "The specified model does not exist"),
    ModelOfOtherTopic: (409, "Selected model does not match the input topic."),
    NoModel: (500, "No models found for topic {topic}"),
    InvalidBody: (400, None),
    BodyTooLarge: (413, None),
    SlowClient: (408, None),
    OperationNotFound: (404, "Unable to retrieve operation for given id"),
    NotOwner: (401, "User is not authorised to retrieve operation {operation_id}"),
    InvalidSignature: (403, "AccessDenied: the address is not valid, or its time is over"),
    ObjectMissing: (404, "NoSuchKey"),
    MalformedRecord: (400, None),
    NoRecords: (400, None),
    TooManyRecords: (400, None),
    OutsideLimits: (400, None),
}
UNEXPECTED = "Error performing request"


def answer(status: int, message: str, headers: dict[str, str] | None = None) -> Response[bytes]:
    """Return an error answer: ``{"message": ...}``."""
    body = msgspec.json.encode({"message": message})
    return Response(body, status_code=status, media_type="application/json", headers=headers)


def known(_: Request[Any, Any, Any], error: OccodeError) -> Response[bytes]:
    """Answer an error that has its place in the guide; any other is unexpected."""
    if type(error) not in ANSWERS:
        return unexpected(_, error)
    status, words = ANSWERS[type(error)]
    message = error.message if words is None else words.format(**error.details)
    headers = error.verdict.headers() if isinstance(error, RateLimitExceeded) else None
    return answer(status, message, headers)


def http(_: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Answer what the framework refuses: an unknown path, another method."""
    if error.status_code == 413:
        return answer(413, "Invalid request body: it is too large")
    if error.status_code == 400:
        return answer(400, InvalidBody().message)
    if error.status_code >= 500:
        return unexpected(_, error)
    headers = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    return answer(error.status_code, error.detail, headers)


def unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer what nobody foresaw, without saying anything of the inside; the log has the place, not the text coded."""
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else ""
    _log.error("unexpected error", kind=type(error).__name__, where=where, path=request.scope["path"])
    return answer(500, UNEXPECTED)


HANDLERS: dict[Any, Any] = {OccodeError: known, HTTPException: http, Exception: unexpected}
