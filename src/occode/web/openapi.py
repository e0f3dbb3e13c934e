"""The API described: OpenAPI 3.1 made from the handlers, and a page of it to read, without a script or a foreign address."""

from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, select_autoescape
from litestar import Litestar, Request, Response, get

from occode.web.records import CodeRequest, RecordObject, SynchronousCodeResponse

REFERENCE = "#/components/schemas/{name}"
_JSON = "application/json"
_MESSAGE = {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}}
_MODEL = {
    "type": "object",
    "properties": {
        "modelId": {"type": "string", "format": "uuid"},
        "modelVersion": {"type": "integer"},
        "modelReleaseDate": {"type": "string", "format": "date-time"},
        "modelType": {"type": "string"},
        "inputFormat": {"type": "array", "items": {"type": "string"}},
        "topicStandard": {"type": "string"},
        "topicVersion": {"type": "string"},
    },
}
_TOPIC = {"type": "object", "properties": {"uriName": {"type": "string"}, "fullName": {"type": "string"}}}
_CREATED = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("requestUploadUrl", "operationId", "bucketKmsKeyArn")},
}
_STATUS = {
    "type": "object",
    "required": ["operationStatus"],
    "properties": {
        "operationStatus": {"enum": ["awaiting_input", "in_progress", "complete", "timed_out", "failed"]},
        "responseDownloadUrl": {"type": "string"},
        "metadataDownloadUrl": {"type": "string"},
        "error": {"type": "string"},
        "recordsDone": {"type": "integer"},
        "recordsTotal": {"type": "integer"},
        "secondsLeft": {"type": "integer"},
    },
}
_TOKEN = {
    "type": "object",
    "properties": {"access_token": {"type": "string"}, "token_type": {"type": "string"}, "expires_in": {"type": "integer"}},
}
#: What each error status means, for every endpoint that may answer with it.
_ERRORS = {
    400: "The request is not as the guide has it",
    401: "The credentials are wrong, or the operation belongs to another client",
    403: "The token is missing or not valid, or the tier does not include this",
    404: "There is no such topic, model or operation",
    408: "The body did not arrive in time",
    409: "The model belongs to another topic",
    413: "The body is too large",
    429: "Too many requests",
    500: "Something went wrong, or the topic has no model",
}
_GUARDED = (400, 403, 429, 500)


def describe(app: Litestar) -> dict[str, Any]:
    """Return the OpenAPI document of an application: every route under ``/v1`` and the token endpoint, none left out."""
    (_, components) = msgspec.json.schema_components((CodeRequest, RecordObject, SynchronousCodeResponse), ref_template=REFERENCE)
    components["RecordObject"] |= {"minProperties": 1, "anyOf": [{"required": ["occp_text"]}, {"required": ["tasks_text"]}]}
    for name in ("occp_text", "tasks_text", "recordId"):
        components["RecordObject"]["properties"][name] = {"type": "string", "pattern": "^[ -~]*$"}
    components["CodeRequest"]["oneOf"] = [{"required": ["record"]}, {"required": ["records"]}]
    schemas = components | {"Message": _MESSAGE, "Model": _MODEL, "Topic": _TOPIC}
    schemas |= {"Created": _CREATED, "Status": _STATUS, "Token": _TOKEN}
    paths: dict[str, Any] = {}
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if handler.handler_name in _OPERATIONS:
                path = route.path_format
                for method in sorted(handler.http_methods - {"OPTIONS", "HEAD"}):
                    paths.setdefault(path, {})[method.lower()] = _operation(path, handler)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Occupation Coding Service", "version": "1", "description": "Free text about a job to a code."},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "client": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _operation(path: str, handler: Any) -> dict[str, Any]:
    answer, more, media = _OPERATIONS[handler.handler_name]
    statuses = sorted({*_GUARDED, *more} | ({404} if "{topic}" in path else set()))
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    found: dict[str, Any] = {
        "operationId": handler.handler_name,
        "summary": (handler.fn.__doc__ or "").strip().partition("\n")[0],
        "security": [{"client" if path == "/oauth2/token" else "token": []}],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}} for name in names
        ],
        "responses": {
            "200": {"description": "Done", "content": {media: {"schema": answer}}},
            **{str(status): _error(status) for status in statuses},
        },
    }
    if handler.handler_name in _BODIES:
        found["requestBody"] = {"required": True, "content": _BODIES[handler.handler_name]}
    return found


def _error(status: int) -> dict[str, Any]:
    found: dict[str, Any] = {"description": _ERRORS[status], "content": {_JSON: {"schema": _ref("Message")}}}
    if status == 429:
        found["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait"}}
    return found


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": REFERENCE.format(name=name)}


def _list(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _ref(name)}


_CODED = {"oneOf": [_ref("SynchronousCodeResponse"), _list("SynchronousCodeResponse")]}
#: What each handler answers, the error statuses it has besides those of all, and the answer's media type.
_OPERATIONS: dict[str, tuple[dict[str, Any], tuple[int, ...], str]] = {
    "token": (_ref("Token"), (401, 408), _JSON),
    "list_topics": (_list("Topic"), (), _JSON),
    "describe_topic": ({"allOf": [_ref("Topic"), _ref("Model")]}, (), _JSON),
    "list_models": (_list("Model"), (), _JSON),
    "describe_latest_model": (_ref("Model"), (), _JSON),
    "code": (_CODED, (408, 413), _JSON),
    "code_with_model": (_CODED, (408, 409, 413), _JSON),
    "create": (_ref("Created"), (408, 413), _JSON),
    "create_with_model": (_ref("Created"), (408, 409, 413), _JSON),
    "status": (_ref("Status"), (401,), _JSON),
    "status_with_model": (_ref("Status"), (401, 409), _JSON),
    "security_txt": ({"type": "string"}, (), "text/html"),
}
_FORM = {"type": "object", "required": ["grant_type"], "properties": {"grant_type": {"const": "client_credentials"}}}
_BODIES: dict[str, dict[str, Any]] = {
    "token": {"application/x-www-form-urlencoded": {"schema": _FORM}},
    "code": {_JSON: {"schema": _ref("CodeRequest")}},
    "code_with_model": {_JSON: {"schema": _ref("CodeRequest")}},
}
_pages = Environment(loader=PackageLoader("occode.web"), autoescape=select_autoescape())


@get("/v1/openapi.json")
async def document(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Return the description of the API."""
    return Response(msgspec.json.encode(describe(request.app)), media_type=_JSON)


@get("/v1/docs")
async def page(request: Request[Any, Any, Any]) -> Response[str]:
    """Return the description as a page to read."""
    content = _pages.get_template("api.html").render(api=describe(request.app))
    return Response(content, media_type="text/html")


@get("/v1/docs.css")
async def style() -> Response[str]:
    """Return the page's style."""
    return Response(_pages.get_template("api.css").render(), media_type="text/css")
