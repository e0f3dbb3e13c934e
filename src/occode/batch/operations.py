"""Operations and the one table of what may happen to them (guide section 8.3.5)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from occode.errors import OccodeError

#: How long an upload address lives, and how long output is kept after completion (guide sections 8.1 and 8.3.5).
UPLOAD_TIME = timedelta(hours=1)
DOWNLOAD_TIME = timedelta(hours=1)
KEEP_TIME = timedelta(hours=24)


class State(StrEnum):
    """The ``operationStatus`` of the guide."""

    AWAITING_INPUT = "awaiting_input"
    IN_PROGRESS = "in_progress"
    COMPLETE = "complete"
    TIMED_OUT = "timed_out"
    FAILED = "failed"


class Event(StrEnum):
    """What can happen to an operation."""

    RECEIVED = "received"
    UPLOAD_TIME_OVER = "upload time over"
    DELIVERED = "delivered"
    FAILED = "failed"
    KEEP_TIME_OVER = "keep time over"


#: Every state and event; None removes the operation. What is not here cannot happen and raises `ImpossibleEvent`.
TRANSITIONS: dict[tuple[State, Event], State | None] = {
    (State.AWAITING_INPUT, Event.RECEIVED): State.IN_PROGRESS,
    (State.AWAITING_INPUT, Event.UPLOAD_TIME_OVER): State.TIMED_OUT,
    (State.AWAITING_INPUT, Event.FAILED): State.FAILED,
    (State.IN_PROGRESS, Event.DELIVERED): State.COMPLETE,
    (State.IN_PROGRESS, Event.FAILED): State.FAILED,
    (State.COMPLETE, Event.KEEP_TIME_OVER): None,
    (State.FAILED, Event.KEEP_TIME_OVER): None,
    (State.TIMED_OUT, Event.KEEP_TIME_OVER): None,
}
FINAL = frozenset({State.COMPLETE, State.FAILED, State.TIMED_OUT})


class Stage(StrEnum):
    """Where an operation in progress is: each stage is safe to run again from its start."""

    SCAN = "scan"
    CODE = "code"
    DELIVER = "deliver"


class ImpossibleEvent(OccodeError):
    """An operation that is {state} cannot be {event}."""


class OperationNotFound(OccodeError):
    """There is no operation "{operation_id}"."""


class NotOwner(OccodeError):
    """The operation "{operation_id}" belongs to another client."""


@dataclass(frozen=True)
class Operation:
    """One batch: whose, of what, where it is, and how far."""

    operation_id: str
    client_id: str
    topic: str
    model_id: str
    created: datetime
    upload_until: datetime
    state: State = State.AWAITING_INPUT
    stage: Stage = Stage.SCAN
    received: datetime | None = None
    coding_since: datetime | None = None
    finished: datetime | None = None
    error: str | None = None
    records_total: int = 0
    records_done: int = 0
    attempt: int = 0
    about: dict[str, Any] = field(default_factory=dict)


def after(state: State, event: Event) -> State | None:
    """Return the state that an event leads to; None where the operation is then removed.

    Raises
    ------
    ImpossibleEvent
        The event cannot happen in this state.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise ImpossibleEvent(state=state.value, event=event.value) from None


def diagram() -> str:
    """Return the table as a Mermaid state diagram, for the docs."""
    rows = [
        f"    {before.value} --> {then.value if then else '[*]'}: {event.value}" for (before, event), then in TRANSITIONS.items()
    ]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {State.AWAITING_INPUT.value}: created", *rows]) + "\n"
