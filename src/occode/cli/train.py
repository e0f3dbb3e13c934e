"""``occode train``: train a model version from the corpus, and labelled rows where there are any, and register it."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from occode.cli.labelled import Asked, CodeColumn, TasksColumn, TitleColumn, open_labelled
from occode.cli.options import DataDir, err, out, settings_from

if TYPE_CHECKING:
    from occode.classification import Classification
    from occode.coding.registry import Release
    from occode.training.own import Records


def train(
    topic: Annotated[list[str] | None, typer.Option("--topic", help="Topic to train; may be given several times.")] = None,
    corpus: Annotated[Path | None, typer.Option(help="Corpus folder instead of the one shipped.", show_default=False)] = None,
    target_precision: Annotated[float, typer.Option(min=0.5, max=0.999, help="Share of given codes that should be right.")] = 0.95,
    if_missing: Annotated[bool, typer.Option("--if-missing", help="Train only what is not trained yet.")] = False,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Labelled rows to train on, too: CSV, TSV, JSONL, XLSX or Parquet.", show_default=False),
    ] = None,
    data_weight: Annotated[
        float, typer.Option(min=0.001, max=1000, help="How much a labelled row counts; a corpus line: 1.")
    ] = 1.0,
    title_column: TitleColumn = None,
    tasks_column: TasksColumn = None,
    code_column: CodeColumn = "code",
    data_dir: DataDir = None,
) -> None:
    """Train and register a model a topic; same input and code, same model."""
    from occode.training.publish import publish
    from occode.training.sources import task_for
    from occode.training.train import Options
    from occode.training.train import train as fit
    from occode.wiring import models

    registry = models(settings_from(data_dir))
    asked = Asked(title_column, tasks_column, code_column)

    def train_one(name: str) -> "Release | None":
        records = _read(data, asked, data_weight, registry.catalogue.topic(name)) if data else None
        task = task_for(registry.catalogue, name, corpus, Options(target_precision=target_precision), records)
        found = registry.releases(name).find(task.model_id)
        if if_missing and found and (registry.path(name, task.model_id) / "manifest.json").exists():
            return None
        steps = bar.add_task(name, total=None)
        return publish(fit(task, partial(_show, bar, steps, name)), registry, datetime.now(UTC))

    topics = list(dict.fromkeys(topic or ["osca"]))
    with _progress() as bar, ThreadPoolExecutor(len(topics)) as pool:  # while one is read, in Python, another is fitted
        for name, release in zip(topics, pool.map(train_one, topics), strict=True):
            if release:
                out.print(f"{name}: version {release.version}, model {release.model_id}")


def _read(paths: list[Path], asked: Asked, weight: float, classification: "Classification") -> "Records":
    from occode.training.own import read_records

    with ExitStack() as stack:
        found = read_records(open_labelled(paths, asked, stack, weight), classification)
    tally = found.tally
    rest = f"{tally.unanswered:,} without a code and {tally.unfit:,} without 3 to 100 characters left out"
    err.print(f"{classification.name}: {tally.usable:,} labelled rows, {len(found):,} distinct; {rest}", soft_wrap=True)
    return found


def _show(bar: Progress, steps: TaskID, topic: str, stage: str, done: int, total: int) -> None:
    bar.update(steps, description=f"{topic}: {stage}", completed=done, total=total)


def _progress() -> Progress:
    columns = (
        TextColumn("{task.description:<28}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=err)
