"""``occode evaluate``: how well a model codes labelled records, on screen and as a report."""

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from occode.cli.labelled import Asked, CodeColumn, TasksColumn, TitleColumn, open_labelled
from occode.cli.options import DataDir, Topic, out, settings_from

if TYPE_CHECKING:
    from occode.coding.coder import Coder
    from occode.training.figures import Figures, Group
    from occode.training.labelled import Tally


def evaluate(
    data: Annotated[list[Path], typer.Option(help="Labelled records: CSV, TSV, JSONL, XLSX or Parquet.", show_default=False)],
    topic: Topic = "osca",
    title_column: TitleColumn = None,
    tasks_column: TasksColumn = None,
    code_column: CodeColumn = "code",
    model: Annotated[str | None, typer.Option(help="Model id.", show_default="the latest")] = None,
    report: Annotated[Path | None, typer.Option(help="Folder for report.html and its plots.", show_default=False)] = None,
    data_dir: DataDir = None,
) -> None:
    """Hold what a model says against codes that people gave: accuracy, coverage, calibration and confusion, by level."""
    from occode.training.evaluate import read_answered, score
    from occode.training.figures import figures
    from occode.wiring import models

    coder = models(settings_from(data_dir)).coder(topic, model)
    with ExitStack() as stack:
        answered = read_answered(open_labelled(data, Asked(title_column, tasks_column, code_column), stack), coder)
    found = figures(score(coder, answered), coder.classification)
    _show(found, answered.tally)
    if report:
        out.print(f"\n{_write(found, coder, data, answered.tally, report)}", soft_wrap=True, markup=False)


def _write(found: "Figures", coder: "Coder", data: list[Path], tally: "Tally", folder: Path) -> Path:
    from occode.training.report import About, write_report

    options = coder.model.manifest.get("fingerprint", {}).get("options", {})
    about = About(
        topic=coder.classification.name,
        standard=coder.classification.full_name,
        model_id=coder.model.model_id,
        target_precision=options.get("target_precision"),
        files=tuple(path.name for path in data),
        tally=tally,
        now=datetime.now(UTC),
    )
    return write_report(found, about, folder)


def _show(found: "Figures", tally: "Tally") -> None:
    rest = f"left out: {tally.unanswered:,} without an answer, {tally.unfit:,} without 3 to 100 characters"
    out.print(f"{tally.usable:,} of {tally.rows:,} rows evaluated; {rest}", soft_wrap=True)
    out.print(_levels(found.everything))
    ece = found.everything.ece
    out.print(f"expected calibration error of the codes given: {'-' if ece is None else f'{ece:.3f}'}\n")
    groups = _groups("by kind, and each text once", (*found.kinds, found.distinct)), _groups("by major group", found.majors)
    for table in (*groups, _pairs(found), _unit_groups(found)):
        if table.rows:
            out.print(table, "")


def _levels(group: "Group") -> Table:
    table = _table("", "level", "answers", "top1", "level's best", "coded", "precision")
    for level in group.levels:
        shares = (level.top1, level.best, level.coded, level.precision)
        table.add_row(f"{level.digits} {escape(level.name)}", f"{level.answered:,}", *map(_share, shares))
    return table


def _groups(title: str, groups: "tuple[Group, ...]") -> Table:
    digits = [str(level.digits) for level in groups[0].levels]
    what = f"{title}: top1 by digits, coded and precision at {digits[-1]}, ece"
    table = _table(what, "", "records", *digits, "coded", "prec.", "ece")
    for group in groups:
        deepest = group.levels[-1]
        shares = [*(level.top1 for level in group.levels), deepest.coded, deepest.precision, group.ece]
        table.add_row(escape(group.name), f"{group.records:,}", *map(_share, shares))
    return table


def _pairs(found: "Figures") -> Table:
    table = _table("siblings most often confused: right code, best candidate", "", "", "records")
    for pair in found.pairs:
        table.add_row(f"{pair.truth} {escape(pair.truth_label)}", f"{pair.said} {escape(pair.said_label)}", f"{pair.records:,}")
    table.columns[1].justify, table.columns[1].no_wrap = "left", False
    return table


def _unit_groups(found: "Figures") -> Table:
    table = _table("groups with most records confused within", "", "records", "right group", "right code", "confused")
    for group in found.unit_groups:
        shares = (_share(group.accuracy), _share(group.deepest))
        table.add_row(f"{group.code} {escape(group.label)}", f"{group.records:,}", *shares, f"{group.confused:,}")
    return table


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(box=None, title=title or None, title_justify="left", title_style="bold", pad_edge=False)
    table.add_column(first)
    for other in others:
        table.add_column(other, justify="right", no_wrap=True)
    return table


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
