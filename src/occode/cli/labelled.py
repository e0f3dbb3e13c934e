"""Files of labelled rows, as `occode evaluate` and `occode train` read them: which columns, and what is in them."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from occode.cli.tables import Row, Source, open_source
from occode.errors import OccodeError

if TYPE_CHECKING:
    from occode.training.labelled import Labelled, LabelledSource

TitleColumn = Annotated[str | None, typer.Option(help="Column of job titles.", show_default="occp_text, text or title")]
TasksColumn = Annotated[str | None, typer.Option(help="Column of tasks.", show_default="tasks_text or tasks")]
CodeColumn = Annotated[str, typer.Option(help="Column of codes; several in a cell are joined by |.")]
#: What a column is called where the caller does not say.
TITLES, TASKS = ("occp_text", "text", "title"), ("tasks_text", "tasks")


class NoSuchColumn(OccodeError):
    """There is no column {column} in {path}; name one with {option}; its columns are: {columns}."""


@dataclass(frozen=True)
class Asked:
    """The columns that the caller names, None for those of the usual names."""

    title: str | None
    tasks: str | None
    code: str


@dataclass(frozen=True)
class LabelledColumns:
    """The names that the title, the tasks and the code may have; the first that a row has counts."""

    title: tuple[str, ...]
    tasks: tuple[str, ...]
    code: tuple[str, ...]

    @classmethod
    def of(cls, path: Path, source: Source, asked: Asked) -> "LabelledColumns":
        """Choose the columns of a source; a file of JSON lines has none to choose from, and any row may lack any.

        Raises
        ------
        NoSuchColumn
        """
        found = cls((asked.title,) if asked.title else TITLES, (asked.tasks,) if asked.tasks else TASKS, (asked.code,))
        if not source.columns:
            return found
        wanted = [(found.code, "--code-column")]
        wanted += [(found.title, "--title-column")] if asked.title else []
        wanted += [(found.tasks, "--tasks-column")] if asked.tasks else []
        wanted += [((*found.title, *found.tasks), "--title-column or --tasks-column")]
        for names, option in wanted:
            if not set(names) & set(source.columns):
                columns = ", ".join(source.columns)
                raise NoSuchColumn(column=" or ".join(names), path=path, option=option, columns=columns)
        return found


def open_labelled(paths: list[Path], asked: Asked, stack: ExitStack, weight: float = 1.0) -> "list[LabelledSource]":
    """Open files of labelled rows; every row gets `weight`.

    Raises
    ------
    FileUnreadable, UnknownFormat, NoSuchColumn
    """
    found: list[LabelledSource] = []
    for path in paths:
        source = open_source(path, stack)
        found.append((str(path), _rows(source, LabelledColumns.of(path, source, asked), weight)))
    return found


def _rows(source: Source, columns: LabelledColumns, weight: float) -> "Iterator[Labelled]":
    from occode.training.labelled import Labelled

    for row in source.rows:
        if row.error:
            yield Labelled("", "", "", weight)
        else:
            title, tasks, code = (_cell(row, names) for names in (columns.title, columns.tasks, columns.code))
            yield Labelled(title, tasks, code, weight)


def _cell(row: Row, names: tuple[str, ...]) -> str:
    """Return the first cell of these names that there is; a whole number, as spreadsheets keep codes, without its point."""
    value: Any = next((found for name in names if (found := row.values.get(name)) is not None), "")
    if isinstance(value, float):
        value = "" if isnan(value) else int(value) if value.is_integer() else value
    return str(value)
