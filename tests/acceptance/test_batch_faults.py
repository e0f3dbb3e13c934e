"""What batches survive: killed workers, stores and databases that are away, full disks, restarts (guide section 8)."""

import json
import signal
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
from occode.places import default_data_dir
from occode.settings import Settings
from occode.storage.database import connect, migrate
from occode.storage.folder import FolderStore
from occode.storage.ledger import DatabaseLedger
from occode.wiring import engine
from tests.acceptance.batches import BATCH, finish, made_up, sealing, upload
from tests.acceptance.test_files import occode
from tests.conftest import NOW, server_of, serving, token

QUICK = Pace(lease=3, idle=0.05, sweep=0.1, first_wait=0.1)


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
    operation = workplace.put(made_up(150_000), model)
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
            upload(created, made_up(150_000))
            path = f"{BATCH}/operations/{created['operationId']}"
            while not client.get(path).json().get("recordsDone"):
                time.sleep(0.05)
            next(child for child in server_of(address).children() if "worker" in child.cmdline()).kill()
            done = finish(client, created["operationId"], 120)
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
    operation = workplace.put(made_up(150_000), model)
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
    operation = workplace.put(made_up(150_000), model)
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
    operation = workplace.put(made_up(150_000), model)
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


def test_a_server_restarted_while_uploading_takes_the_upload_again(tmp_path: Path) -> None:
    """Nothing is left of the half that arrived; the same address works after the restart, and operations are listed."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "models").symlink_to(default_data_dir() / "models")
    environment = {"OCCODE_DATA_DIR": str(data)}
    secret = occode("clients", "add", "agency", "--tier", "partner", "--accept-terms", environment=environment).stdout.split()[0]
    content = made_up(20_000)
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
            httpx.put(created["requestUploadUrl"], content=halting(), headers=sealing(created), timeout=60)
        assert stopped.is_set()
    port = address.rpartition(":")[2]
    with serving(log, port=int(port), environment=environment), httpx.Client(base_url=address, headers=headers) as client:
        assert client.get(f"{BATCH}/operations/{created['operationId']}").json() == {"operationStatus": "awaiting_input"}
        assert "awaiting" in occode("operations", "list", environment=environment).stdout
        assert upload(created, content).status_code == 200
        done = finish(client, created["operationId"])
        lines = httpx.get(done["responseDownloadUrl"]).text.splitlines()
    assert [json.loads(line)["recordId"] for line in lines] == [str(i) for i in range(20_000)]


def test_an_upload_that_breaks_off_leaves_the_operation_waiting(service: str, partner: httpx.Client) -> None:
    """And can be made again."""
    created = partner.post(BATCH).json()

    def broken() -> Iterator[bytes]:
        yield made_up(10)
        raise StoreUnavailable(reason="the line was cut")

    with pytest.raises(StoreUnavailable):
        httpx.put(created["requestUploadUrl"], content=broken(), headers=sealing(created))
    time.sleep(1.5)
    assert partner.get(f"{BATCH}/operations/{created['operationId']}").json() == {"operationStatus": "awaiting_input"}
    upload(created, made_up(10))
    assert finish(partner, created["operationId"])["operationStatus"] == "complete"
