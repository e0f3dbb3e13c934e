"""Runs the application on uvicorn: one process or several that share one mapped model."""

import gc
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from occode.coding.registry import Registry
from occode.errors import OccodeError
from occode.logs import configure
from occode.settings import Settings, as_environment, read
from occode.web.app import create_app
from occode.web.edge import Edge
from occode.web.metrics import FOLDER, Metrics
from occode.web.protocol import ImpatientProtocol
from occode.wiring import parts

#: Seconds that accepted requests have to finish when the service is told to stop, and that an idle connection is kept.
GRACE_SECONDS = 30
IDLE_SECONDS = 30


class PortTaken(OccodeError):
    """The address {host}:{port} cannot be used: {reason}; choose another with --port or --host."""


class CertificateUnreadable(OccodeError):
    """The TLS certificate {cert} with the key {key} cannot be used: {reason}."""


@dataclass(frozen=True)
class Address:
    """Where to listen, with how many processes, and with which certificate."""

    host: str
    port: int
    workers: int = 1
    tls_cert: Path | None = None
    tls_key: Path | None = None


def serve_forever(settings: Settings, address: Address) -> None:
    """Serve until told to stop (SIGINT, SIGTERM); what was accepted is finished.

    Raises
    ------
    PortTaken, CertificateUnreadable
    """
    check_port(address)
    os.environ.update(as_environment(settings))
    options: dict[str, Any] = {
        "host": address.host,
        "port": address.port,
        "http": ImpatientProtocol,
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "timeout_graceful_shutdown": GRACE_SECONDS,
        "timeout_keep_alive": IDLE_SECONDS,
        "ws": "none",
    }
    if address.tls_cert:
        options |= {"ssl_certfile": str(address.tls_cert), "ssl_keyfile": str(address.tls_key or address.tls_cert)}
    try:
        uvicorn.run("occode.web.server:app", factory=True, workers=address.workers, **options)
    except OSError as error:
        raise CertificateUnreadable(cert=address.tls_cert, key=address.tls_key, reason=error) from error


def app() -> Edge:
    """Make the application from the settings that `serve_forever` handed over."""
    settings = read({}, os.environ)
    configure(settings.log_level, settings.log_format)
    metrics = Metrics() if FOLDER in os.environ else None
    made = parts(settings)
    _warm(made.registry)
    gc.freeze()  # what is here now stays: collections that look through all of it would hold up requests
    return Edge(create_app(made, metrics), metrics)


def _warm(registry: Registry) -> None:
    """Map the models and load the compiled code, so that no client waits for it."""
    for topic in registry.catalogue.topics():
        if registry.releases(topic.name).live():
            registry.coder(topic.name).code("clerk")


def check_port(address: Address) -> None:
    """Raise `PortTaken` where the address cannot be listened on."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address.host, address.port))
    except (OSError, OverflowError) as error:
        raise PortTaken(host=address.host, port=address.port, reason=error) from error
