"""``occode serve``: the HTTP service."""

import signal
import sys
import tempfile
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from occode.cli.options import DataDir, err, settings_from
from occode.errors import OccodeError

if TYPE_CHECKING:
    from occode.access.clients import Tier
    from occode.coding.registry import Registry
    from occode.settings import Settings

#: The guide's example clients (section 3.1.5), for a demonstration on this machine alone.
DEMO_SECRET = "secret123"  # noqa: S105  # printed in the guide
DEMO_CLIENTS: dict[str, "Tier"] = {"client1": "partner", "public1": "public"}


class DemoNotOnLoopback(OccodeError):
    """The demonstration has well-known secrets and is served on a loopback address only, not on {host}."""


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8080,
    workers: Annotated[int, typer.Option(min=1, help="Web processes.")] = 1,
    tls_cert: Annotated[Path | None, typer.Option(exists=True, help="TLS certificate (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(exists=True, help="Its key (PEM).")] = None,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Leave batches to `occode worker`.")] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Throw-away data and the guide's example clients.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Serve the API."""
    from occode.cli.worker import embedded
    from occode.web.server import Address, check_port, serve_forever
    from occode.wiring import models

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # what is open here is closed; the server itself has its own
    address = Address(host, port, workers, tls_cert, tls_key)
    settings = settings_from(data_dir)
    _require_model(models(settings))
    check_port(address)
    with ExitStack() as stack:
        if demo:
            settings = _demo(settings, host, stack)
        scheme = "https" if tls_cert else "http"
        err.print(f"Serving on {scheme}://{host}:{port} (stop with Ctrl-C)")
        if demo:
            err.print(_first_request(f"{scheme}://{host}:{port}"), soft_wrap=True, markup=False)
        if settings.metrics_port:
            stack.enter_context(_metrics(settings, host))
        with nullcontext() if no_worker else embedded(settings):
            serve_forever(settings, address)


def _metrics(settings: "Settings", host: str) -> AbstractContextManager[None]:
    from occode.storage.ledger import DatabaseLedger
    from occode.web.metrics import serving
    from occode.web.server import Address, check_port
    from occode.wiring import database

    check_port(Address(host, settings.metrics_port))
    return serving(settings.metrics_port, host, DatabaseLedger(database(settings)).counts)


def _require_model(registry: "Registry") -> None:
    """Load every topic's latest model, so that a missing or damaged one is told before the service starts."""
    topics = [topic.name for topic in registry.catalogue.topics() if registry.releases(topic.name).live()]
    for topic in topics or ["osca"]:
        registry.coder(topic)


def _demo(settings: "Settings", host: str, stack: ExitStack) -> "Settings":
    """Return settings with a throw-away database and object store that know the guide's clients."""
    from occode.access.clients import register
    from occode.storage.clients import Clients
    from occode.wiring import database

    if not _is_loopback(host):
        raise DemoNotOnLoopback(host=host)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="occode-demo-")))
    settings = replace(settings, database_url=f"sqlite:///{folder / 'occode.db'}", object_store="", objects_dir=folder / "objects")
    engine = database(settings)
    for client_id, tier in DEMO_CLIENTS.items():
        register(
            Clients(engine),
            client_id,
            tier,
            datetime.now(UTC),
            secret=DEMO_SECRET,
            terms_version=settings.terms_version,
        )
    engine.dispose()
    return settings


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _first_request(url: str) -> str:
    return f"""
Code a first record from another terminal:

  TOKEN=$(curl -s -u client1:{DEMO_SECRET} -d grant_type=client_credentials {url}/oauth2/token \\
    | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
  curl -s {url}/v1/topics/osca/code -H "Authorization: Bearer $TOKEN" \\
    -d '{{"record": {{"occp_text": "software developer", "tasks_text": "writing code and unit tests"}}, "numberOfSuggestions": 3}}'
"""
