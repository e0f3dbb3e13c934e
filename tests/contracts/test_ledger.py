"""The ledger: the same on SQLite and PostgreSQL, whoever asks at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from occode.batch.operations import UPLOAD_TIME, Event, Operation, OperationNotFound, Stage, State
from occode.batch.ports import Chunk, Job, Result
from occode.storage.ledger import DatabaseLedger
from tests.conftest import NOW

LEASE = timedelta(seconds=30)
ABOUT = {"fields": ["occp_text"]}


@pytest.fixture
def ledger(engine: Engine) -> DatabaseLedger:
    """An empty ledger."""
    return DatabaseLedger(engine)


def _create(ledger: DatabaseLedger, name: str, client: str = "abc") -> Operation:
    operation = Operation(name, client, "osca", "model", NOW, NOW + UPLOAD_TIME)
    ledger.create(operation)
    return operation


def _in_coding(ledger: DatabaseLedger, name: str, client: str = "abc", chunks: int = 3) -> None:
    _create(ledger, name, client)
    ledger.happen(name, Event.RECEIVED, NOW)
    assert ledger.take_stage("scanner", Stage.SCAN, NOW, LEASE)
    pieces = [Chunk(name, number, number * 10, number * 10 + 10, number * 5 + 1, 5) for number in range(chunks)]
    assert ledger.split("scanner", name, pieces, ABOUT, NOW)


def _take(ledger: DatabaseLedger, worker: str = "w", now: timedelta = timedelta()) -> Job:
    job = ledger.take_chunk(worker, NOW + now, LEASE)
    assert job is not None
    return job


def test_an_operation_is_found_as_it_was_made(ledger: DatabaseLedger) -> None:
    """By its id, among all, among its client's, among those that await input."""
    operation = _create(ledger, "a")
    assert ledger.get("a") == operation
    assert ledger.all() == ledger.all("abc") == ledger.awaiting() == [operation]
    assert ledger.all("other") == []
    with pytest.raises(OperationNotFound):
        ledger.get("b")


def test_events_move_an_operation_and_what_cannot_happen_does_not(ledger: DatabaseLedger) -> None:
    """Twice received is received once."""
    _create(ledger, "a")
    assert ledger.happen("a", Event.RECEIVED, NOW)
    assert not ledger.happen("a", Event.RECEIVED, NOW)
    assert not ledger.happen("a", Event.UPLOAD_TIME_OVER, NOW)
    assert ledger.happen("a", Event.FAILED, NOW, error="why")
    found = ledger.get("a")
    assert (found.state, found.error, found.finished) == (State.FAILED, "why", NOW)
    assert ledger.overdue(NOW) == [found]
    assert ledger.happen("a", Event.KEEP_TIME_OVER, NOW)
    assert not ledger.happen("a", Event.KEEP_TIME_OVER, NOW)
    assert ledger.all() == []


def test_a_batch_goes_from_scan_to_delivery(ledger: DatabaseLedger) -> None:
    """Each stage leased, each chunk coded once."""
    _in_coding(ledger, "a")
    assert ledger.take_stage("w", Stage.DELIVER, NOW, LEASE) is None
    for number in range(3):
        job = _take(ledger)
        assert (job.chunk.number, job.attempt, job.fields, job.topic) == (number, 1, ("occp_text",), "osca")
        assert ledger.get("a").records_done == 5 * number
        assert ledger.record("w", job.chunk, Result({6: 4}, 1, 0), NOW)
    assert ledger.take_chunk("w", NOW, LEASE) is None
    operation = ledger.take_stage("w", Stage.DELIVER, NOW, LEASE)
    assert operation is not None
    assert (operation.records_done, operation.records_total) == (15, 15)
    assert [chunk.number for chunk, _ in ledger.chunks("a")] == [0, 1, 2]
    assert ledger.happen("a", Event.DELIVERED, NOW, about={"done": True})
    assert ledger.get("a").about == {**ABOUT, "done": True}


def test_a_lease_that_ran_out_is_anybodys_and_its_old_holder_records_nothing(ledger: DatabaseLedger) -> None:
    """So that no chunk counts twice."""
    _in_coding(ledger, "a", chunks=1)
    job = _take(ledger, "slow")
    assert ledger.take_chunk("quick", NOW + LEASE / 2, LEASE) is None
    ledger.renew("slow", NOW + LEASE / 2, LEASE)
    assert ledger.take_chunk("quick", NOW + LEASE, LEASE) is None
    again = _take(ledger, "quick", 2 * LEASE)
    assert again == replace(job, attempt=2)
    assert not ledger.record("slow", job.chunk, Result(), NOW)
    assert ledger.record("quick", job.chunk, Result(), NOW)
    assert not ledger.record("quick", job.chunk, Result(), NOW)


def test_what_a_worker_gives_back_is_taken_at_once_or_after_its_wait(ledger: DatabaseLedger) -> None:
    """At its end all of its leases, after a failure one chunk with a pause."""
    _in_coding(ledger, "a", chunks=1)
    job = _take(ledger)
    ledger.release("w")
    assert _take(ledger, "other").attempt == 2
    ledger.retry("other", job.chunk, NOW + timedelta(seconds=5))
    assert ledger.take_chunk("other", NOW + timedelta(seconds=4), LEASE) is None
    assert _take(ledger, "other", timedelta(seconds=5)).attempt == 3


def test_a_stage_is_leased_and_given_back_as_a_chunk_is(ledger: DatabaseLedger) -> None:
    """With its attempts counted."""
    _create(ledger, "a")
    ledger.happen("a", Event.RECEIVED, NOW)
    first = ledger.take_stage("one", Stage.SCAN, NOW, LEASE)
    assert first is not None
    assert first.attempt == 1
    assert ledger.take_stage("two", Stage.SCAN, NOW, LEASE) is None
    ledger.retry_stage("one", "a", NOW + timedelta(seconds=5))
    assert ledger.take_stage("two", Stage.SCAN, NOW, LEASE) is None
    again = ledger.take_stage("two", Stage.SCAN, NOW + timedelta(seconds=5), LEASE)
    assert again is not None
    assert again.attempt == 2
    assert not ledger.split("one", "a", [Chunk("a", 0, 0, 1, 1, 1)], ABOUT, NOW)


def test_a_small_batch_does_not_wait_for_a_large_one(ledger: DatabaseLedger) -> None:
    """The client with less at work is served first."""
    _in_coding(ledger, "large", "one", chunks=100)
    for _ in range(4):
        assert _take(ledger).chunk.operation_id == "large"
    _in_coding(ledger, "small", "two", chunks=1)
    assert _take(ledger).chunk.operation_id == "small"
    assert _take(ledger).chunk.operation_id == "large"


def test_the_batches_of_one_client_take_turns(ledger: DatabaseLedger) -> None:
    """None of them starves."""
    _in_coding(ledger, "a", chunks=5)
    _in_coding(ledger, "b", chunks=5)
    taken = [_take(ledger, now=timedelta(seconds=second)).chunk.operation_id for second in range(6)]
    assert taken.count("a") == taken.count("b") == 3


def test_many_workers_at_once_take_every_chunk_once(ledger: DatabaseLedger) -> None:
    """And deliver once."""
    _in_coding(ledger, "a", chunks=40)

    def work(name: str) -> list[int]:
        taken = []
        while job := ledger.take_chunk(name, NOW, LEASE):
            taken.append(job.chunk.number)
            assert ledger.record(name, job.chunk, Result(), NOW)
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [number for numbers in pool.map(work, "abcd") for number in numbers]
        assert sorted(taken) == list(range(40))
        stages: Callable[[str], Operation | None] = lambda name: ledger.take_stage(name, Stage.DELIVER, NOW, LEASE)  # noqa: E731
        assert sum(operation is not None for operation in pool.map(stages, "abcd")) == 1


def test_a_failed_operation_has_no_chunks_left_to_take(ledger: DatabaseLedger) -> None:
    """Nobody works for nothing."""
    _in_coding(ledger, "a")
    job = _take(ledger)
    ledger.happen("a", Event.FAILED, NOW, error="why")
    assert ledger.take_chunk("w", NOW, LEASE) is None
    assert not ledger.record("w", job.chunk, Result(), NOW)
