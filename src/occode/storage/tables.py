"""The tables of the database, the same on SQLite and PostgreSQL; `migrations` brings a database up to them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class Moment(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no time zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn into UTC."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Say that it is UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)


def _id(name: str, **options: Any) -> Column[str]:
    return Column(name, String(200), **options)


clients = Table(
    "clients",
    metadata,
    _id("client_id", primary_key=True),
    Column("tier", String(20), nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("terms_version", String(50), nullable=False),
    Column("terms_accepted", Moment, nullable=False),
    Column("created", Moment, nullable=False),
    Column("state", String(20), nullable=False),
    Column("per_second", Integer),
    Column("per_hour", Integer),
    Column("last_used", Moment),
)

usage = Table(
    "usage",
    metadata,
    Column("client_id", String(200), ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("records", BigInteger, nullable=False),
    Column("coded", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    _id("key_id", primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    Column("created", Moment, nullable=False),
    Column("honoured_until", Moment),
)

limit_hits = Table(
    "limit_hits",
    metadata,
    Column("hit_id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(300), nullable=False),
    Column("at", Float(53), nullable=False),
    Column("until", Float(53), nullable=False),
    Index("ix_limit_hits_key_at", "key", "at"),
)

operations = Table(
    "operations",
    metadata,
    _id("operation_id", primary_key=True),
    _id("client_id", nullable=False),
    _id("topic", nullable=False),
    _id("model_id", nullable=False),
    Column("state", String(20), nullable=False),
    Column("stage", String(20), nullable=False),
    Column("created", Moment, nullable=False),
    Column("upload_until", Moment, nullable=False),
    Column("received", Moment),
    Column("coding_since", Moment),
    Column("finished", Moment),
    Column("error", Text),
    Column("records_total", BigInteger, nullable=False),
    Column("about", JSON, nullable=False),
    _id("worker"),
    Column("lease_until", Moment),
    Column("not_before", Moment),
    Column("attempt", Integer, nullable=False),
    Index("ix_operations_state_stage", "state", "stage"),
    Index("ix_operations_client_id", "client_id"),
)

chunks = Table(
    "chunks",
    metadata,
    Column("operation_id", String(200), ForeignKey("operations.operation_id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("first_line", BigInteger, nullable=False),
    Column("lines", BigInteger, nullable=False),
    Column("result", JSON),
    Column("done", Boolean, nullable=False),
    _id("worker"),
    Column("lease_until", Moment),
    Column("not_before", Moment),
    Column("attempt", Integer, nullable=False),
    Index("ix_chunks_done", "done"),
)

limit_keys = Table("limit_keys", metadata, Column("key", String(300), primary_key=True))
