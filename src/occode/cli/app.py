"""The command ``occode``: its commands, and every error as one line and an exit code."""

import sys

import typer
from rich.console import Console

from occode.cli import clients, code, corpus, evaluate, explain, models, operations, serve, settings, topics, train, worker
from occode.errors import OccodeError

app = typer.Typer(
    name="occode",
    help="Code what people say of their jobs to an occupation classification.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("code")(code.code)
app.command("explain")(explain.explain)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.add_typer(models.app, name="models")
app.command("topics")(topics.topics)
app.command("settings")(settings.settings)
app.add_typer(clients.app, name="clients")
app.add_typer(corpus.app, name="corpus")
app.add_typer(operations.app, name="operations")


def run() -> None:
    """Run the command line; an error that a person can mend is one line on standard error and exit code 1."""
    try:
        app()
    except OccodeError as error:
        Console(stderr=True, highlight=False).print(f"[bold red]error:[/] {_escape(error.message)}", soft_wrap=True)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _escape(text: str) -> str:
    return text.replace("[", r"\[")
