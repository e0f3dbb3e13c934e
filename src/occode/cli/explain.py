"""``occode explain``: why a record gets its code, level by level."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import ROUNDED
from rich.markup import escape
from rich.table import Table

from occode.cli.options import DataDir, Topic, out, settings_from

if TYPE_CHECKING:
    from occode.coding.explain import Evidence, Step
    from occode.coding.record import Candidate, Coding


def explain(
    title: Annotated[str, typer.Argument(help="Job title.")] = "",
    tasks: Annotated[str, typer.Option(help="What the person does.")] = "",
    topic: Topic = "osca",
    model: Annotated[str | None, typer.Option(help="Model id.", show_default="the latest")] = None,
    most: Annotated[int, typer.Option(min=1, help="Words and fragments to show a level.")] = 6,
    data_dir: DataDir = None,
) -> None:
    """Show which words lead a record to its code, and what the next best code is at each level."""
    from occode.coding.explain import explain as steps_of
    from occode.coding.plain import fold
    from occode.coding.record import Record, kind_of
    from occode.wiring import models

    coder = models(settings_from(data_dir)).coder(topic, model)
    record = Record(fold(title), fold(tasks))
    steps = steps_of(coder, *record)
    if not steps:
        out.print("The model knows nothing of this text.")
        return
    table = Table("code", "next best", "because: added log odds", box=ROUNDED, show_lines=True)
    for step in steps:
        table.add_row(_label(step.chosen), _label(step.runner_up), _because(step, most))
    out.print(table)
    kind = kind_of(record)
    out.print(_outcome(coder.code(*record), [level[kind] for level in coder.model.thresholds]))


def _label(found: "Candidate | None") -> str:
    return f"[bold]{found.code}[/] {escape(found.label)} {found.confidence:.3f}" if found else "-"


def _because(step: "Step", most: int) -> str:
    if step.runner_up is None:
        return "the only one there is"
    prior = f"{step.prior:+.2f} without any text"
    return "\n".join([*map(_evidence, step.evidence[:most]), f"[dim]{prior}[/]"])


def _evidence(found: "Evidence") -> str:
    """Return a weight and its text: a word bare, a pair quoted, an opening before dots, a fragment between dots."""
    fragment = found.text.replace(" ", "_")
    text = {"word": found.text, "pair": f'"{found.text}"', "opening": f"{found.text}..", "ngram": f"..{fragment}.."}[found.kind]
    field = " (tasks)" if found.field == "tasks" else ""
    return f"[{'green' if found.weight > 0 else 'red'}]{found.weight:+.2f} {escape(text)}[/]{field}"


def _outcome(coding: "Coding", thresholds: list[float]) -> str:
    asked = "thresholds from the top: " + ", ".join(f"{threshold:.3f}" for threshold in thresholds)
    if coding.result is None:
        return f"No code is given ({asked})."
    return f"The code given is {_label(coding.result)} ({asked})."
