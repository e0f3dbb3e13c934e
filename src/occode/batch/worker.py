"""The worker: takes stages and chunks by lease, has chunks coded by the engine, renews, retries, sweeps."""

import contextlib
import socket
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from occode.batch.deliver import counts, deliver, forget_input
from occode.batch.desk import Desk
from occode.batch.operations import Event, Operation, Stage
from occode.batch.ports import Engine, Job, NoSpace, ObjectMissing, Result, Scanner
from occode.batch.scan import RefusedInput, scan
from occode.errors import OccodeError

_log = structlog.get_logger(__name__)
#: A file in which more lines than this share are no JSON objects is no JSON lines file.
MOST_BROKEN = 0.05
#: How often something is tried before its operation fails; the waits in between double up to half a minute.
MOST_ATTEMPTS = 8
LONGEST_WAIT = 30


@dataclass(frozen=True)
class Pace:
    """How a worker spends its time, in seconds: leases last `lease`, are renewed thrice in it; `idle` between looks for work."""

    lease: float = 30
    idle: float = 0.5
    sweep: float = 1
    first_wait: float = 0.5


class Worker:
    """One worker; as many as wanted share a ledger. `run` returns once `stop` was called and its chunks are done."""

    def __init__(
        self,
        desk: Desk,
        engine: Engine,
        scanner: Scanner | None,
        details: Callable[[str, str], dict[str, Any]],
        *,
        most_bytes: int,
        clock: Callable[[], datetime],
        pace: Pace | None = None,
    ) -> None:
        self.name = f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
        self._desk, self._ledger, self._store = desk, desk.ledger, desk.store
        self._engine, self._scanner, self._details = engine, scanner, details
        self._most_bytes, self._clock, self._pace = most_bytes, clock, pace or Pace()
        self._lease = timedelta(seconds=self._pace.lease)
        self._work = _Work()

    def stop(self) -> None:
        """Take nothing new; `run` ends when what is at work is done."""
        self._work.stopping.set()
        self._work.news.set()

    def close(self) -> None:
        """Stop the engine."""
        self._engine.close()

    def run(self) -> None:
        """Work until told to stop."""
        helpers = [threading.Thread(target=self._repeat, args=(what, every), daemon=True) for what, every in self._routine()]
        for helper in helpers:
            helper.start()
        with ThreadPoolExecutor(2, thread_name_prefix="stage") as stages:
            while not self._work.stopping.is_set():
                self._work.news.clear()
                if not self._try(lambda: self._take(stages)):
                    self._work.news.wait(self._pace.idle)
            self._work.finish()
        self._work.stopped.set()
        for helper in helpers:
            helper.join()
        self._try(lambda: self._ledger.release(self.name))

    def _routine(self) -> list[tuple[Callable[[], Any], float]]:
        return [
            (lambda: self._ledger.renew(self.name, self._clock(), self._lease), self._pace.lease / 3),
            (lambda: self._desk.sweep(self._clock()), self._pace.sweep),
        ]

    def _repeat(self, what: Callable[[], Any], every: float) -> None:
        while not self._work.stopped.wait(every):
            self._try(what)

    def _try(self, what: Callable[[], Any]) -> Any:
        """Do something that needs the database or the store; where they do not answer, say so and go on later."""
        try:
            return what()
        except Exception as error:
            _log.warning("not now; trying again", what=type(error).__name__, reason=str(error).partition("\n")[0][:200])
            self._work.stopping.wait(self._pace.first_wait)
            return None

    def _take(self, stages: ThreadPoolExecutor) -> bool:
        """Take whatever there is room for; say whether anything was taken."""
        taken = False
        for stage, run in ((Stage.DELIVER, self._deliver), (Stage.SCAN, self._scan)):
            if self._work.stages_free():
                operation = self._ledger.take_stage(self.name, stage, self._clock(), self._lease)
                if operation:
                    self._work.begin_stage()
                    stages.submit(self._stage, operation, run)
                    taken = True
        while self._work.chunks < self._engine.capacity:
            job = self._ledger.take_chunk(self.name, self._clock(), self._lease)
            if job is None:
                break
            self._work.begin_chunk()
            self._submit(job)
            taken = True
        return taken

    def _submit(self, job: Job) -> None:
        def done(future: "Future[Result]") -> None:
            threading.Thread(target=self._end_chunk, args=(job, future), daemon=True).start()

        self._engine.submit(job).add_done_callback(done)

    def _end_chunk(self, job: Job, future: "Future[Result]") -> None:
        try:
            self._until_written(lambda: self._record(job, future))
        finally:
            self._work.end_chunk()

    def _until_written(self, what: Callable[[], None]) -> None:
        """Write something down, however long the database does not answer: the lease decides whether it still counts."""
        while True:
            try:
                what()
                return
            except Exception as error:
                _log.warning("could not write to the ledger; trying again", what=type(error).__name__)
                if self._work.stopping.wait(self._pace.first_wait):
                    return

    def _record(self, job: Job, future: "Future[Result]") -> None:
        identity, now = job.chunk.operation_id, self._clock()
        error = future.exception()
        if error is not None:
            self._failed_chunk(job, error)
        elif (mixed := future.result().mixed_line) is not None:
            names = ", ".join(job.fields)
            self._desk.fail(identity, RefusedInput(why=f"line {mixed} has other fields than line 1 ({names})").message, now)
        else:
            self._ledger.record(self.name, job.chunk, future.result(), now)

    def _failed_chunk(self, job: Job, error: BaseException) -> None:
        reason = error.message if isinstance(error, OccodeError) else type(error).__name__
        _log.warning("chunk failed", operation=job.chunk.operation_id, chunk=job.chunk.number, attempt=job.attempt, reason=reason)
        now = self._clock()
        if isinstance(error, NoSpace) or job.attempt >= MOST_ATTEMPTS:
            lines = f"lines {job.chunk.first_line} to {job.chunk.first_line + job.chunk.lines - 1}"
            self._desk.fail(job.chunk.operation_id, f"{lines} could not be coded: {reason}", now)
        else:
            self._ledger.retry(self.name, job.chunk, now + self._wait(job.attempt))

    def _wait(self, attempt: int) -> timedelta:
        return timedelta(seconds=min(LONGEST_WAIT, self._pace.first_wait * 2**attempt))

    def _stage(self, operation: Operation, run: Callable[[Operation], None]) -> None:
        try:
            run(operation)
        except (RefusedInput, NoSpace, ObjectMissing) as error:
            message = error.message
            self._until_written(lambda: self._fail(operation, message))
        except Exception as error:
            reason = error.message if isinstance(error, OccodeError) else type(error).__name__
            self._until_written(lambda: self._retry_stage(operation, reason))
        finally:
            self._work.end_stage()

    def _fail(self, operation: Operation, message: str) -> None:
        self._desk.fail(operation.operation_id, message, self._clock())

    def _retry_stage(self, operation: Operation, reason: str) -> None:
        _log.warning("stage failed", operation=operation.operation_id, stage=operation.stage.value, reason=reason)
        if operation.attempt >= MOST_ATTEMPTS:
            self._fail(operation, f"the stage {operation.stage.value} did not succeed: {reason}")
        else:
            self._ledger.retry_stage(self.name, operation.operation_id, self._clock() + self._wait(operation.attempt))

    def _scan(self, operation: Operation) -> None:
        found = scan(operation.operation_id, self._store, self._scanner, self._most_bytes)
        about = {"fields": list(found.fields), "input": {"sha256": found.sha256, "bytes": found.size}}
        self._ledger.split(self.name, operation.operation_id, found.chunks, about, self._clock())

    def _deliver(self, operation: Operation) -> None:
        coded = self._ledger.chunks(operation.operation_id)
        broken = [result.broken_line for _, result in coded if result.broken_line]
        if sum(result.broken for _, result in coded) > MOST_BROKEN * counts(coded)["total"]:
            raise RefusedInput(why=f"line {min(broken)} is not a JSON object, and so are too many others")
        now = self._clock()
        about = deliver(operation, coded, self._details(operation.topic, operation.model_id), self._store, now)
        if self._ledger.happen(operation.operation_id, Event.DELIVERED, now, about=about):
            with contextlib.suppress(OccodeError):  # what is left over goes when the operation does
                forget_input(operation.operation_id, self._store)


@dataclass
class _Work:
    """What a worker has at work."""

    chunks: int = 0
    stages: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)
    news: threading.Event = field(default_factory=threading.Event)
    _change: threading.Condition = field(default_factory=threading.Condition)

    def stages_free(self) -> bool:
        return self.stages < 2

    def begin_stage(self) -> None:
        self._add(stages=1)

    def end_stage(self) -> None:
        self._add(stages=-1)

    def begin_chunk(self) -> None:
        self._add(chunks=1)

    def end_chunk(self) -> None:
        self._add(chunks=-1)

    def finish(self) -> None:
        """Wait until nothing is at work."""
        with self._change:
            self._change.wait_for(lambda: not self.chunks and not self.stages)

    def _add(self, chunks: int = 0, stages: int = 0) -> None:
        with self._change:
            self.chunks += chunks
            self.stages += stages
            self._change.notify_all()
        self.news.set()
