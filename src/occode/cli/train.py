"""``occode train``: train a model version from the corpus and register it."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from occode.cli.options import DataDir, err, out, settings_from


def train(
    topic: Annotated[list[str] | None, typer.Option("--topic", help="Topic to train; may be given several times.")] = None,
    corpus: Annotated[Path | None, typer.Option(help="Corpus folder instead of the one shipped.", show_default=False)] = None,
    target_precision: Annotated[float, typer.Option(min=0.5, max=0.999, help="Share of given codes that should be right.")] = 0.95,
    if_missing: Annotated[bool, typer.Option("--if-missing", help="Train only what is not trained yet.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Train and register a model a topic; same input and code, same model."""
    from occode.training.publish import publish
    from occode.training.sources import task_for
    from occode.training.train import Options
    from occode.training.train import train as fit
    from occode.wiring import models

    registry = models(settings_from(data_dir))
    for name in topic or ["osca"]:
        task = task_for(registry.catalogue, name, corpus, Options(target_precision=target_precision))
        found = registry.releases(name).find(task.model_id)
        if if_missing and found and (registry.path(name, task.model_id) / "manifest.json").exists():
            continue
        with _progress() as bar:
            model = fit(task, partial(_show, bar, bar.add_task(f"{name}: reading", total=None), name))
        release = publish(model, registry, datetime.now(UTC))
        out.print(f"{name}: version {release.version}, model {release.model_id}")


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
