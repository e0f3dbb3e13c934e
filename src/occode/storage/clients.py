"""Clients, their usage and the signing keys, in the database."""

from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine, Row, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from occode.access.clients import Client, ClientExists, ClientNotFound, Usage
from occode.access.tokens import SigningKey
from occode.storage import tables
from occode.storage.database import reading

_COUNTS = ("requests", "records", "coded", "refused")


class Clients:
    """Implements `occode.access.clients.ClientStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, client: Client) -> None:
        """Keep a new client."""
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(tables.clients).values(**asdict(client)))
        except IntegrityError as error:
            raise ClientExists(client_id=client.client_id) from error

    def get(self, client_id: str) -> Client | None:
        """Return a client."""
        with reading(self._engine).begin() as connection:
            row = connection.execute(select(tables.clients).where(tables.clients.c.client_id == client_id)).first()
        return _client(row) if row else None

    def all(self) -> list[Client]:
        """Return all clients, by id."""
        with reading(self._engine).begin() as connection:
            rows = connection.execute(select(tables.clients).order_by(tables.clients.c.client_id)).all()
        return [_client(row) for row in rows]

    def change(self, client: Client) -> None:
        """Replace the client of the same id."""
        values = asdict(client)
        own = tables.clients.c.client_id == values.pop("client_id")
        with self._engine.begin() as connection:
            if not connection.execute(update(tables.clients).where(own).values(**values)).rowcount:
                raise ClientNotFound(client_id=client.client_id)

    def remove(self, client_id: str) -> None:
        """Forget a client and its usage."""
        with self._engine.begin() as connection:
            gone = connection.execute(delete(tables.clients).where(tables.clients.c.client_id == client_id))
            if not gone.rowcount:
                raise ClientNotFound(client_id=client_id)

    def count(self, usage: Iterable[Usage], now: datetime) -> None:
        """Add to the counts of each client and day; a client removed meanwhile is passed over."""
        with self._engine.begin() as connection:
            for counts in usage:
                own = tables.clients.c.client_id == counts.client_id
                if not connection.execute(update(tables.clients).where(own).values(last_used=now)).rowcount:
                    continue
                table = tables.usage
                row = (table.c.client_id == counts.client_id) & (table.c.day == counts.day)
                sums = {name: table.c[name] + getattr(counts, name) for name in _COUNTS}
                if not connection.execute(update(table).where(row).values(**sums)).rowcount:
                    connection.execute(insert(table).values(**asdict(counts)))

    def usage(self, client_id: str, since: date) -> list[Usage]:
        """Return a client's usage from a day on, by day."""
        table = tables.usage
        query = select(table).where(table.c.client_id == client_id, table.c.day >= since).order_by(table.c.day)
        with reading(self._engine).begin() as connection:
            return [Usage(**row._mapping) for row in connection.execute(query)]


class Keys:
    """Implements `occode.access.tokens.KeyStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add_key(self, key: SigningKey, *, retire_others_at: datetime | None = None) -> None:
        """Keep a new key."""
        table = tables.signing_keys
        with self._engine.begin() as connection:
            if retire_others_at:
                connection.execute(update(table).where(table.c.honoured_until.is_(None)).values(honoured_until=retire_others_at))
            connection.execute(insert(table).values(**asdict(key)))

    def keys(self, now: datetime) -> list[SigningKey]:
        """Return the keys still honoured, the newest first."""
        table = tables.signing_keys
        honoured = or_(table.c.honoured_until.is_(None), table.c.honoured_until > now)
        query = select(table).where(honoured).order_by(table.c.honoured_until.is_(None).desc(), table.c.created.desc())
        with reading(self._engine).begin() as connection:
            return [SigningKey(**row._mapping) for row in connection.execute(query)]


def _client(row: Row[Any]) -> Client:
    return Client(**{f.name: row._mapping[f.name] for f in fields(Client)})
