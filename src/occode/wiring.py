"""Puts the parts together from the settings: the only module that names a backend."""

from dataclasses import dataclass

from limits.storage import Storage, storage_from_string
from sqlalchemy import Engine

from occode.access.directory import Directory
from occode.access.limits import Allowance, Limiter
from occode.access.tokens import Tokens
from occode.classification import Catalogue
from occode.coding.registry import Registry
from occode.settings import Settings
from occode.storage.clients import Clients, Keys
from occode.storage.database import connect, migrate
from occode.storage.limits import DatabaseStorage


@dataclass(frozen=True)
class Parts:
    """Everything that the service is made of."""

    settings: Settings
    registry: Registry
    engine: Engine
    clients: Clients
    keys: Keys
    tokens: Tokens
    directory: Directory
    limiter: Limiter


def models(settings: Settings) -> Registry:
    """Return the models of a data folder; a folder ``classifications`` beside them adds topics."""
    return Registry(settings.models, Catalogue(settings.data_dir / "classifications"))


def database(settings: Settings) -> Engine:
    """Open the database and bring it up to date."""
    engine = connect(settings.database)
    migrate(engine)
    return engine


def parts(settings: Settings) -> Parts:
    """Put the service together.

    Raises
    ------
    DatabaseUnreachable
    """
    engine = database(settings)
    clients, keys = Clients(engine), Keys(engine)
    tiers = {
        "public": Allowance(settings.public_per_second, settings.public_per_hour),
        "partner": Allowance(settings.partner_per_second, settings.partner_per_hour),
    }
    counters = _counters(settings, engine)
    return Parts(
        settings=settings,
        registry=models(settings),
        engine=engine,
        clients=clients,
        keys=keys,
        tokens=Tokens(keys),
        directory=Directory(clients, tiers),
        limiter=Limiter(counters, fail_open=settings.limits_fail == "open"),
    )


def _counters(settings: Settings, engine: Engine) -> Storage:
    if settings.limits:
        return storage_from_string(settings.limits)  # type: ignore[return-value]  # a Redis storage, never an async one
    return DatabaseStorage(engine)
