"""What a client asks of batches: create an operation, look at it; and what time does to operations."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from occode.batch import places
from occode.batch.deliver import forget_input
from occode.batch.operations import DOWNLOAD_TIME, KEEP_TIME, UPLOAD_TIME, Event, NotOwner, Operation, State
from occode.batch.ports import Ledger, ObjectStore, Upload


@dataclass(frozen=True)
class Desk:
    """The ledger and the store behind the batch endpoints."""

    ledger: Ledger
    store: ObjectStore

    def create(self, client_id: str, topic: str, model_id: str, now: datetime, address: str) -> tuple[Operation, Upload]:
        """Make an operation and say where its input is to be uploaded within the hour (guide section 8.1)."""
        operation = Operation(str(uuid.uuid4()), client_id, topic, model_id, now, now + UPLOAD_TIME)
        upload = self.store.upload(places.raw(operation.operation_id), operation.upload_until, address)
        self.ledger.create(operation)
        return operation, upload

    def look(self, client_id: str, operation_id: str, now: datetime) -> Operation:
        """Return a client's operation as it is now (guide section 8.3).

        Raises
        ------
        OperationNotFound
            There is none, or its time is over.
        NotOwner
            It belongs to another client.
        """
        operation = self.ledger.get(operation_id)
        if operation.client_id != client_id:
            raise NotOwner(operation_id=operation_id)
        if self.age(operation, now):
            operation = self.ledger.get(operation_id)
        return operation

    def downloads(self, operation: Operation, now: datetime, address: str) -> tuple[str, str]:
        """Return fresh addresses of a complete operation's records and metadata (guide section 8.3.5)."""
        until = now + DOWNLOAD_TIME
        keys = (places.output(operation.operation_id), places.metadata(operation.operation_id))
        records, metadata = (self.store.download_url(key, until, address) for key in keys)
        return records, metadata

    def age(self, operation: Operation, now: datetime) -> bool:
        """Let happen to an operation what is due: input received, upload time over, keep time over; say whether anything was."""
        identity = operation.operation_id
        if operation.state is State.AWAITING_INPUT:
            if self.store.size(places.raw(identity)) is not None:
                return self.ledger.happen(identity, Event.RECEIVED, now)
            if now >= operation.upload_until:
                return self.ledger.happen(identity, Event.UPLOAD_TIME_OVER, now)
        elif operation.finished and now >= operation.finished + KEEP_TIME:
            self.store.delete(places.outputs(identity))
            forget_input(identity, self.store)
            return self.ledger.happen(identity, Event.KEEP_TIME_OVER, now)
        return False

    def sweep(self, now: datetime) -> None:
        """Let happen to all operations what is due."""
        for operation in [*self.ledger.awaiting(), *self.ledger.overdue(now - KEEP_TIME)]:
            self.age(operation, now)

    def fail(self, operation_id: str, error: str, now: datetime) -> bool:
        """End an operation with an error; its input is deleted."""
        done = self.ledger.happen(operation_id, Event.FAILED, now, error=error)
        if done:
            forget_input(operation_id, self.store)
            self.store.delete(places.outputs(operation_id))
        return done


def seconds_left(operation: Operation, now: datetime) -> int | None:
    """Return about how long an operation in progress will take from now, None where it cannot be told yet."""
    if not operation.coding_since or not operation.records_done:
        return None
    pace = (now - operation.coding_since).total_seconds() / operation.records_done
    return round(pace * (operation.records_total - operation.records_done))
