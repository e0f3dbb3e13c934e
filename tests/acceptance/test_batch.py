"""Batches over HTTP as a partner runs them, and what they survive (guide section 8)."""

import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from sqlalchemy import text

from occode.batch import places
from occode.batch.desk import Desk
from occode.batch.operations import KEEP_TIME, UPLOAD_TIME, OperationNotFound, State
from occode.batch.ports import ObjectMissing, StoreUnavailable
from occode.batch.worker import Pace, Worker
from occode.client import BatchFailed, Client
from occode.places import default_data_dir
from occode.settings import Settings
from occode.storage.database import connect, migrate
from occode.storage.folder import FolderStore
from occode.storage.ledger import DatabaseLedger
from occode.wiring import engine
from tests.acceptance.test_files import occode
from tests.conftest import EXAMPLE, NOW, server_of, serving, token

BATCH = "/v1/topics/osca/batch-code"
QUICK = Pace(lease=3, idle=0.05, sweep=0.1, first_wait=0.1)


def _lines(count: int, bad: frozenset[int] = frozenset()) -> bytes:
    chance = random.Random(3)
    words = ("nurse", "driver", "teacher", "cook", "cleaner", "manager", "sales", "office", "farm", "steel", "aged", "truck")
    texts = (f"{chance.choice(words)} {chance.choice(words)} {i}" for i in range(count))
    rows = [{"recordId": str(i), "occp_text": "x" if i in bad else found} for i, found in enumerate(texts)]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def _upload(created: dict[str, str], content: bytes) -> httpx.Response:
    return httpx.put(created["requestUploadUrl"], content=content, headers=_sealing(created), timeout=60)


def _finish(client: httpx.Client, operation_id: str, seconds: float = 60) -> dict[str, Any]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found: dict[str, Any] = client.get(f"{BATCH}/operations/{operation_id}").json()
        if found["operationStatus"] not in ("awaiting_input", "in_progress"):
            return found
        time.sleep(0.1)
    raise TimeoutError(found)


def _run(client: httpx.Client, content: bytes) -> dict[str, Any]:
    created = client.post(BATCH).json()
    assert _upload(created, content).status_code == 200
    return _finish(client, created["operationId"])


def test_the_guides_examples_from_creation_to_download(partner: httpx.Client) -> None:
    """Guide section 8: shapes, states, both addresses of an operation, output in order, metadata."""
    model = partner.get("/v1/topics/osca/models/latest").json()
    created = partner.post(f"/v1/topics/osca/models/{model['modelId']}/batch-code").json()
    assert list(created) == ["requestUploadUrl", "operationId", "bucketKmsKeyArn"]
    path = f"{BATCH}/operations/{created['operationId']}"
    assert partner.get(path).json() == {"operationStatus": "awaiting_input"}
    rows = [{"recordId": "1", **EXAMPLE}, {"recordId": "2", "occp_text": "retiree", "tasks_text": ""}]
    assert _upload(created, "\n".join(map(json.dumps, rows)).encode()).status_code == 200
    assert partner.get(path).json()["operationStatus"] in ("in_progress", "complete")
    done = _finish(partner, created["operationId"])
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
    done = _run(partner, _lines(50))
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
    done = _run(partner, content)
    assert set(done) == {"operationStatus", "error"}
    assert done["operationStatus"] == "failed"
    assert error in done["error"]


def test_an_upload_needs_its_headers_and_its_own_key(partner: httpx.Client) -> None:
    """Guide section 8.2.3, as S3 has it."""
    one, other = partner.post(BATCH).json(), partner.post(BATCH).json()
    assert httpx.put(one["requestUploadUrl"], content=b"{}").status_code == 403
    assert _upload({**one, "bucketKmsKeyArn": other["bucketKmsKeyArn"]}, b"{}").status_code == 403
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
    done = _run(partner, _lines(100_000, bad))
    answers = [json.loads(line) for line in httpx.get(done["responseDownloadUrl"], timeout=60).text.splitlines()]
    assert [answer["recordId"] for answer in answers] == [str(i) for i in range(100_000)]
    assert {i for i, answer in enumerate(answers) if "error" in answer} == bad
    counts = httpx.get(done["metadataDownloadUrl"]).json()["records"]
    assert (counts["total"], counts["errors"]) == (100_000, 1000)


def test_the_python_client_sees_a_batch_through(service: str, tmp_path: Path) -> None:
    """Upload, coding and download, each with its progress."""
    (tmp_path / "in.jsonl").write_bytes(_lines(2000))
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


class Workplace:
    """A ledger, a store and workers of a test's own."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(
            database_url=f"sqlite:///{folder / 'occode.db'}", objects_dir=folder / "objects", engine_processes=2
        )
        self.engine = connect(self.settings.database)
        migrate(self.engine)
        self.store = FolderStore(self.settings.objects, bytes(32))
        self.desk = Desk(DatabaseLedger(self.engine), self.store)
        self.settings.key_file.write_bytes(bytes(32))
        self.workers: list[tuple[Worker, threading.Thread]] = []

    def start(self) -> Worker:
        worker = Worker(
            self.desk, engine(self.settings), None, lambda _, model: {"modelId": model},
            most_bytes=10**9, clock=lambda: datetime.now(UTC), pace=QUICK,
        )  # fmt: skip
        thread = threading.Thread(target=worker.run)
        thread.start()
        self.workers.append((worker, thread))
        return worker

    def put(self, content: bytes, model: str) -> str:
        operation, _ = self.desk.create("client1", "osca", model, datetime.now(UTC), "")
        with self.store.writer(places.raw(operation.operation_id)) as target:
            target.write(content)
        return operation.operation_id

    def finish(self, operation_id: str, seconds: float = 90) -> State:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                state = self.desk.ledger.get(operation_id).state
            except Exception:
                state = State.IN_PROGRESS
            if state not in (State.AWAITING_INPUT, State.IN_PROGRESS):
                return state
            time.sleep(0.1)
        raise TimeoutError(self.desk.ledger.get(operation_id))

    def output(self, operation_id: str) -> list[str]:
        content = b"".join(self.store.stream(places.output(operation_id)))
        return [json.loads(line)["recordId"] for line in content.splitlines()]

    def close(self) -> None:
        for worker, thread in self.workers:
            worker.stop()
            thread.join()
            worker.close()
        self.engine.dispose()


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Workplace]:
    """A workplace without a worker yet."""
    found = Workplace(tmp_path)
    yield found
    found.close()


@pytest.fixture(scope="module")
def model(registry: Any) -> str:
    """The id of the latest model of OSCA."""
    return str(registry.latest("osca").model_id)


IDS = [str(i) for i in range(150_000)]


def test_two_workers_share_a_batch_and_neither_loses_nor_doubles_a_line(workplace: Workplace, model: str) -> None:
    """Whoever is quicker; what is not needed any more is deleted."""
    workplace.start()
    workplace.start()
    operation = workplace.put(_lines(150_000), model)
    assert workplace.finish(operation) is State.COMPLETE
    assert workplace.output(operation) == IDS
    time.sleep(0.5)
    for place in (places.raw(operation), places.scanned(operation), places.part(operation, 0)):
        assert workplace.store.size(place) is None


def test_a_worker_that_is_killed_is_replaced_where_it_was(tmp_path: Path, model: str) -> None:
    """SIGKILL to the worker of a service in the middle of a file: the batch ends complete, with every line once."""
    options = ("--data-dir", str(tmp_path))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OCCODE_DATA_DIR", str(tmp_path))
        _link_models(tmp_path)
        secret = occode("clients", "add", "me", "--tier", "partner", "--accept-terms").stdout.strip()
        with serving(tmp_path / "log", *options) as address, httpx.Client(base_url=address, timeout=30) as client:
            client.headers["Authorization"] = f"Bearer {token(address, 'me', secret)}"
            created = client.post(BATCH).json()
            _upload(created, _lines(150_000))
            path = f"{BATCH}/operations/{created['operationId']}"
            while not client.get(path).json().get("recordsDone"):
                time.sleep(0.05)
            found = subprocess.run(["pgrep", "-f", "-n", "occode worker"], capture_output=True, text=True, check=True)
            os.kill(int(found.stdout), signal.SIGKILL)
            done = _finish(client, created["operationId"], 120)
            answers = httpx.get(done["responseDownloadUrl"], timeout=60).text.splitlines()
    assert [json.loads(line)["recordId"] for line in answers] == IDS


def _link_models(folder: Path) -> None:
    from occode.places import default_data_dir

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OCCODE_DATA_DIR")
        (folder / "models").symlink_to(default_data_dir() / "models")


def test_a_database_that_is_gone_for_a_while_delays_and_loses_nothing(workplace: Workplace, model: str) -> None:
    """Ten seconds without it in the middle of a file."""
    workplace.start()
    operation = workplace.put(_lines(150_000), model)
    while not workplace.desk.ledger.get(operation).records_done:
        time.sleep(0.05)
    with workplace.engine.begin() as connection:
        connection.execute(text("ALTER TABLE chunks RENAME TO gone"))
    time.sleep(10)
    with workplace.engine.begin() as connection:
        connection.execute(text("ALTER TABLE gone RENAME TO chunks"))
    assert workplace.finish(operation) is State.COMPLETE
    assert workplace.output(operation) == IDS


def test_an_object_store_that_refuses_for_a_while_delays_and_loses_nothing(workplace: Workplace, model: str) -> None:
    """Ten seconds without its folder in the middle of a file."""
    workplace.start()
    operation = workplace.put(_lines(150_000), model)
    while not workplace.desk.ledger.get(operation).records_done:
        time.sleep(0.05)
    away = workplace.settings.objects.with_name("away")
    workplace.settings.objects.rename(away)
    workplace.settings.objects.write_text("in the way")
    time.sleep(10)
    workplace.settings.objects.unlink()
    away.rename(workplace.settings.objects)
    assert workplace.finish(operation) is State.COMPLETE
    assert workplace.output(operation) == IDS


def test_a_full_disk_fails_the_operation_with_its_reason(workplace: Workplace, model: str, tmp_path: Path) -> None:
    """In words that an operator can act on; what was written is gone."""
    import resource

    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    operation = workplace.put(_lines(150_000), model)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6_000_000, limit[1]))
    try:
        workplace.start()
        assert workplace.finish(operation) is State.FAILED
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, before)
    assert "no space" in str(workplace.desk.ledger.get(operation).error)
    assert workplace.store.size(places.output(operation)) is None


def test_time_does_what_is_due_and_not_a_moment_before(workplace: Workplace) -> None:
    """An injected clock over every edge: upload time, keep time, restarts."""
    desk = workplace.desk
    edge = timedelta(seconds=1)
    waiting, _ = desk.create("client1", "osca", "m", NOW, "")
    desk.sweep(NOW + UPLOAD_TIME - edge)
    assert desk.look("client1", waiting.operation_id, NOW).state is State.AWAITING_INPUT
    assert desk.look("client1", waiting.operation_id, NOW + UPLOAD_TIME).state is State.TIMED_OUT
    late, _ = desk.create("client1", "osca", "m", NOW, "")
    with workplace.store.writer(places.raw(late.operation_id)) as target:
        target.write(b"{}")
    desk.sweep(NOW + 2 * UPLOAD_TIME)
    assert desk.ledger.get(late.operation_id).state is State.IN_PROGRESS
    desk.fail(late.operation_id, "why", NOW)
    with pytest.raises(ObjectMissing):
        workplace.store.read(places.raw(late.operation_id), 0, 1)
    again = Desk(DatabaseLedger(workplace.engine), workplace.store)
    again.sweep(NOW + KEEP_TIME - edge)
    assert again.look("client1", late.operation_id, NOW + KEEP_TIME - edge).state is State.FAILED
    with pytest.raises(OperationNotFound):
        again.look("client1", late.operation_id, NOW + KEEP_TIME)
    again.sweep(NOW + UPLOAD_TIME + KEEP_TIME)
    assert again.ledger.all() == []


def test_curl_is_client_enough(service: str, tmp_path: Path) -> None:
    """Guide section 8 with plain PUT and GET, as its examples print them."""
    (tmp_path / "input.jsonl").write_bytes(_lines(50))
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


def test_a_server_restarted_while_uploading_takes_the_upload_again(tmp_path: Path) -> None:
    """Nothing is left of the half that arrived; the same address works after the restart, and operations are listed."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "models").symlink_to(default_data_dir() / "models")
    environment = {"OCCODE_DATA_DIR": str(data)}
    secret = occode("clients", "add", "agency", "--tier", "partner", "--accept-terms", environment=environment).stdout.split()[0]
    content = _lines(20_000)
    log = tmp_path / "log"
    with serving(log, environment=environment) as address:
        headers = {"Authorization": f"Bearer {token(address, 'agency', secret)}"}
        created = httpx.post(address + BATCH, headers=headers).json()
        stopped = threading.Event()

        def halting() -> Iterator[bytes]:
            yield content[: len(content) // 2]
            server_of(address).kill()
            stopped.set()
            yield content[len(content) // 2 :]

        with pytest.raises(httpx.TransportError):
            httpx.put(created["requestUploadUrl"], content=halting(), headers=_sealing(created), timeout=60)
        assert stopped.is_set()
    port = address.rpartition(":")[2]
    with serving(log, port=int(port), environment=environment), httpx.Client(base_url=address, headers=headers) as client:
        assert client.get(f"{BATCH}/operations/{created['operationId']}").json() == {"operationStatus": "awaiting_input"}
        assert "awaiting" in occode("operations", "list", environment=environment).stdout
        assert _upload(created, content).status_code == 200
        done = _finish(client, created["operationId"])
        lines = httpx.get(done["responseDownloadUrl"]).text.splitlines()
    assert [json.loads(line)["recordId"] for line in lines] == [str(i) for i in range(20_000)]


def _sealing(created: dict[str, str]) -> dict[str, str]:
    return {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": created["bucketKmsKeyArn"]}


def test_an_upload_that_breaks_off_leaves_the_operation_waiting(service: str, partner: httpx.Client) -> None:
    """And can be made again."""
    created = partner.post(BATCH).json()

    def broken() -> Iterator[bytes]:
        yield _lines(10)
        raise StoreUnavailable(reason="the line was cut")

    with pytest.raises(StoreUnavailable):
        httpx.put(created["requestUploadUrl"], content=broken(), headers=_sealing(created))
    time.sleep(1.5)
    assert partner.get(f"{BATCH}/operations/{created['operationId']}").json() == {"operationStatus": "awaiting_input"}
    _upload(created, _lines(10))
    assert _finish(partner, created["operationId"])["operationStatus"] == "complete"
