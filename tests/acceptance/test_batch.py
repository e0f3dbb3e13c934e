"""Batches over HTTP as a partner runs them (guide section 8)."""

import json
import random
import subprocess
import time
from pathlib import Path

import httpx2 as httpx
import pytest

from occode.client import BatchFailed, Client
from tests.acceptance.batches import BATCH, finish, made_up, run, upload
from tests.acceptance.test_files import occode
from tests.conftest import EXAMPLE, token


def test_the_guides_examples_from_creation_to_download(partner: httpx.Client) -> None:
    """Guide section 8: shapes, states, both addresses of an operation, output in order, metadata."""
    model = partner.get("/v1/topics/osca/models/latest").json()
    created = partner.post(f"/v1/topics/osca/models/{model['modelId']}/batch-code").json()
    assert list(created) == ["requestUploadUrl", "operationId", "bucketKmsKeyArn"]
    path = f"{BATCH}/operations/{created['operationId']}"
    assert partner.get(path).json() == {"operationStatus": "awaiting_input"}
    rows = [{"recordId": "1", **EXAMPLE}, {"recordId": "2", "occp_text": "retiree", "tasks_text": ""}]
    assert upload(created, "\n".join(map(json.dumps, rows)).encode()).status_code == 200
    assert partner.get(path).json()["operationStatus"] in ("in_progress", "complete")
    done = finish(partner, created["operationId"])
    assert set(done) == {"operationStatus", "responseDownloadUrl", "metadataDownloadUrl"}
    by_model = partner.get(f"/v1/topics/osca/models/{model['modelId']}/batch-code/operations/{created['operationId']}").json()
    assert by_model["operationStatus"] == "complete"
    answers = [json.loads(line) for line in httpx.get(done["responseDownloadUrl"]).text.splitlines()]
    assert [answer["recordId"] for answer in answers] == ["1", "2"]
    assert answers[0]["result"]["codeCategory"].startswith("2733")
    assert "result" not in answers[1]
    about = httpx.get(done["metadataDownloadUrl"]).json()
    assert about["model"] == model
    assert about["records"]["total"] == 2


def test_an_output_can_be_had_in_ranges(partner: httpx.Client) -> None:
    """RFC 9110 section 14: first, last, middle, and what there is not."""
    done = run(partner, made_up(50))
    url = done["responseDownloadUrl"]
    whole = httpx.get(url)
    assert whole.headers["accept-ranges"] == "bytes"
    content, size = whole.content, len(whole.content)
    for asked, expected in (("0-9", content[:10]), ("-7", content[-7:]), (f"{size - 3}-", content[-3:]), ("5-5", content[5:6])):
        part = httpx.get(url, headers={"Range": f"bytes={asked}"})
        assert (part.status_code, part.content) == (206, expected)
    assert httpx.get(url, headers={"Range": f"bytes={size}-"}).status_code == 416
    assert httpx.get(url.replace("records.jsonl", "metadata.json")).status_code == 403
    assert httpx.get(url[:-1]).status_code == 403


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"\n", "line 1"),
        (b"occp_text\ncook\n", "line 1 is not a JSON object"),
        (b'{"occp_text": "cook"}\n{"tasks_text": "cook"}\n', "line 2 has other fields"),
        (b'{"occp_text": "cook"}\nnonsense\n', "line 2 is not a JSON object"),
        (b'{"occp_text": "cook"}\n\xff\n', "line 2 is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_coded_fails_with_its_line(partner: httpx.Client, content: bytes, error: str) -> None:
    """Guide section 8.3.7: failed, with an error."""
    done = run(partner, content)
    assert set(done) == {"operationStatus", "error"}
    assert done["operationStatus"] == "failed"
    assert error in done["error"]


def test_an_upload_needs_its_headers_and_its_own_key(partner: httpx.Client) -> None:
    """Guide section 8.2.3, as S3 has it."""
    one, other = partner.post(BATCH).json(), partner.post(BATCH).json()
    assert httpx.put(one["requestUploadUrl"], content=b"{}").status_code == 403
    assert upload({**one, "bucketKmsKeyArn": other["bucketKmsKeyArn"]}, b"{}").status_code == 403
    assert httpx.get(one["requestUploadUrl"]).status_code == 403


def test_an_operation_is_its_clients_alone_and_batches_are_for_partners(service: str, partner: httpx.Client) -> None:
    """Guide sections 1.2 and 8.3.6."""
    public = httpx.post(service + BATCH, headers={"Authorization": f"Bearer {token(service, 'public1')}"})
    assert public.status_code == 403
    unknown = partner.get(f"{BATCH}/operations/00000000-0000-0000-0000-000000000000")
    assert (unknown.status_code, unknown.json()) == (404, {"message": "Unable to retrieve operation for given id"})


def test_a_thousand_bad_lines_in_a_hundred_thousand_are_errors_in_their_places(partner: httpx.Client) -> None:
    """And the rest is coded."""
    bad = frozenset(random.Random(1).sample(range(100_000), 1000))
    done = run(partner, made_up(100_000, bad))
    answers = [json.loads(line) for line in httpx.get(done["responseDownloadUrl"], timeout=60).text.splitlines()]
    assert [answer["recordId"] for answer in answers] == [str(i) for i in range(100_000)]
    assert {i for i, answer in enumerate(answers) if "error" in answer} == bad
    counts = httpx.get(done["metadataDownloadUrl"]).json()["records"]
    assert (counts["total"], counts["errors"]) == (100_000, 1000)


def test_the_python_client_sees_a_batch_through(service: str, tmp_path: Path) -> None:
    """Upload, coding and download, each with its progress."""
    (tmp_path / "in.jsonl").write_bytes(made_up(2000))
    seen: dict[str, tuple[int, int]] = {}
    with Client(service, "client1", "secret123") as client:
        assert {topic["uriName"] for topic in client.topics()} >= {"osca", "anzsco"}
        assert client.code(EXAMPLE["occp_text"], suggestions=2)["codeStatus"]
        assert len(list(client.code_many([EXAMPLE] * 301))) == 301
        show = lambda phase, done, total: seen.update({phase: (done, total)})  # noqa: E731
        about = client.code_batch(tmp_path / "in.jsonl", tmp_path / "out.jsonl", every=0.05, progress=show)
        (tmp_path / "bad.jsonl").write_text("bad")
        with pytest.raises(BatchFailed, match="line 1"):
            client.code_batch(tmp_path / "bad.jsonl", tmp_path / "x", every=0.05)
    assert about["records"]["total"] == len((tmp_path / "out.jsonl").read_text().splitlines()) == 2000
    assert seen["upload"][0] == seen["upload"][1] > 0
    assert seen["download"][0] == seen["download"][1] > 0


def test_the_python_client_waits_where_it_is_limited(service: str) -> None:
    """A public client's third request is only later, not an error."""
    with Client(service, "public1", "secret123") as client:
        assert all(client.topics() for _ in range(3))


def test_a_table_is_coded_by_a_service(service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``occode code --url``: every row in its place."""
    (tmp_path / "jobs.csv").write_text("id,job\n1,software developer\n2,x\n3,retiree\n")
    arguments = ("code", tmp_path / "jobs.csv", "--title-column", "job", "--url", service)
    assert "OCCODE_CLIENT_ID" in occode(*arguments).stderr
    monkeypatch.setenv("OCCODE_CLIENT_ID", "client1")
    monkeypatch.setenv("OCCODE_CLIENT_SECRET", "secret123")
    done = occode(*arguments)
    assert done.returncode == 0, done.stderr
    rows = (tmp_path / "jobs-coded.csv").read_text().splitlines()
    assert rows[1].startswith("1,software developer,successful,273")
    assert "under 3 min" in rows[2]
    assert rows[3].startswith("3,retiree,unsuccessful")


def test_curl_is_client_enough(service: str, tmp_path: Path) -> None:
    """Guide section 8 with plain PUT and GET, as its examples print them."""
    (tmp_path / "input.jsonl").write_bytes(made_up(50))
    bearer = f"Authorisation: {token(service)}"
    created = json.loads(_curl("-X", "POST", "-H", bearer, service + BATCH))
    kms = f"x-amz-server-side-encryption-aws-kms-key-id: {created['bucketKmsKeyArn']}"
    upload = ("-H", "x-amz-server-side-encryption: aws:kms", "-H", kms, created["requestUploadUrl"])
    _curl("-T", tmp_path / "input.jsonl", "-H", "Expect:", *upload)
    for _ in range(100):
        found = json.loads(_curl("-H", bearer, f"{service}{BATCH}/operations/{created['operationId']}"))
        if found["operationStatus"] == "complete":
            break
        time.sleep(0.2)
    lines = _curl("-C", "0", found["responseDownloadUrl"]).splitlines()
    assert [json.loads(line)["recordId"] for line in lines] == [str(i) for i in range(50)]
    assert json.loads(_curl(found["metadataDownloadUrl"]))


def _curl(*arguments: str | Path) -> str:
    return subprocess.run(["curl", "-sSf", *arguments], check=True, capture_output=True, text=True, timeout=60).stdout
