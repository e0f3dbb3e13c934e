"""Bodies made to break the service: refused with 400, never an error of the server."""

import json
import random

import httpx2 as httpx

from tests.conftest import server_of

GOOD = b'{"record": {"occp_text": "software developer", "tasks_text": "writing code"}, "numberOfSuggestions": 3}'
ODD = [
    b"", b"null", b"0", b'"', b"{", b"}", b"[[[[" * 20_000, b'{"record":' * 20_000, b"\x00", b"\xff\xfe{\x00}\x00",
    GOOD.decode().encode("utf-16"), GOOD.decode().encode("utf-32"), b"\xef\xbb\xbf" + GOOD,
    b'{"record": {"occp_text": "cook"}, "numberOfSuggestions": 1e999}',
    b'{"record": {"occp_text": "cook"}, "numberOfSuggestions": ' + b"9" * 10_000 + b"}",
    b'{"record": {"occp_text": "cook"}, "numberOfSuggestions": NaN}',
    b'{"record": {"occp_text": "cook", "occp_text": "baker"}}',
    b'{"record": {"occp_text": "cook"}, "record": {"occp_text": "baker"}}',
    b'{"record": {"occp_text": "\xff\xff\xff"}}', b'{"record": {"occp_text": "\\ud800 cook"}}',
    b'{"record": {"occp_text": "cook\\u0000er"}}', b'{"records": {"0": {"occp_text": "cook"}}}',
]  # fmt: skip


def test_hand_made_hostile_bodies_are_refused(partner: httpx.Client) -> None:
    """Truncated, nested, huge numbers, wrong encodings, null bytes, repeated names."""
    for body in ODD:
        answer = partner.post("/v1/topics/osca/code", content=body)
        assert answer.status_code == 400, body[:60]
        assert json.loads(answer.content)["message"]


def test_thousands_of_mangled_bodies_are_refused_or_coded(service: str, partner: httpx.Client) -> None:
    """Bytes dropped, doubled, swapped for others: never a status of 500 or above, and the memory does not grow."""
    server, chance = server_of(service), random.Random(7)
    memory = 0
    for number in range(20_000):
        if number == 5000:
            memory = server.memory_info().rss
        body = bytearray(GOOD)
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(body))
            kind = chance.randrange(3)
            if kind == 0:
                del body[at : at + chance.randrange(1, 20)]
            elif kind == 1:
                body[at:at] = body[at : at + chance.randrange(1, 20)]
            else:
                body[at] = chance.randrange(256)
            body = body or bytearray(b"x")
        assert partner.post("/v1/topics/osca/code", content=bytes(body)).status_code in (200, 400)
    assert server.memory_info().rss < memory + 16 * 2**20
