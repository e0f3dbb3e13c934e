"""``POST /v1/topics/{topic}/code``: the guide's shapes, words and order of checks (sections 7 and 10)."""

import random

import httpx2 as httpx
import pytest

from tests.conftest import EXAMPLE

CODE = "/v1/topics/osca/code"


def _message(answer: httpx.Response) -> str:
    return str(answer.json()["message"])


def test_a_single_record_is_answered_by_an_object(partner: httpx.Client) -> None:
    """Guide section 7.1.7: status, input and up to the asked number of codes."""
    answer = partner.post(CODE, json={"record": EXAMPLE, "numberOfSuggestions": 3})
    assert answer.status_code == 200
    body = answer.json()
    assert list(body) == ["codeStatus", "input", "result"]
    assert body["codeStatus"] == "successful"
    assert body["input"] == EXAMPLE
    assert len(body["result"]) == 3
    assert list(body["result"][0]) == ["codeCategory", "codeLabel", "codeConfidence"]


def test_records_are_answered_by_an_array_in_order(partner: httpx.Client) -> None:
    """Record ids come back where they were given."""
    records = [
        EXAMPLE,
        {"occp_text": "Paramedic, respond to emergencies"},
        {"recordId": "1", "occp_text": "Sales assistant"},
    ]
    body = partner.post(CODE, json={"records": records, "numberOfSuggestions": 3}).json()
    assert [entry["input"] for entry in body] == [EXAMPLE, records[1], {"occp_text": "Sales assistant"}]
    assert ["recordId" in entry for entry in body] == [False, False, True]


def test_three_hundred_records_are_coded_as_each_alone(partner: httpx.Client) -> None:
    """The largest small batch."""
    words = ["nurse", "driver", "teacher", "cook", "cleaner", "manager", "sales", "office", "farm", "steel"]
    chance = random.Random(1)
    records = [{"occp_text": " ".join(chance.sample(words, 2))} for _ in range(300)]
    together = partner.post(CODE, json={"records": records}).json()
    assert together[:5] == [partner.post(CODE, json={"record": record}).json() for record in records[:5]]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Invalid request body"),
        ([], "Invalid request body"),
        ({"record": EXAMPLE, "records": [EXAMPLE]}, "Invalid request body"),
        ({"record": EXAMPLE, "numberOfSuggestions": 17}, "Invalid request body"),
        ({"record": EXAMPLE, "numberOfSuggestions": -1}, "Invalid request body"),
        ({"record": EXAMPLE, "numberOfSuggestions": "3"}, "Invalid request body"),
        ({"record": EXAMPLE, "other": 1}, "Invalid request body"),
        ({"record": {"occp_text": "caf\u00e9 cook"}}, "Invalid request body"),
        ({"record": {"occp_text": "cook\u0000"}}, "Invalid request body"),
        ({"records": []}, "Batch input contained no records"),
        ({"records": [EXAMPLE] * 301}, "Batch records exceeds length limit of 300"),
        ({"record": {}}, "Malformed record found in request"),
        ({"record": {"occp_text": 1}}, "Malformed record found in request"),
        ({"record": {"occp_text": None}}, "Malformed record found in request"),
        ({"record": {"occp_text": "cook", "age": "7"}}, "Malformed record found in request"),
        ({"records": [EXAMPLE, "cook"]}, "Malformed record found in request"),
    ],
)
def test_a_bad_body_is_refused_in_the_guides_words(partner: httpx.Client, body: object, message: str) -> None:
    """Guide section 10."""
    answer = partner.post(CODE, json=body)
    assert answer.status_code == 400
    assert _message(answer).startswith(message)
    assert answer.headers["content-type"] == "application/json"


def test_records_outside_the_limits_are_each_named(partner: httpx.Client) -> None:
    """Guide section 10, as it prints the message."""
    records = [EXAMPLE, {"occp_text": "ab"}, {"occp_text": "a" * 60, "tasks_text": "b" * 41}]
    answer = partner.post(CODE, json={"records": records})
    assert answer.status_code == 400
    assert _message(answer).splitlines() == [
        "There are record(s) outside the min or max char limit:",
        "Record with index 1 has a total text length under 3 min",
        "Record with index 2 has a total text length over 100 max",
    ]


@pytest.mark.parametrize("length", [3, 100])
def test_three_and_a_hundred_characters_are_within_the_limits(partner: httpx.Client, length: int) -> None:
    """Guide section 4.2, inclusive, over both fields together."""
    record = {"occp_text": "a" * (length - 1), "tasks_text": "b"}
    assert partner.post(CODE, json={"record": record}).status_code == 200


@pytest.mark.parametrize("path", [CODE + "?x=1", "/v1/topics?limit=3", "/v1/topics/osca/models?x", "/v1/security.txt?x=1"])
def test_query_strings_are_refused(partner: httpx.Client, path: str) -> None:
    """Guide section 4.2."""
    answer = partner.post(path, json={"record": EXAMPLE}) if "code" in path else partner.get(path)
    assert answer.status_code == 400
    assert _message(answer).startswith("Invalid request body")


def test_a_model_is_chosen_by_its_id(partner: httpx.Client) -> None:
    """Guide section 7.2: its own topic's, or 404, or 409."""
    osca, anzsco = (partner.get(f"/v1/topics/{topic}/models/latest").json()["modelId"] for topic in ("osca", "anzsco"))
    assert partner.post(f"/v1/topics/osca/models/{osca}/code", json={"record": EXAMPLE}).status_code == 200
    other = partner.post(f"/v1/topics/osca/models/{anzsco}/code", json={"record": EXAMPLE})
    assert (other.status_code, _message(other)) == (409, "Selected model does not match the input topic.")
    for unknown in ("00000000-0000-0000-0000-000000000000", "latest", "%2e%2e", "..%2f..%2fosca", "%00"):
        answer = partner.post(f"/v1/topics/osca/models/{unknown}/code", json={"record": EXAMPLE})
        assert answer.status_code == 404


def test_checks_run_in_order(service: str, partner: httpx.Client) -> None:
    """Token, then topic, then model, then body."""
    assert httpx.post(f"{service}/v1/topics/nope/models/x/code", content=b"{").status_code == 403
    unknown_topic = partner.post("/v1/topics/nope/models/x/code", content=b"{")
    assert (unknown_topic.status_code, _message(unknown_topic)) == (404, "The specified topic does not exist")
    unknown_model = partner.post("/v1/topics/osca/models/x/code", content=b"{")
    assert (unknown_model.status_code, _message(unknown_model)) == (404, "The specified model does not exist")
    assert partner.post(CODE, content=b"{").status_code == 400


def test_a_body_beyond_a_megabyte_is_cut_off(partner: httpx.Client) -> None:
    """Before it is parsed."""
    assert partner.post(CODE, content=b" " * 1_100_000).status_code == 413
