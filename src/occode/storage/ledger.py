"""The ledger of operations and chunks, in the database: each method is one transaction, leases decide who works on what."""

from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, Select, Subquery, and_, delete, func, insert, or_, select, update

from occode.batch.operations import Event, ImpossibleEvent, Operation, OperationNotFound, Stage, State, after
from occode.batch.ports import Chunk, Job, Result
from occode.storage.database import reading
from occode.storage.tables import chunks, operations

_NO_LEASE = {"worker": None, "lease_until": None}


class DatabaseLedger:
    """Implements `occode.batch.ports.Ledger`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, operation: Operation) -> None:
        """Keep a new operation."""
        values = asdict(operation)
        del values["records_done"]
        with self._engine.begin() as connection:
            connection.execute(insert(operations).values(**values))

    def get(self, operation_id: str) -> Operation:
        """Return an operation."""
        with reading(self._engine).begin() as connection:
            row = connection.execute(_whole().where(operations.c.operation_id == operation_id)).first()
        if row is None:
            raise OperationNotFound(operation_id=operation_id)
        return _operation(row)

    def all(self, client_id: str | None = None) -> list[Operation]:
        """Return all operations, or a client's, the newest first."""
        query = _whole().order_by(operations.c.created.desc())
        return self._list(query if client_id is None else query.where(operations.c.client_id == client_id))

    def counts(self) -> dict[str, int]:
        """Return how many operations are in each state."""
        query = select(operations.c.state, func.count()).group_by(operations.c.state)
        with reading(self._engine).begin() as connection:
            found = {row[0]: row[1] for row in connection.execute(query)}
        return {str(state): found.get(state, 0) for state in State}

    def awaiting(self) -> list[Operation]:
        """Return the operations that await their input."""
        return self._list(_whole().where(operations.c.state == State.AWAITING_INPUT))

    def overdue(self, finished_before: datetime) -> list[Operation]:
        """Return the operations that ended before then."""
        return self._list(_whole().where(operations.c.finished <= finished_before))

    def _list(self, query: Select[Any]) -> list[Operation]:
        with reading(self._engine).begin() as connection:
            return [_operation(row) for row in connection.execute(query)]

    def happen(
        self, operation_id: str, event: Event, now: datetime, *, error: str | None = None, about: dict[str, Any] | None = None
    ) -> bool:
        """Let an event happen to an operation."""
        own = operations.c.operation_id == operation_id
        with self._engine.begin() as connection:
            row = connection.execute(select(operations).where(own).with_for_update()).first()
            if row is None:
                return False
            try:
                state = after(State(row.state), event)
            except ImpossibleEvent:
                return False
            if state is None:
                connection.execute(delete(operations).where(own))
                return True
            values: dict[str, Any] = {"state": state, "error": error, "about": {**row.about, **(about or {})}, **_NO_LEASE}
            values["received" if event is Event.RECEIVED else "finished"] = now
            connection.execute(update(operations).where(own).values(**values))
            if state is State.FAILED:
                connection.execute(delete(chunks).where(chunks.c.operation_id == operation_id))
            return True

    def take_stage(self, worker: str, stage: Stage, now: datetime, lease: timedelta) -> Operation | None:
        """Lease an operation that is in `stage` and nobody's, of the client that is served least."""
        with self._engine.begin() as connection:
            busy = _busy(operations.c.lease_until > now)
            query = (
                select(operations.c.operation_id)
                .outerjoin(busy, busy.c.client_id == operations.c.client_id)
                .where(operations.c.state == State.IN_PROGRESS, operations.c.stage == stage, *_free(operations, now))
                .order_by(func.coalesce(busy.c.at_work, 0), operations.c.received)
                .limit(1)
                .with_for_update(of=operations, skip_locked=True)
            )
            found = connection.execute(query).scalar()
            if found is None:
                return None
            own = operations.c.operation_id == found
            taken = {"worker": worker, "lease_until": now + lease, "attempt": operations.c.attempt + 1}
            connection.execute(update(operations).where(own).values(**taken))
            return _operation(connection.execute(_whole().where(own)).one())

    def take_chunk(self, worker: str, now: datetime, lease: timedelta) -> Job | None:
        """Lease a chunk that is nobody's, of the client with the fewest chunks at work."""
        with self._engine.begin() as connection:
            at_work = (chunks.c.operation_id == operations.c.operation_id) & ~chunks.c.done & (chunks.c.lease_until > now)
            busy, own = _busy(at_work, chunks), _at_work(at_work)
            query = (
                select(chunks, operations.c.topic, operations.c.model_id, operations.c.about)
                .join(operations, operations.c.operation_id == chunks.c.operation_id)
                .outerjoin(busy, busy.c.client_id == operations.c.client_id)
                .outerjoin(own, own.c.operation_id == operations.c.operation_id)
                .where(operations.c.state == State.IN_PROGRESS, operations.c.stage == Stage.CODE, ~chunks.c.done)
                .where(*_free(chunks, now))
                .order_by(*(func.coalesce(count.c.at_work, 0) for count in (busy, own)), operations.c.received, chunks.c.number)
                .limit(1)
                .with_for_update(of=chunks, skip_locked=True)
            )
            row = connection.execute(query).first()
            if row is None:
                return None
            taken = {"worker": worker, "lease_until": now + lease, "attempt": row.attempt + 1}
            connection.execute(update(chunks).where(_is(row)).values(**taken))
            return Job(_chunk(row), row.topic, row.model_id, tuple(row.about["fields"]), row.attempt + 1)

    def renew(self, worker: str, now: datetime, lease: timedelta) -> None:
        """Make all leases of a worker last longer."""
        with self._engine.begin() as connection:
            for table in (operations, chunks):
                connection.execute(update(table).where(table.c.worker == worker).values(lease_until=now + lease))

    def release(self, worker: str) -> None:
        """Give all leases of a worker back."""
        with self._engine.begin() as connection:
            for table in (operations, chunks):
                connection.execute(update(table).where(table.c.worker == worker).values(**_NO_LEASE))

    def split(self, worker: str, operation_id: str, pieces: list[Chunk], about: dict[str, Any], now: datetime) -> bool:
        """End the scan: keep the chunks and go on to coding."""
        mine = (operations.c.operation_id == operation_id) & (operations.c.worker == worker)
        with self._engine.begin() as connection:
            row = connection.execute(select(operations).where(mine, operations.c.stage == Stage.SCAN).with_for_update()).first()
            if row is None or row.state != State.IN_PROGRESS:
                return False
            rows = [{**asdict(piece), "done": False, "attempt": 0} for piece in pieces]
            connection.execute(insert(chunks), rows)
            total = sum(piece.lines for piece in pieces)
            values = {"about": {**row.about, **about}, "records_total": total, "coding_since": now}
            connection.execute(update(operations).where(mine).values(**values, **_stage(Stage.CODE)))
            return True

    def record(self, worker: str, chunk: Chunk, result: Result, now: datetime) -> bool:
        """Mark a chunk as coded; with the last one the operation goes on to delivery."""
        own = operations.c.operation_id == chunk.operation_id
        with self._engine.begin() as connection:
            connection.execute(select(operations.c.operation_id).where(own).with_for_update())
            mine = _is(chunk) & (chunks.c.worker == worker) & ~chunks.c.done
            done = update(chunks).where(mine).values(done=True, result=asdict(result), **_NO_LEASE)
            if not connection.execute(done).rowcount:
                return False
            left = select(func.count()).where(chunks.c.operation_id == chunk.operation_id, ~chunks.c.done)
            if connection.execute(left).scalar_one() == 0:
                connection.execute(update(operations).where(own).values(**_stage(Stage.DELIVER)))
            return True

    def retry(self, worker: str, chunk: Chunk, not_before: datetime) -> None:
        """Give a chunk back to be tried again later."""
        with self._engine.begin() as connection:
            mine = _is(chunk) & (chunks.c.worker == worker)
            connection.execute(update(chunks).where(mine).values(not_before=not_before, **_NO_LEASE))

    def retry_stage(self, worker: str, operation_id: str, not_before: datetime) -> None:
        """Give an operation's stage back to be tried again later."""
        with self._engine.begin() as connection:
            mine = (operations.c.operation_id == operation_id) & (operations.c.worker == worker)
            connection.execute(update(operations).where(mine).values(not_before=not_before, **_NO_LEASE))

    def chunks(self, operation_id: str) -> list[tuple[Chunk, Result]]:
        """Return an operation's coded chunks in order."""
        query = select(chunks).where(chunks.c.operation_id == operation_id, chunks.c.done).order_by(chunks.c.number)
        with reading(self._engine).begin() as connection:
            return [(_chunk(row), Result(**row.result)) for row in connection.execute(query)]


def _whole() -> Select[Any]:
    """Select operations with the number of their records that are done."""
    mine = chunks.c.operation_id == operations.c.operation_id
    done = select(func.coalesce(func.sum(chunks.c.lines), 0)).where(mine, chunks.c.done).scalar_subquery()
    return select(operations, done.label("records_done"))


def _busy(at_work: ColumnElement[bool], *tables: Any) -> Subquery:
    """Select how much each client has at work."""
    query = select(operations.c.client_id, func.count().label("at_work")).where(at_work)
    for table in tables:
        query = query.join_from(operations, table)
    return query.group_by(operations.c.client_id).subquery("busy")


def _at_work(at_work: ColumnElement[bool]) -> Subquery:
    """Select how many chunks each operation has at work."""
    query = select(chunks.c.operation_id, func.count().label("at_work")).join_from(chunks, operations).where(at_work)
    return query.group_by(chunks.c.operation_id).subquery("own")


def _free(table: Any, now: datetime) -> list[ColumnElement[bool]]:
    unleased = or_(table.c.lease_until.is_(None), table.c.lease_until <= now)
    return [unleased, or_(table.c.not_before.is_(None), table.c.not_before <= now)]


def _stage(stage: Stage) -> dict[str, Any]:
    return {"stage": stage, "attempt": 0, "not_before": None, **_NO_LEASE}


def _is(chunk: Chunk | Row[Any]) -> ColumnElement[bool]:
    return and_(chunks.c.operation_id == chunk.operation_id, chunks.c.number == chunk.number)


def _operation(row: Row[Any]) -> Operation:
    values = {f.name: row._mapping[f.name] for f in fields(Operation)}
    return Operation(**values | {"state": State(row.state), "stage": Stage(row.stage), "records_done": int(row.records_done)})


def _chunk(row: Row[Any]) -> Chunk:
    return Chunk(**{f.name: row._mapping[f.name] for f in fields(Chunk)})
