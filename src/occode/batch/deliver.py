"""Delivery: the parts put together in order, the metadata beside them, and what is no longer needed deleted."""

import hashlib
from dataclasses import asdict
from datetime import datetime
from typing import Any

import msgspec

from occode.batch import places
from occode.batch.operations import Operation
from occode.batch.ports import Chunk, ObjectStore, Result


def deliver(
    operation: Operation, coded: list[tuple[Chunk, Result]], details: dict[str, Any], store: ObjectStore, now: datetime
) -> dict[str, Any]:
    """Write an operation's output and metadata and return the metadata; running it again writes the same output.

    Parameters
    ----------
    operation
        What is delivered.
    coded
        All its chunks, in order.
    details
        The model's details (guide section 11.1).
    store
        Where the parts are and the output goes.
    now
        When the operation is finished.
    """
    total = hashlib.sha256()
    size = 0
    with store.writer(places.output(operation.operation_id)) as target:
        for chunk, _ in coded:
            for piece in store.stream(places.part(operation.operation_id, chunk.number)):
                total.update(piece)
                size += target.write(piece)
    about = {
        "operationId": operation.operation_id,
        "model": details,
        "records": counts(coded),
        "timings": _timings(operation, now),
        "input": operation.about.get("input", {}),
        "output": {"sha256": total.hexdigest(), "bytes": size},
    }
    with store.writer(places.metadata(operation.operation_id)) as target:
        target.write(msgspec.json.format(msgspec.json.encode(about), indent=2) + b"\n")
    return about


def counts(coded: list[tuple[Chunk, Result]]) -> dict[str, Any]:
    """Return how many records were coded, by status and by number of digits."""
    by_level: dict[str, int] = {}
    unsuccessful = errors = 0
    for _, result in coded:
        found = asdict(result)
        unsuccessful += found["unsuccessful"]
        errors += found["errors"]
        for level, count in found["by_level"].items():
            by_level[str(level)] = by_level.get(str(level), 0) + count
    successful = sum(by_level.values())
    return {
        "total": successful + unsuccessful + errors,
        "successful": successful,
        "unsuccessful": unsuccessful,
        "errors": errors,
        "byLevel": dict(sorted(by_level.items())),
    }


def forget_input(operation_id: str, store: ObjectStore) -> None:
    """Delete what was uploaded and all that came of it but the output."""
    for place in (places.raw(operation_id), places.scanned(operation_id), places.parts(operation_id)):
        store.delete(place)


def _timings(operation: Operation, now: datetime) -> dict[str, Any]:
    moments = {"created": operation.created, "received": operation.received, "codingSince": operation.coding_since, "finished": now}
    found: dict[str, Any] = {name: moment.isoformat(timespec="milliseconds") for name, moment in moments.items() if moment}
    if operation.received:
        found["seconds"] = round((now - operation.received).total_seconds(), 3)
    return found
