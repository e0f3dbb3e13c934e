"""What there is to code to: topics and their models (guide section 6)."""

from typing import Any

import msgspec
from litestar import Request, Response, get

from occode.web.admission import admit, parts_of, refuse_query

Req = Request[Any, Any, Any]


@get("/v1/topics", before_request=admit)
async def list_topics(request: Req) -> Response[bytes]:
    """List the topics that have a model."""
    registry = parts_of(request).registry
    found = [
        {"uriName": topic.name, "fullName": topic.full_name}
        for topic in registry.catalogue.topics()
        if registry.releases(topic.name).live()
    ]
    return _answer(request, found)


@get("/v1/topics/{topic:str}", before_request=admit)
async def describe_topic(request: Req, topic: str) -> Response[bytes]:
    """Describe a topic and the input format of its latest model."""
    registry = parts_of(request).registry
    about = registry.catalogue.classification(topic)
    details = registry.details(topic, registry.latest(topic))
    return _answer(request, {"uriName": about.name, "fullName": about.full_name, **details})


@get("/v1/topics/{topic:str}/models", before_request=admit)
async def list_models(request: Req, topic: str) -> Response[bytes]:
    """List the live models of a topic, the newest first."""
    registry = parts_of(request).registry
    registry.latest(topic)
    return _answer(request, [registry.details(topic, release) for release in registry.releases(topic).live()])


@get("/v1/topics/{topic:str}/models/latest", before_request=admit)
async def describe_latest_model(request: Req, topic: str) -> Response[bytes]:
    """Describe the latest model of a topic and its input format."""
    registry = parts_of(request).registry
    return _answer(request, registry.details(topic, registry.latest(topic)))


def _answer(request: Req, content: Any) -> Response[bytes]:
    refuse_query(request)
    return Response(msgspec.json.encode(content), media_type="application/json")
