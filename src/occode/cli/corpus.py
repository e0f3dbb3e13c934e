"""``occode corpus check``: coverage, clashes, near-copies and thin spots of a corpus."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from occode.cli.options import DataDir, Topic, out, settings_from
from occode.errors import OccodeError

if TYPE_CHECKING:
    from occode.classification import Classification
    from occode.training.review import Review

app = typer.Typer(help="Look over the training text.", no_args_is_help=True)


class CorpusClashes(OccodeError):
    """The corpus has {count} texts under more than one code."""


@app.callback()
def corpus() -> None:
    """Look over the training text."""


@app.command()
def check(
    topic: Topic = "osca",
    corpus: Annotated[Path | None, typer.Option(help="Corpus folder instead of the one shipped.", show_default=False)] = None,
    most: Annotated[int, typer.Option(min=1, help="Rows of each list.")] = 20,
    data_dir: DataDir = None,
) -> None:
    """Report on a corpus; a text under two codes makes the exit code 1."""
    from occode.training.corpus import Corpus
    from occode.training.review import review
    from occode.training.sources import corpus_folder
    from occode.wiring import models

    catalogue = models(settings_from(data_dir)).catalogue
    classification = catalogue.topic(topic)
    found = Corpus.load(corpus or corpus_folder(catalogue, topic), classification)
    result = review(found.lines, classification)
    _show_coverage(result, classification)
    _show_list("near-copies under different codes", [(" = ".join(t), ", ".join(c)) for t, c in result.near_copies], most)
    _show_list("texts under several codes", [(text, ", ".join(codes)) for text, codes in result.clashes], most)
    thin = [(f"{c.code} {classification.label(c.code)}", f"{c.titles} titles, {c.tasks} tasks") for c in result.thin]
    _show_list("thin occupations", thin, most)
    if result.clashes:
        raise CorpusClashes(count=len(result.clashes))


def _show_coverage(result: "Review", classification: "Classification") -> None:
    table = Table("major group", "occupations", "titles", "tasks", "least titles", "least tasks", "thin", box=None)
    for major in (code for code in classification.categories if len(code) == classification.levels[0]):
        mine = [c for c in result.coverage if c.code.startswith(major)]
        titles, tasks = [c.titles for c in mine], [c.tasks for c in mine]
        numbers = (len(mine), sum(titles), sum(tasks), min(titles), min(tasks), sum(c.thin for c in mine))
        table.add_row(f"{major} {classification.label(major)}", *(f"{n:,}" for n in numbers))
    out.print(table)


def _show_list(name: str, rows: list[tuple[str, str]], most: int) -> None:
    out.print(f"\n{len(rows):,} {name}")
    for text, what in rows[:most]:
        out.print(f"  {text}: {what}", soft_wrap=True, markup=False)
    if len(rows) > most:
        out.print(f"  and {len(rows) - most:,} more")
