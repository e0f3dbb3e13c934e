"""What batches need of the outside: a ledger in a database, an object store, an engine, a scanner."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import IO, Any, Protocol

from occode.batch.operations import Event, Operation, Stage
from occode.errors import OccodeError


class StoreUnavailable(OccodeError):
    """The object store does not answer: {reason}."""


class ObjectMissing(OccodeError):
    """There is no object {key}."""


class NoSpace(OccodeError):
    """There is no space left to write to."""


class ScannerUnavailable(OccodeError):
    """The malware scanner does not answer: {reason}."""


@dataclass(frozen=True)
class Upload:
    """Where and how a client uploads: a PUT to `url` with `kms_key_id` in the header of guide section 8.2.3."""

    url: str
    kms_key_id: str


class ObjectStore(Protocol):
    """Keeps objects sealed, by key; a write is all or nothing, and a later one replaces an earlier one.

    Every method may raise `StoreUnavailable`; reading what is not there raises `ObjectMissing`.
    """

    def upload(self, key: str, until: datetime, address: str) -> Upload:
        """Return a signed address that takes an object until then; `address` is the service's own."""

    def download_url(self, key: str, until: datetime, address: str) -> str:
        """Return a signed address that gives an object until then."""

    def size(self, key: str) -> int | None:
        """Return an object's size in bytes; None where there is none."""

    def read(self, key: str, first: int, last: int) -> bytes:
        """Return the bytes from `first` up to, not including, `last`."""

    def stream(self, key: str) -> Iterator[bytes]:
        """Yield an object's bytes in pieces of at most some megabytes."""

    def writer(self, key: str) -> AbstractContextManager[IO[bytes]]:
        """Open an object for writing; it is there once the context ends well, and not at all otherwise."""

    def delete(self, prefix: str) -> None:
        """Delete the object of that key and all below ``prefix/``."""


@dataclass(frozen=True)
class Chunk:
    """A piece of an operation's scanned input: whole lines, from byte `first` up to `last`."""

    operation_id: str
    number: int
    first: int
    last: int
    first_line: int
    lines: int


@dataclass(frozen=True)
class Job:
    """A chunk to be coded somewhere: what to code it to, the fields its lines must have, and which attempt this is."""

    chunk: Chunk
    topic: str
    model_id: str
    fields: tuple[str, ...]
    attempt: int


@dataclass(frozen=True)
class Result:
    """How a chunk went: `by_level` counts codes by digits; `mixed_line` is the first line with other fields, from 1 in the file."""

    by_level: dict[int, int] = field(default_factory=dict)
    unsuccessful: int = 0
    errors: int = 0
    broken: int = 0
    broken_line: int | None = None
    mixed_line: int | None = None


class Engine(Protocol):
    """Runs a chunk somewhere; what is lost is run again by whoever finds its lease over."""

    capacity: int

    def submit(self, job: Job) -> "Future[Result]":
        """Have a chunk coded; the future fails where the chunk did, or where its process died."""

    def close(self) -> None:
        """Stop."""


class Scanner(Protocol):
    """Looks for malware."""

    def scan(self, pieces: Iterable[bytes]) -> str | None:
        """Return what was found, None for nothing; raise `ScannerUnavailable` where it cannot be told."""


class Ledger(Protocol):
    """The truth about operations and their chunks; every method is one transaction."""

    def create(self, operation: Operation) -> None:
        """Keep a new operation."""

    def get(self, operation_id: str) -> Operation:
        """Return an operation, or raise `OperationNotFound`."""

    def all(self, client_id: str | None = None) -> list[Operation]:
        """Return all operations, or a client's, the newest first."""

    def counts(self) -> dict[str, int]:
        """Return how many operations are in each state, those in none of them as 0."""

    def awaiting(self) -> list[Operation]:
        """Return the operations that await their input."""

    def overdue(self, finished_before: datetime) -> list[Operation]:
        """Return the operations that ended before then."""

    def happen(
        self, operation_id: str, event: Event, now: datetime, *, error: str | None = None, about: dict[str, Any] | None = None
    ) -> bool:
        """Let an event happen to an operation; False where it no longer can, because another was quicker."""

    def take_stage(self, worker: str, stage: Stage, now: datetime, lease: timedelta) -> Operation | None:
        """Lease an operation that is in `stage` and nobody's, of the client that is served least."""

    def take_chunk(self, worker: str, now: datetime, lease: timedelta) -> Job | None:
        """Lease a chunk that is nobody's, of the client with the fewest chunks at work."""

    def renew(self, worker: str, now: datetime, lease: timedelta) -> None:
        """Make all leases of a worker last longer."""

    def release(self, worker: str) -> None:
        """Give all leases of a worker back."""

    def split(self, worker: str, operation_id: str, chunks: list[Chunk], about: dict[str, Any], now: datetime) -> bool:
        """End the scan: keep the chunks and go on to coding; False where the lease is lost."""

    def record(self, worker: str, chunk: Chunk, result: Result, now: datetime) -> bool:
        """Mark a chunk as coded; with the last one the operation goes on to delivery; False where the lease is lost."""

    def retry(self, worker: str, chunk: Chunk, not_before: datetime) -> None:
        """Give a chunk back to be tried again later."""

    def retry_stage(self, worker: str, operation_id: str, not_before: datetime) -> None:
        """Give an operation's stage back to be tried again later."""

    def chunks(self, operation_id: str) -> list[tuple[Chunk, Result]]:
        """Return an operation's coded chunks in order."""
