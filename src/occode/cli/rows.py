"""Rows to records and codings to cells: what `occode code` reads from a table and adds to it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from occode.cli.tables import Row, Source
from occode.coding.coder import Coder
from occode.coding.lines import RECORD_ID, TASKS, TITLE, AsynchronousCodeResponse, Counts, answer, fault
from occode.coding.plain import fold
from occode.coding.record import Coding, Record
from occode.errors import OccodeError

ADDED = ["codeStatus", "codeCategory", "codeLabel", "codeConfidence", "suggestions", "error"]


class UnknownColumn(OccodeError):
    """There is no column {column} in {path}; its columns are: {columns}."""


class NoTextColumn(OccodeError):
    """{path} has no column {title} or {tasks}; name one with --title-column or --tasks-column: {columns}."""


@dataclass(frozen=True)
class Columns:
    """Which columns hold the title, the tasks and the id; those of the guide's names may be absent."""

    title: str
    tasks: str
    record_id: str

    @classmethod
    def of(cls, path: Path, source: Source, title: str | None, tasks: str | None, record_id: str | None) -> "Columns":
        """Choose the columns of a source.

        Raises
        ------
        UnknownColumn, NoTextColumn
        """
        found = cls(title or TITLE, tasks or TASKS, record_id or RECORD_ID)
        names = ", ".join(source.columns)
        for asked in (title, tasks, record_id):
            if asked and source.columns and asked not in source.columns:
                raise UnknownColumn(column=asked, path=path, columns=names)
        if source.columns and found.title not in source.columns and found.tasks not in source.columns:
            raise NoTextColumn(title=found.title, tasks=found.tasks, path=path, columns=names)
        return found

    def record(self, row: Row) -> Record:
        """Return a row's text in printable ASCII."""
        return Record(*(fold(str(row.values.get(name) or "")) for name in (self.title, self.tasks)))

    def id(self, row: Row) -> str:
        """Return a row's id, empty where it has none."""
        return str(row.values.get(self.record_id) or "")


def code_rows(
    coder: Coder, rows: list[Row], columns: Columns, counts: Counts, min_confidence: float | None, suggestions: int
) -> list[AsynchronousCodeResponse]:
    """Code rows here; a row that cannot be coded gets an error."""
    records: list[Record] = []
    errors: list[str | None] = []
    for row in rows:
        record = columns.record(row)
        error = row.error or (found.message if (found := fault(record)) else None)
        records.append(Record() if error else record)
        errors.append(error)
    codings: list[Coding] = coder.code_many(records, min_confidence=min_confidence, suggestions=suggestions)
    ids = [columns.id(row) for row in rows]
    return [answer(*found, counts) for found in zip(ids, codings, errors, strict=True)]


def cells(found: AsynchronousCodeResponse) -> dict[str, Any]:
    """Return what a table's row gains."""
    if found.error:
        return {**dict.fromkeys(ADDED), "error": found.error}
    result = found.result
    return {
        "codeStatus": "successful" if result else "unsuccessful",
        "codeCategory": result.code if result else None,
        "codeLabel": result.label if result else None,
        "codeConfidence": round(result.confidence, 4) if result else None,
        "suggestions": "|".join(f"{c.code}:{c.confidence:.4f}" for c in found.suggestions or ()) or None,
        "error": None,
    }
