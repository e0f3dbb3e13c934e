"""Tokens, clients, tiers and limits over HTTP (guide sections 1.2 and 3)."""

import base64
import json
import socket
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest

from tests.conftest import EXAMPLE, token

REFUSED = {"message": "User is not authorized to access this resource with an explicit deny"}


def test_the_guides_token_request_works_as_printed(service: str) -> None:
    """Guide section 3.1.5: the header with an s, the address in the Host header, the body in braces."""
    body = b'{\n  grant_type: "client_credentials"\n}'
    request = (
        b"POST /oauth2/token HTTP/1.1\r\nHost: https://partner-coder.auth.abs.gov.au\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nAuthorisation: Basic Y2xpZW50MTpzZWNyZXQxMjM=\r\n"
        b"Connection: close\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
    )
    where = urlsplit(service)
    with socket.create_connection((where.hostname, where.port)) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["access_token"]


def test_a_token_lives_an_hour_and_is_a_bearer_token(service: str) -> None:
    """RFC 6749 section 5.1; never cached."""
    answer = httpx.post(f"{service}/oauth2/token", auth=("client1", "secret123"), data={"grant_type": "client_credentials"})
    assert answer.json() | {"access_token": ""} == {"access_token": "", "token_type": "Bearer", "expires_in": 3600}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("credentials", "data", "status", "error"),
    [
        (("client1", "wrong"), {"grant_type": "client_credentials"}, 401, "invalid_client"),
        (("nobody", "secret123"), {"grant_type": "client_credentials"}, 401, "invalid_client"),
        (("client1", "secret123"), {"grant_type": "password"}, 400, "unsupported_grant_type"),
        (("client1", "secret123"), {}, 400, "invalid_request"),
    ],
)
def test_token_errors_are_those_of_the_standard(
    service: str, credentials: tuple[str, str], data: dict[str, str], status: int, error: str
) -> None:
    """RFC 6749 section 5.2; who is unknown and who is wrong look the same."""
    answer = httpx.post(f"{service}/oauth2/token", auth=credentials, data=data)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


@pytest.mark.parametrize("header", ["Authorization", "Authorisation"])
@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", ""])
def test_a_token_is_taken_under_both_spellings_with_or_without_scheme(service: str, header: str, scheme: str) -> None:
    """RFC 6750, and the guide's examples."""
    answer = httpx.get(f"{service}/v1/topics", headers={header: scheme + token(service)})
    assert answer.status_code == 200


def _forgeries(service: str) -> list[str]:
    head, claims, signature = token(service).split(".")
    plain = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    other = base64.urlsafe_b64encode(b'{"iss":"occode","sub":"client1","exp":99999999999}').rstrip(b"=").decode()
    cut = signature[:-4]
    return [
        "",
        "x",
        "a.b.c",
        f"{plain}.{claims}.",
        f"{head}.{other}.{signature}",
        f"{head}.{claims}.{cut}AAAA",
        f"{head}.{claims}.",
        "." * 5000,
    ]


def test_forged_tokens_are_refused(service: str) -> None:
    """Without, with another algorithm, other claims, a cut signature."""
    for forged in _forgeries(service):
        answer = httpx.get(f"{service}/v1/topics", headers={"Authorization": f"Bearer {forged}".strip()})
        assert (answer.status_code, answer.json()) == (403, REFUSED)


def test_a_public_client_is_held_to_one_request_a_second(service: str) -> None:
    """Guide section 1.2: 429 with the time to wait."""
    headers = {"Authorization": f"Bearer {token(service, 'public1')}"}
    answers = [httpx.get(f"{service}/v1/topics", headers=headers) for _ in range(3)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert refused[0].json() == {"message": "RateLimitExceededException"}
    assert int(refused[0].headers["retry-after"]) >= 1
    assert refused[0].headers["ratelimit"].startswith('"second";r=0')


def test_every_answer_carries_security_headers_and_an_id(service: str) -> None:
    """Errors too."""
    for path in ("/v1/topics", "/nowhere", "/health/live"):
        headers = httpx.get(service + path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["strict-transport-security"]
        assert len(headers["x-request-id"]) == 32
        assert "server" not in headers


def test_topics_and_models_have_the_guides_shape(partner: httpx.Client) -> None:
    """Guide section 6."""
    topics = {topic["uriName"]: topic["fullName"] for topic in partner.get("/v1/topics").json()}
    assert topics["osca"] == "OSCA - Occupation Standard Classification for Australia"
    latest = partner.get("/v1/topics/anzsco/models/latest").json()
    assert list(latest) == [
        "modelId", "modelVersion", "modelReleaseDate", "modelType", "inputFormat", "topicStandard", "topicVersion",
    ]  # fmt: skip
    assert latest["inputFormat"] == list(EXAMPLE)
    assert (latest["modelType"], latest["topicVersion"]) == ("hsvm2", "2022")
    assert latest in partner.get("/v1/topics/anzsco/models").json()
    assert partner.get("/v1/topics/osca").json()["uriName"] == "osca"


def test_the_contact_for_reports_is_html(partner: httpx.Client) -> None:
    """Guide section 9."""
    answer = partner.get("/v1/security.txt")
    assert answer.headers["content-type"].startswith("text/html")
    assert "contact: mailto:" in answer.text
    assert "expires: " in answer.text
