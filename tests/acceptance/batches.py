"""What the tests of batches share: made-up records, and the steps of a batch over HTTP."""

import json
import random
import time
from typing import Any

import httpx2 as httpx

BATCH = "/v1/topics/osca/batch-code"


def made_up(count: int, bad: frozenset[int] = frozenset()) -> bytes:
    """Return records as JSON lines, numbered; those of `bad` are too short."""
    chance = random.Random(3)
    words = ("nurse", "driver", "teacher", "cook", "cleaner", "manager", "sales", "office", "farm", "steel", "aged", "truck")
    texts = (f"{chance.choice(words)} {chance.choice(words)} {i}" for i in range(count))
    rows = [{"recordId": str(i), "occp_text": "x" if i in bad else found} for i, found in enumerate(texts)]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def upload(created: dict[str, str], content: bytes) -> httpx.Response:
    """Put the input of an operation where it is awaited."""
    return httpx.put(created["requestUploadUrl"], content=content, headers=sealing(created), timeout=60)


def finish(client: httpx.Client, operation_id: str, seconds: float = 60) -> dict[str, Any]:
    """Wait for the end of an operation, and return what is then said of it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found: dict[str, Any] = client.get(f"{BATCH}/operations/{operation_id}").json()
        if found["operationStatus"] not in ("awaiting_input", "in_progress"):
            return found
        time.sleep(0.1)
    raise TimeoutError(found)


def run(client: httpx.Client, content: bytes) -> dict[str, Any]:
    """See a batch through from creation to its end."""
    created = client.post(BATCH).json()
    assert upload(created, content).status_code == 200
    return finish(client, created["operationId"])


def sealing(created: dict[str, str]) -> dict[str, str]:
    """Return the headers that an upload has to have."""
    return {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": created["bucketKmsKeyArn"]}
