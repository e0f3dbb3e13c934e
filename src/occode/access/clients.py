"""Clients: registered with a tier and accepted terms, known by a secret of which only a hash is kept (guide section 2.3)."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal, Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from occode.errors import OccodeError

Tier = Literal["public", "partner"]
State = Literal["active", "suspended"]
#: RFC 9106 section 4, second recommended option scaled down to 19 MiB (OWASP): about 20 ms a check.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
#: What an unknown client's secret is checked against, so that the time taken tells nobody whether a client exists.
_NOBODY = _HASHER.hash(secrets.token_urlsafe(32))


class ClientNotFound(OccodeError):
    """There is no client "{client_id}"; "occode clients list" shows those there are."""


class ClientExists(OccodeError):
    """There is a client "{client_id}" already; choose another id, or rotate its secret."""


class InvalidClient(OccodeError):
    """The client is unknown, suspended, or its secret is wrong."""


class TermsNotAccepted(OccodeError):
    """A client is registered only once its terms of use are accepted; say so with --accept-terms."""


@dataclass(frozen=True)
class Client:
    """A registered client; `per_second` and `per_hour` override its tier's limits (None: as the tier; 0: none)."""

    client_id: str
    tier: Tier
    secret_hash: str
    contact: str
    organisation: str
    terms_version: str
    terms_accepted: datetime
    created: datetime
    state: State = "active"
    per_second: int | None = None
    per_hour: int | None = None
    last_used: datetime | None = None


@dataclass(frozen=True)
class Usage:
    """What a client asked for on one day (UTC): counts, never a text."""

    client_id: str
    day: date
    requests: int = 0
    records: int = 0
    coded: int = 0
    refused: int = 0


class ClientStore(Protocol):
    """Keeps clients and their usage."""

    def add(self, client: Client) -> None:
        """Keep a new client; raise `ClientExists` where its id is taken."""

    def get(self, client_id: str) -> Client | None:
        """Return a client."""

    def all(self) -> list[Client]:
        """Return all clients, by id."""

    def change(self, client: Client) -> None:
        """Replace the client of the same id; raise `ClientNotFound` where there is none."""

    def remove(self, client_id: str) -> None:
        """Forget a client and its usage; raise `ClientNotFound` where there is none."""

    def count(self, usage: Iterable[Usage], now: datetime) -> None:
        """Add to the counts of each client and day, and set the clients' `last_used`."""

    def usage(self, client_id: str, since: date) -> list[Usage]:
        """Return a client's usage from a day on, by day."""


def register(
    store: ClientStore,
    client_id: str,
    tier: Tier,
    now: datetime,
    *,
    contact: str = "",
    organisation: str = "",
    terms_version: str,
    secret: str | None = None,
    per_second: int | None = None,
    per_hour: int | None = None,
) -> tuple[Client, str]:
    """Register a client and return it with its secret, which nobody can read again.

    Raises
    ------
    ClientExists
        The id is taken.
    """
    secret = secret or secrets.token_urlsafe(32)
    client = Client(
        client_id, tier, _HASHER.hash(secret), contact, organisation, terms_version, now, now,
        per_second=per_second, per_hour=per_hour,
    )  # fmt: skip
    store.add(client)
    return client, secret


def find(store: ClientStore, client_id: str) -> Client:
    """Return a client, or raise `ClientNotFound`."""
    client = store.get(client_id)
    if client is None:
        raise ClientNotFound(client_id=client_id)
    return client


def rotate(store: ClientStore, client_id: str) -> str:
    """Give a client a new secret and return it; the old one is worth nothing from now on."""
    secret = secrets.token_urlsafe(32)
    store.change(replace(find(store, client_id), secret_hash=_HASHER.hash(secret)))
    return secret


def suspend(store: ClientStore, client_id: str) -> None:
    """Lock a client out: no new token, and its tokens stop working within half a minute."""
    store.change(replace(find(store, client_id), state="suspended"))


def resume(store: ClientStore, client_id: str) -> None:
    """Let a suspended client in again."""
    store.change(replace(find(store, client_id), state="active"))


def inactive(store: ClientStore, now: datetime, days: int) -> list[Client]:
    """Return the clients that have asked for nothing in the last `days` days (guide section 2.3)."""
    limit = now - timedelta(days=days)
    return [client for client in store.all() if (client.last_used or client.created) < limit]


def authenticate(store: ClientStore, client_id: str, offered: Iterable[str]) -> Client:
    """Return the client that one of the `offered` secrets belongs to; about 20 ms, so not for an event loop.

    Raises
    ------
    InvalidClient
        Unknown or suspended client, or wrong secret: which of them is not told.
    """
    client = store.get(client_id)
    right = [_matches(client.secret_hash if client else _NOBODY, secret) for secret in offered]
    if client is None or not any(right) or client.state != "active":
        raise InvalidClient
    return client


def _matches(secret_hash: str, secret: str) -> bool:
    try:
        return _HASHER.verify(secret_hash, secret)
    except (VerificationError, InvalidHashError):
        return False
