"""``occode operations``: list batches and cancel one."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from occode.cli.options import DataDir, out, settings_from

if TYPE_CHECKING:
    from pathlib import Path

    from occode.batch.desk import Desk

app = typer.Typer(help="List batch operations and cancel one.", invoke_without_command=True)


@app.callback()
def default(context: typer.Context, data_dir: DataDir = None) -> None:
    """List all operations where no other command is given."""
    if context.invoked_subcommand is None:
        show(data_dir=data_dir)


@app.command("list")
def show(client: Annotated[str | None, typer.Option(help="Only those of this client.")] = None, data_dir: DataDir = None) -> None:
    """List operations, the newest first."""
    table = Table("operation", "client", "topic", "status", "stage", "records", "created", "error", box=None)
    for operation in _desk(data_dir).ledger.all(client):
        records = f"{operation.records_done:,} of {operation.records_total:,}"
        stage = operation.stage.value if operation.state == "in_progress" else ""
        row = (operation.operation_id, operation.client_id, operation.topic, operation.state.value, stage, records)
        table.add_row(*row, f"{operation.created:%Y-%m-%d %H:%M}", operation.error or "")
    out.print(table)


@app.command()
def cancel(operation_id: Annotated[str, typer.Argument(help="Operation id.")], data_dir: DataDir = None) -> None:
    """End an operation that is not complete: it fails, and what was uploaded is deleted."""
    desk = _desk(data_dir)
    desk.ledger.get(operation_id)
    done = desk.fail(operation_id, "cancelled by the operator", datetime.now(UTC))
    out.print(f"cancelled {operation_id}" if done else f"{operation_id} had ended already")


def _desk(data_dir: "Path | None") -> "Desk":
    from occode.batch.desk import Desk
    from occode.storage.ledger import DatabaseLedger
    from occode.wiring import database, objects

    settings = settings_from(data_dir)
    return Desk(DatabaseLedger(database(settings)), objects(settings))
