"""Labelled rows of the operator's own: records that somebody has coded, to train on or to evaluate with."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from occode.classification import Classification
from occode.coding.plain import fold
from occode.coding.record import LONGEST, SHORTEST, Record
from occode.errors import OccodeError

#: Stands between the codes of an answer that is a set.
SEPARATOR = "|"


class UnknownCode(OccodeError):
    """Row {row} of {name} has the code {code}, which is none of {topic}."""


class Labelled(NamedTuple):
    """One row as it was read: `code` is a category at any level, or several joined by ``|``, or empty."""

    title: str
    tasks: str
    code: str
    weight: float = 1.0


#: A source's name, as errors tell it, and its rows.
LabelledSource = tuple[str, Iterable[Labelled]]


class Usable(NamedTuple):
    """One row that can be used: its text in printable ASCII, and the codes of its answer, at least one, each once."""

    record: Record
    codes: tuple[str, ...]
    weight: float


@dataclass
class Tally:
    """How many rows were read, and how many of them were left out: without an answer, or with text outside the limits."""

    rows: int = 0
    unanswered: int = 0
    unfit: int = 0

    @property
    def usable(self) -> int:
        """The rows that are left."""
        return self.rows - self.unanswered - self.unfit


def usable(sources: Iterable[LabelledSource], classification: Classification, tally: Tally) -> Iterator[Usable]:
    """Yield the rows that have an answer and a text of 3 to 100 characters, and count all of them in `tally`.

    Raises
    ------
    UnknownCode
        An answer has a code that `classification` has not; rows count from 1, after the header.
    """
    for name, rows in sources:
        for number, row in enumerate(rows, 1):
            tally.rows += 1
            codes = _codes(row.code)
            unknown = next((code for code in codes if code not in classification), None)
            if unknown is not None:
                raise UnknownCode(row=number, name=name, code=unknown, topic=classification.name)
            record = Record(fold(row.title), fold(row.tasks))
            if not codes:
                tally.unanswered += 1
            elif not SHORTEST <= len(record.title) + len(record.tasks) <= LONGEST:
                tally.unfit += 1
            else:
                yield Usable(record, codes, row.weight)


def _codes(answer: str) -> tuple[str, ...]:
    if SEPARATOR not in answer:
        code = answer.strip()
        return (code,) if code else ()
    return tuple(dict.fromkeys(code for part in answer.split(SEPARATOR) if (code := part.strip())))
