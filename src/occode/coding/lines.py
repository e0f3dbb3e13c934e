"""Lines of JSON in, lines of JSON out: how files are coded, here and in batches (guide sections 8.2 and 8.4).

Every line in gives one line out, in order. A record that cannot be coded gives ``{"recordId", "error"}``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import Struct

from occode.coding.coder import DEFAULT_SUGGESTIONS, Coder
from occode.coding.record import Candidate, Coding, Record
from occode.errors import OccodeError

TITLE, TASKS, RECORD_ID = "occp_text", "tasks_text", "recordId"


class NoJson(OccodeError):
    """The line is not a JSON object."""


class NoText(OccodeError):
    """The record has neither {title} nor {tasks}."""


class NotText(OccodeError):
    """The field {name} is not a string."""


class AsynchronousCodeResponse(Struct, omit_defaults=True):
    """How one line was coded (guide section 11.3.2), or why it was not."""

    recordId: str  # noqa: N815  # the guide's name
    result: Candidate | None = None
    suggestions: tuple[Candidate, ...] | None = None
    error: str | None = None


@dataclass
class Counts:
    """How the lines of a piece went: codes given by number of digits, records without a code, errors."""

    by_level: dict[int, int] = field(default_factory=dict)
    unsuccessful: int = 0
    errors: int = 0

    @property
    def successful(self) -> int:
        """Records with a code."""
        return sum(self.by_level.values())

    @property
    def total(self) -> int:
        """All lines."""
        return self.successful + self.unsuccessful + self.errors

    def count(self, answer: AsynchronousCodeResponse) -> None:
        """Count one answer."""
        if answer.error:
            self.errors += 1
        elif answer.result is None:
            self.unsuccessful += 1
        else:
            level = len(answer.result.code)
            self.by_level[level] = self.by_level.get(level, 0) + 1


class _Line(Struct):
    occp_text: Any = ""
    tasks_text: Any = ""
    recordId: Any = ""  # noqa: N815


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Line)


def code_lines(
    coder: Coder,
    lines: Sequence[bytes],
    *,
    min_confidence: float | None = None,
    suggestions: int | None = None,
    threads: int | None = 1,
) -> tuple[bytes, Counts]:
    """Code JSON lines (without their line ends) and return the answers, each with its line end, and the counts.

    `suggestions` are those of a record without a code (None: 3); `threads` as in `Coder.code_many`.
    """
    ids: list[str] = []
    errors: dict[int, str] = {}
    texts: list[tuple[str, str]] = []
    for number, line in enumerate(lines):
        record_id, record, error = _read(line)
        if error:
            errors[number] = error.message
        ids.append(record_id)
        texts.append(record)
    wanted = DEFAULT_SUGGESTIONS if suggestions is None else suggestions
    codings = coder.code_many(texts, min_confidence=min_confidence, suggestions=wanted, threads=threads)
    counts = Counts()
    answers = [answer(ids[i], coding, errors.get(i), counts) for i, coding in enumerate(codings)]
    return _encoder.encode_lines(answers), counts


def answer(record_id: str, coding: Coding, error: str | None, counts: Counts) -> AsynchronousCodeResponse:
    """Return the answer of one record, counted."""
    if error:
        found = AsynchronousCodeResponse(record_id, error=error)
    elif coding.result is None:
        found = AsynchronousCodeResponse(record_id, suggestions=coding.candidates)
    else:
        found = AsynchronousCodeResponse(record_id, result=coding.result)
    counts.count(found)
    return found


def _read(line: bytes) -> tuple[str, Record, OccodeError | None]:
    """Return the id, the text (empty where it is not to be coded) and what is wrong with a line."""
    try:
        found = _decoder.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return "", Record(), NoJson()
    record_id = found.recordId if isinstance(found.recordId, str) else ""
    for name, value in ((TITLE, found.occp_text), (TASKS, found.tasks_text), (RECORD_ID, found.recordId)):
        if not isinstance(value, str):
            return record_id, Record(), NotText(name=name)
    record = Record(found.occp_text, found.tasks_text)
    error = fault(record)
    return record_id, Record() if error else record, error


def fault(record: Record) -> OccodeError | None:
    """Return what keeps a record from being coded, if anything does."""
    if not record.title and not record.tasks:
        return NoText(title=TITLE, tasks=TASKS)
    try:
        record.check()
    except OccodeError as error:
        return error
    return None
