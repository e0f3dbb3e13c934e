"""``occode code``: code a file of records without a server."""

from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from occode.cli.options import DataDir, Topic, err, settings_from
from occode.cli.tables import STDIN, Row, Sink, Source, format_of, open_source
from occode.errors import OccodeError

if TYPE_CHECKING:
    from occode.coding.coder import Coder
    from occode.coding.lines import Counts
    from occode.coding.record import Coding, Record

#: Rows coded at a time.
CHUNK = 20_000
ADDED = ["codeStatus", "codeCategory", "codeLabel", "codeConfidence", "suggestions", "error"]


class UnknownColumn(OccodeError):
    """There is no column {column} in {path}; its columns are: {columns}."""


class NoTextColumn(OccodeError):
    """{path} has no column {title} or {tasks}; name one with --title-column or --tasks-column: {columns}."""


class SameFile(OccodeError):
    """The output would overwrite the input {path}; choose another with --output."""


def code(
    input: Annotated[Path, typer.Argument(help="CSV, TSV, JSONL, XLSX or Parquet file, or - for standard input.")],  # noqa: A002
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Output file; - for standard output.", show_default="INPUT-coded"),
    ] = None,
    topic: Topic = "osca",
    model: Annotated[str | None, typer.Option(help="Model id.", show_default="the latest")] = None,
    min_confidence: Annotated[
        float | None, typer.Option(min=0, max=1, help="Confidence that a code must reach.", show_default="the model's")
    ] = None,
    suggestions: Annotated[int, typer.Option(min=0, max=16, help="Suggestions for a record without a code.")] = 3,
    title_column: Annotated[str | None, typer.Option(help="Column of job titles.", show_default="occp_text")] = None,
    tasks_column: Annotated[str | None, typer.Option(help="Column of tasks.", show_default="tasks_text")] = None,
    id_column: Annotated[str | None, typer.Option(help="Column of record ids.", show_default="recordId")] = None,
    data_dir: DataDir = None,
) -> None:
    """Code a file: every row comes back with its code, or with suggestions, or with an error."""
    from occode.coding.lines import Counts
    from occode.wiring import models

    coder = models(settings_from(data_dir)).coder(topic, model)
    counts = Counts()
    with ExitStack() as stack:
        source = open_source(input, stack)
        columns = _Columns(input, source, title_column, tasks_column, id_column)
        target = output or _default_output(input)
        if target != STDIN and target.exists() and input.exists() and target.samefile(input):
            raise SameFile(path=input)
        kind = source.format if target == STDIN else format_of(target)
        sink = Sink(target, kind, [*source.columns, *(name for name in ADDED if name not in source.columns)], stack)
        bar = stack.enter_context(_progress())
        steps = bar.add_task("coding", total=source.size or None, rate="")
        while rows := list(islice(source.rows, CHUNK)):
            _code_rows(coder, rows, columns, sink, kind, counts, min_confidence, suggestions)
            elapsed = bar.tasks[0].elapsed or 0
            bar.update(steps, completed=source.position(), rate=f"{counts.total / max(elapsed, 1e-9):,.0f} records/s")
        sink.close()
    _report(counts, target)


class _Columns:
    """Which columns hold what; those not named have the guide's names and may be absent."""

    def __init__(self, path: Path, source: Source, title: str | None, tasks: str | None, record_id: str | None) -> None:
        from occode.coding import lines

        self.title, self.tasks, self.record_id = (
            title or lines.TITLE,
            tasks or lines.TASKS,
            record_id or lines.RECORD_ID,
        )
        if not source.columns:
            return
        names = ", ".join(source.columns)
        for asked in (title, tasks, record_id):
            if asked and asked not in source.columns:
                raise UnknownColumn(column=asked, path=path, columns=names)
        if self.title not in source.columns and self.tasks not in source.columns:
            raise NoTextColumn(title=self.title, tasks=self.tasks, path=path, columns=names)


def _code_rows(
    coder: "Coder", rows: list[Row], columns: _Columns, sink: Sink, kind: str, counts: "Counts",
    min_confidence: float | None, suggestions: int,
) -> None:  # fmt: skip
    import msgspec

    from occode.coding.lines import answer

    records, errors = zip(*(_record(row, columns) for row in rows), strict=True)
    codings = coder.code_many(records, min_confidence=min_confidence, suggestions=suggestions or 0)
    ids = [str(row.values.get(columns.record_id) or "") for row in rows]
    answers = [answer(*found, counts) for found in zip(ids, codings, errors, strict=True)]
    if kind == "jsonl":
        sink.write_lines(msgspec.json.Encoder().encode_lines(answers))
        return
    sink.write([{**row.values, **_cells(coding, error)} for row, coding, error in zip(rows, codings, errors, strict=True)])


def _record(row: Row, columns: _Columns) -> tuple["Record", str]:
    """Return a row's text, and an error where it cannot be coded."""
    from occode.coding.lines import fault
    from occode.coding.plain import fold
    from occode.coding.record import Record

    title, tasks = (fold(str(row.values.get(name) or "")) for name in (columns.title, columns.tasks))
    record = Record(title, tasks)
    error = row.error or (found.message if (found := fault(record)) else "")
    return (Record(), error) if error else (record, "")


def _cells(coding: "Coding", error: str) -> dict[str, Any]:
    if error:
        return {**dict.fromkeys(ADDED, None), "error": error}
    result = coding.result
    return {
        "codeStatus": coding.status,
        "codeCategory": result.code if result else None,
        "codeLabel": result.label if result else None,
        "codeConfidence": round(result.confidence, 4) if result else None,
        "suggestions": None if result else "|".join(f"{c.code}:{c.confidence:.4f}" for c in coding.candidates),
        "error": None,
    }


def _default_output(path: Path) -> Path:
    return path if path == STDIN else path.with_name(f"{path.stem}-coded{path.suffix}")


def _progress() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=err, transient=True)


def _report(counts: "Counts", target: Path) -> None:
    levels = ", ".join(f"{count:,} at {level} digits" for level, count in sorted(counts.by_level.items(), reverse=True))
    rest = f"{counts.unsuccessful:,} not, {counts.errors:,} errors -> {target}"
    err.print(f"{counts.total:,} records: {counts.successful:,} coded ({levels or 'none'}), {rest}", soft_wrap=True)
