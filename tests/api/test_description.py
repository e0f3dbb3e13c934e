"""The OpenAPI description: complete, kept to by the handlers, and readable."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from tests.conftest import serving, token

#: A sum of lengths over two fields is beyond JSON Schema, so that a body that it allows may still be refused, with a 400.
CHECKED = [check for check in CHECKS.get_all() if check.__name__ != "positive_data_acceptance"]
#: Requests that are made up for an endpoint that takes a body; a tenth of them for one that does not.
EXAMPLES = 1000
ROUTES = {
    "/oauth2/token": {"post"},
    "/v1/security.txt": {"get"},
    "/v1/topics": {"get"},
    "/v1/topics/{topic}": {"get"},
    "/v1/topics/{topic}/models": {"get"},
    "/v1/topics/{topic}/models/latest": {"get"},
    "/v1/topics/{topic}/code": {"post"},
    "/v1/topics/{topic}/models/{model}/code": {"post"},
    "/v1/topics/{topic}/batch-code": {"post"},
    "/v1/topics/{topic}/models/{model}/batch-code": {"post"},
    "/v1/topics/{topic}/batch-code/operations/{operation_id}": {"get"},
    "/v1/topics/{topic}/models/{model}/batch-code/operations/{operation_id}": {"get"},
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service of its own, whose token endpoint may be worn out."""
    with serving(tmp_path_factory.mktemp("described") / "log", "--demo") as address:
        yield address


@pytest.fixture(scope="module")
def bearer(service: str) -> str:
    """A partner's token."""
    return token(service)


@pytest.fixture(scope="module")
def described(service: str) -> Any:
    """The description as it is served."""
    return httpx.get(f"{service}/v1/openapi.json").json()


@pytest.fixture(scope="module")
def api(service: str, bearer: str, described: Any) -> Any:
    """The description, with real topics and models among its examples, for made-up requests."""
    model = httpx.get(f"{service}/v1/topics/osca/models/latest", headers={"Authorization": bearer}).json()["modelId"]
    filled = json.loads(json.dumps(described))
    for path in filled["paths"].values():
        for operation in path.values():
            for parameter in operation["parameters"]:
                known = {"topic": ["osca", "anzsco", "nope"], "model": [model, "latest", "x"], "operation_id": [model, "x"]}
                parameter["schema"] = {"enum": known[parameter["name"]]}
    found = schemathesis.openapi.from_dict(filled)
    found.config.update(base_url=service)
    return found


def test_every_endpoint_of_the_guide_is_described(described: Any) -> None:
    """Guide section 5: eleven endpoints and the token endpoint."""
    assert described["openapi"].startswith("3.1")
    assert {path: set(methods) for path, methods in described["paths"].items()} == ROUTES


def test_unknown_fields_are_forbidden_where_they_are_refused(described: Any) -> None:
    """So that generated clients do not send them."""
    schemas = described["components"]["schemas"]
    assert all(schemas[name]["additionalProperties"] is False for name in ("CodeRequest", "RecordObject"))


@pytest.mark.parametrize(("path", "method"), [(path, method) for path, methods in ROUTES.items() for method in sorted(methods)])
def test_answers_are_as_described(api: Any, bearer: str, path: str, method: str) -> None:
    """Made-up requests, good and bad: no error of the server, no status and no shape that is not described."""
    operation = api[path][method]
    cases = EXAMPLES if operation.body else EXAMPLES // 10

    @settings(max_examples=cases, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=st.one_of(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))
    def check(case: schemathesis.Case) -> None:
        if path == "/oauth2/token":
            case.call_and_validate(checks=CHECKED, auth=("public1", "secret123"))
        else:
            case.call_and_validate(checks=CHECKED, headers={"Authorization": f"Bearer {bearer}"})

    check()


def test_the_page_is_readable_and_asks_nothing_of_other_servers(service: str) -> None:
    """Every endpoint is on it; style from here, no script."""
    page = httpx.get(f"{service}/v1/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert all(f"{path}" in page.text for path in ROUTES)
    assert "<script" not in page.text
    assert "http" not in page.text.replace("http-equiv", "")
    assert httpx.get(f"{service}/v1/docs.css").headers["content-type"].startswith("text/css")
