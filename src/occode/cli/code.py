"""``occode code``: code a file of records, here or by a service."""

from collections.abc import Callable
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from occode.cli.options import DataDir, Topic, err, settings_from
from occode.cli.tables import STDIN, Row, Sink, format_of, open_source
from occode.errors import OccodeError

if TYPE_CHECKING:
    from occode.cli.rows import Columns
    from occode.coding.coder import Coder
    from occode.coding.lines import AsynchronousCodeResponse, Counts

    Code = Callable[[list[Row]], list[AsynchronousCodeResponse]]

#: Rows coded at a time.
CHUNK = 20_000


class SameFile(OccodeError):
    """The output would overwrite the input {path}; choose another with --output."""


class StdinToService(OccodeError):
    """Standard input cannot be sent to a service; write it to a file first."""


class OnlyHere(OccodeError):
    """The option {option} is for coding here, without --url: a service has its own."""


def code(
    input: Annotated[Path, typer.Argument(help="CSV, TSV, JSONL, XLSX or Parquet file, or - for standard input.")],  # noqa: A002
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Output file; - for standard output.", show_default="INPUT-coded")
    ] = None,
    topic: Topic = "osca",
    model: Annotated[str | None, typer.Option(help="Model id.", show_default="the latest")] = None,
    min_confidence: Annotated[
        float | None, typer.Option(min=0, max=1, help="Confidence that a code must reach.", show_default="the model's")
    ] = None,
    suggestions: Annotated[
        int | None, typer.Option(min=0, max=16, help="Suggestions for a record without a code.", show_default="3")
    ] = None,
    title_column: Annotated[str | None, typer.Option(help="Column of job titles.", show_default="occp_text")] = None,
    tasks_column: Annotated[str | None, typer.Option(help="Column of tasks.", show_default="tasks_text")] = None,
    id_column: Annotated[str | None, typer.Option(help="Column of record ids.", show_default="recordId")] = None,
    url: Annotated[
        str | None, typer.Option(help="A service to code the file, with OCCODE_CLIENT_ID and OCCODE_CLIENT_SECRET.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Code a file: every row comes back with its code, or with suggestions, or with an error."""
    from occode.cli.rows import ADDED, Columns
    from occode.coding.lines import Counts

    settings = settings_from(data_dir)
    counts = Counts()
    with ExitStack() as stack:
        source = open_source(input, stack)
        columns = Columns.of(input, source, title_column, tasks_column, id_column)
        target = output or _default_output(input)
        if target != STDIN and target.exists() and input.exists() and target.samefile(input):
            raise SameFile(path=input)
        kind = source.format if target == STDIN else format_of(target)
        bar = stack.enter_context(_progress())
        if url:
            for option, value in (("--min-confidence", min_confidence), ("--suggestions", suggestions)):
                if value is not None:
                    raise OnlyHere(option=option)
            run = _service(url, (settings.client_id, settings.client_secret), input, columns, topic, model, bar, counts, stack)
        else:
            from occode.wiring import models

            run = _local(models(settings).coder(topic, model), columns, counts, min_confidence, suggestions)
        sink = Sink(target, kind, [*source.columns, *(name for name in ADDED if name not in source.columns)], stack)
        steps = bar.add_task("coding" if not url else "writing", total=source.size or None, rate="")
        while rows := list(islice(source.rows, CHUNK)):
            _write(sink, rows, run(rows))
            elapsed = bar.tasks[0].elapsed or 0
            bar.update(steps, completed=source.position(), rate=f"{counts.total / max(elapsed, 1e-9):,.0f} records/s")
        sink.close()
    _report(counts, target)


def _local(coder: "Coder", columns: "Columns", counts: "Counts", min_confidence: float | None, suggestions: int | None) -> "Code":
    from occode.cli.rows import code_rows
    from occode.coding.coder import DEFAULT_SUGGESTIONS

    most = DEFAULT_SUGGESTIONS if suggestions is None else suggestions
    return lambda rows: code_rows(coder, rows, columns, counts, min_confidence, most)


def _service(
    url: str, credentials: tuple[str, str], path: Path, columns: "Columns", topic: str, model: str | None,
    bar: Progress, counts: "Counts", stack: ExitStack,
) -> "Code":  # fmt: skip
    """Have a service code the whole file, and hand its answers out row by row."""
    from occode.cli.remote import RemoteBatch

    if path == STDIN:
        raise StdinToService
    rows = open_source(path, stack).rows
    batch = RemoteBatch(url, credentials, topic, model, bar, stack)
    answers = batch.code((columns.id(row), columns.record(row), row.error) for row in rows)

    def take(wanted: list[Row]) -> "list[AsynchronousCodeResponse]":
        found = list(islice(answers, len(wanted)))
        for answer in found:
            counts.count(answer)
        return found

    return take


def _write(sink: Sink, rows: list[Row], answers: "list[AsynchronousCodeResponse]") -> None:
    import msgspec

    from occode.cli.rows import cells

    if sink.kind == "jsonl":
        sink.write_lines(msgspec.json.Encoder().encode_lines(answers))
    else:
        sink.write([{**row.values, **cells(answer)} for row, answer in zip(rows, answers, strict=True)])


def _default_output(path: Path) -> Path:
    return path if path == STDIN else path.with_name(f"{path.stem}-coded{path.suffix}")


def _progress() -> Progress:
    what, rate = TextColumn("{task.description}"), TextColumn("{task.fields[rate]}")
    return Progress(what, BarColumn(), rate, TimeElapsedColumn(), TimeRemainingColumn(), console=err, transient=True)


def _report(counts: "Counts", target: Path) -> None:
    levels = ", ".join(f"{count:,} at {level} digits" for level, count in sorted(counts.by_level.items(), reverse=True))
    rest = f"{counts.unsuccessful:,} not, {counts.errors:,} errors -> {target}"
    err.print(f"{counts.total:,} records: {counts.successful:,} coded ({levels or 'none'}), {rest}", soft_wrap=True)
