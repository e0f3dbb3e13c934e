"""``occode clients``: register clients, rotate secrets, suspend, remove, and look at usage."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from occode.cli.options import DataDir, err, out, settings_from

if TYPE_CHECKING:
    from pathlib import Path

    from occode.storage.clients import Clients

app = typer.Typer(help="Register and administer API clients.", no_args_is_help=True)
ClientId = Annotated[str, typer.Argument(help="Client id.")]


def _store(data_dir: "Path | None") -> "Clients":
    from occode.storage.clients import Clients
    from occode.wiring import database

    return Clients(database(settings_from(data_dir)))


def _show_secret(secret: str) -> None:
    out.print(secret)
    err.print("This secret is shown once and kept only as a hash: hand it over safely.")


@app.command()
def add(
    client_id: ClientId,
    tier: Annotated[Literal["public", "partner"], typer.Option(help="What the client may use, and how often.")] = "public",
    contact: Annotated[str, typer.Option(help="Address of the person to write to.")] = "",
    organisation: Annotated[str, typer.Option(help="Whom the client works for.")] = "",
    accept_terms: Annotated[bool, typer.Option("--accept-terms", help="The client has accepted the terms of use.")] = False,
    per_second: Annotated[
        int | None, typer.Option(min=0, help="Requests a second; 0: no limit.", show_default="as the tier")
    ] = None,
    per_hour: Annotated[int | None, typer.Option(min=0, help="Requests an hour; 0: no limit.", show_default="as the tier")] = None,
    data_dir: DataDir = None,
) -> None:
    """Register a client and print its secret."""
    from occode.access.clients import TermsNotAccepted, register

    if not accept_terms:
        raise TermsNotAccepted
    version = settings_from(data_dir).terms_version
    _, secret = register(
        _store(data_dir), client_id, tier, datetime.now(UTC), contact=contact, organisation=organisation,
        terms_version=version, per_second=per_second, per_hour=per_hour,
    )  # fmt: skip
    _show_secret(secret)


@app.command("list")
def show_all(data_dir: DataDir = None) -> None:
    """List all clients."""
    table = Table("client", "tier", "state", "organisation", "contact", "created", "last used", box=None)
    for c in _store(data_dir).all():
        used = f"{c.last_used:%Y-%m-%d %H:%M}" if c.last_used else "never"
        table.add_row(c.client_id, c.tier, c.state, c.organisation, c.contact, f"{c.created:%Y-%m-%d}", used)
    out.print(table)


@app.command()
def show(client_id: ClientId, data_dir: DataDir = None) -> None:
    """Show one client."""
    from dataclasses import asdict

    from occode.access.clients import find

    table = Table(box=None, show_header=False)
    for name, value in asdict(find(_store(data_dir), client_id)).items():
        if name != "secret_hash":
            table.add_row(name, "" if value is None else str(value))
    out.print(table)


@app.command()
def rotate(client_id: ClientId, data_dir: DataDir = None) -> None:
    """Give a client a new secret and print it; the old one stops working at once."""
    from occode.access.clients import rotate as change

    _show_secret(change(_store(data_dir), client_id))


@app.command()
def suspend(client_id: ClientId, data_dir: DataDir = None) -> None:
    """Lock a client out within 30 seconds."""
    from occode.access.clients import suspend as change

    change(_store(data_dir), client_id)
    out.print(f"suspended {client_id}")


@app.command()
def resume(client_id: ClientId, data_dir: DataDir = None) -> None:
    """Let a suspended client in again."""
    from occode.access.clients import resume as change

    change(_store(data_dir), client_id)
    out.print(f"resumed {client_id}")


@app.command()
def remove(client_id: ClientId, data_dir: DataDir = None) -> None:
    """Forget a client and its usage."""
    _store(data_dir).remove(client_id)
    out.print(f"removed {client_id}")


@app.command()
def usage(
    client_id: ClientId,
    days: Annotated[int, typer.Option(min=1, help="How many days back.")] = 30,
    data_dir: DataDir = None,
) -> None:
    """Show what a client asked for, by day."""
    from occode.access.clients import find

    store = _store(data_dir)
    find(store, client_id)
    table = Table("day", "requests", "records", "coded", "refused", box=None)
    for u in store.usage(client_id, datetime.now(UTC).date() - timedelta(days=days - 1)):
        table.add_row(str(u.day), *(f"{n:,}" for n in (u.requests, u.records, u.coded, u.refused)))
    out.print(table)


@app.command()
def inactive(days: Annotated[int, typer.Option(min=1, help="Days without a request.")] = 90, data_dir: DataDir = None) -> None:
    """List clients that asked for nothing lately (guide section 2.3)."""
    from occode.access.clients import inactive as find

    table = Table("client", "contact", "last used", box=None)
    for c in find(_store(data_dir), datetime.now(UTC), days):
        table.add_row(c.client_id, c.contact, f"{c.last_used:%Y-%m-%d}" if c.last_used else "never")
    out.print(table)


@app.command("rotate-keys")
def rotate_keys(data_dir: DataDir = None) -> None:
    """Make a new key for signing tokens; tokens of the old one work until they end."""
    from occode.access.tokens import new_key
    from occode.storage.clients import Keys
    from occode.wiring import database

    key = new_key(Keys(database(settings_from(data_dir))), datetime.now(UTC))
    out.print(f"new signing key {key.key_id}")
