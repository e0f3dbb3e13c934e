"""``occode models``: list a topic's models, show one's card, retire one, bring one back, choose the latest."""

from typing import Annotated

import typer
from rich.table import Table

from occode.cli.options import DataDir, out, settings_from

app = typer.Typer(help="List and administer models.", invoke_without_command=True)
TopicName = Annotated[str, typer.Argument(help="Topic of the model.")]
ModelId = Annotated[str, typer.Argument(help="Id of the model.")]


@app.callback()
def default(context: typer.Context, data_dir: DataDir = None) -> None:
    """List all models where no other command is given."""
    if context.invoked_subcommand is None:
        show(data_dir)


@app.command("list")
def show(data_dir: DataDir = None) -> None:
    """List all models, the newest first."""
    from occode.wiring import models

    registry = models(settings_from(data_dir))
    table = Table("topic", "version", "model", "released", "state", box=None)
    for topic in registry.catalogue.topics():
        releases = registry.releases(topic.name)
        latest = registry.latest(topic.name).model_id if releases.live() else ""
        for release in reversed(releases.releases):
            state = "latest" if release.model_id == latest else release.state
            table.add_row(topic.name, str(release.version), release.model_id, f"{release.released:%Y-%m-%d %H:%M}", state)
    out.print(table)


@app.command()
def card(
    topic: TopicName,
    model: Annotated[str | None, typer.Argument(help="Id of the model.", show_default="the latest")] = None,
    data_dir: DataDir = None,
) -> None:
    """Print a model's card: its data, its scores, its thresholds and its limits, in Markdown."""
    from occode.training.card import card as card_of
    from occode.wiring import models

    coder = models(settings_from(data_dir)).coder(topic, model)
    typer.echo(card_of(coder.model.manifest), nl=False)


@app.command()
def retire(topic: TopicName, model: ModelId, data_dir: DataDir = None) -> None:
    """Take a model out of use; its artefact stays."""
    from occode.training.publish import set_state
    from occode.wiring import models

    set_state(models(settings_from(data_dir)), topic, model, "retired")
    out.print(f"retired {model}")


@app.command()
def publish(topic: TopicName, model: ModelId, data_dir: DataDir = None) -> None:
    """Put a retired model to use again."""
    from occode.training.publish import set_state
    from occode.wiring import models

    set_state(models(settings_from(data_dir)), topic, model, "live")
    out.print(f"published {model}")


@app.command("make-latest")
def make_latest(topic: TopicName, model: ModelId, data_dir: DataDir = None) -> None:
    """Have a live model code where a request names none."""
    from occode.training.publish import make_latest as choose
    from occode.wiring import models

    choose(models(settings_from(data_dir)), topic, model)
    out.print(f"{model} is the latest model of {topic}")
