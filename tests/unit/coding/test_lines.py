"""JSON lines in, JSON lines out, one for one."""

import json

from occode.coding.coder import Coder
from occode.coding.lines import code_lines
from occode.coding.plain import fold

LINES = [
    b'{"recordId": "1", "occp_text": "software developer", "tasks_text": "writing code and unit tests"}',
    b'{"occp_text": "retiree"}',
    b'{"recordId": "3", "occp_text": "a"}',
    b"not json",
    b'{"recordId": "5"}',
    b'{"recordId": "6", "occp_text": 7}',
    b'{"recordId": "7", "occp_text": "caf\xc3\xa9 cook"}',
    b"[" * 5000,
    b"",
]


def test_every_line_gives_one_line_in_its_place(osca: Coder) -> None:
    """Good lines a result or suggestions, bad ones an error with the id that they had."""
    out, counts = code_lines(osca, LINES)
    answers = [json.loads(line) for line in out.splitlines()]
    assert [answer["recordId"] for answer in answers] == ["1", "", "3", "", "5", "6", "7", "", ""]
    assert answers[0]["result"]["codeCategory"].startswith("2733")
    assert "error" not in answers[1]
    assert all(set(answer) == {"recordId", "error"} for answer in answers[2:])
    assert (counts.total, counts.errors, counts.successful) == (9, 7, 1)


def test_errors_say_what_is_wrong(osca: Coder) -> None:
    """In the guide's words where it has them."""
    out, _ = code_lines(osca, LINES)
    errors = [json.loads(line).get("error") for line in out.splitlines()]
    assert "under 3 min" in errors[2]
    assert "not a JSON object" in errors[3]
    assert "neither occp_text nor tasks_text" in errors[4]
    assert "occp_text is not a string" in errors[5]
    assert "printable ASCII" in errors[6]


def test_accents_and_curly_quotes_become_plain_letters() -> None:
    """Files hold more than the service accepts; what has a likeness in ASCII is kept."""
    assert fold("caf\u00e9 chef") == "cafe chef"
    assert fold("driver\u2019s  mate\n") == "driver's mate"
    assert fold("\u6559\u5e08 teacher") == "teacher"
