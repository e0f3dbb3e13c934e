"""Puts the parts together from the settings: the only module that names a backend."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any
from urllib.parse import urlsplit

from limits.storage import Storage, storage_from_string
from sqlalchemy import Engine

from occode.access.directory import Directory
from occode.access.limits import Allowance, Limiter
from occode.access.tokens import Tokens
from occode.batch.chunk import code_chunk
from occode.batch.clamav import ClamAV
from occode.batch.desk import Desk
from occode.batch.engines import LocalEngine, RayEngine
from occode.batch.ports import Engine as ChunkEngine
from occode.batch.ports import Job, ObjectStore, Result, Scanner
from occode.batch.worker import Pace, Worker
from occode.classification import Catalogue
from occode.coding.registry import Registry
from occode.settings import Settings, as_environment, read
from occode.storage.clients import Clients, Keys
from occode.storage.database import connect, migrate
from occode.storage.folder import FolderStore, master_key
from occode.storage.ledger import DatabaseLedger
from occode.storage.limits import DatabaseStorage
from occode.storage.s3 import S3Store


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
    desk: Desk


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
        desk=Desk(DatabaseLedger(engine), objects(settings)),
    )


def objects(settings: Settings) -> ObjectStore:
    """Open the object store: a bucket, or a folder sealed with a master key that is made at first."""
    if settings.object_store.startswith("s3://"):
        return S3Store(
            settings.object_store.removeprefix("s3://"),
            settings.s3_kms_key,
            endpoint=settings.s3_endpoint,
            region=settings.s3_region,
            access_key=settings.s3_access_key,
            secret_key=settings.s3_secret_key,
        )
    return FolderStore(settings.objects, master_key(settings.key_file))


def worker(settings: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC), pace: Pace | None = None) -> Worker:
    """Put a batch worker together."""
    registry = models(settings)

    def details(topic: str, model_id: str) -> dict[str, Any]:
        return registry.details(topic, registry.find(topic, model_id))

    desk = Desk(DatabaseLedger(database(settings)), objects(settings))
    most = settings.max_upload_bytes
    return Worker(desk, engine(settings), _scanner(settings), details, most_bytes=most, clock=clock, pace=pace)


def engine(settings: Settings) -> ChunkEngine:
    """Make the engine that codes chunks."""
    run = partial(run_job, tuple(as_environment(settings).items()))
    if settings.engine == "local":
        return LocalEngine(run, settings.engine_processes)
    return RayEngine(run, settings.engine)


def run_job(environment: tuple[tuple[str, str], ...], job: Job) -> Result:
    """Code a chunk in whatever process this is, with the store and the models of these settings."""
    registry, store = _opened(environment)
    return code_chunk(job, registry.coder(job.topic, job.model_id), store)


@cache
def _opened(environment: tuple[tuple[str, str], ...]) -> tuple[Registry, ObjectStore]:
    settings = read({}, dict(environment))
    return models(settings), objects(settings)


def _scanner(settings: Settings) -> Scanner | None:
    if settings.scanner == "none":
        return None
    address = urlsplit(settings.scanner)
    return ClamAV(address.hostname or "127.0.0.1", address.port or 3310)


def _counters(settings: Settings, engine: Engine) -> Storage:
    if settings.limits:
        return storage_from_string(settings.limits)  # type: ignore[return-value]  # a Redis storage, never an async one
    return DatabaseStorage(engine)
