"""Rate limits counted in the database, so that they hold across processes and restarts."""

from time import time
from typing import Any

from limits.storage import MovingWindowSupport, Storage
from sqlalchemy import Engine, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from occode.storage.tables import limit_hits, limit_keys


class DatabaseStorage(Storage, MovingWindowSupport):
    """A storage of the `limits` library with one row an accepted request; a window's rows are counted under a lock."""

    STORAGE_SCHEME: list[str] | None = None

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine
        self._insert: Any = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    @property
    def base_exceptions(self) -> type[Exception]:
        """What is raised when the database cannot be reached."""
        return SQLAlchemyError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` requests of `key` where that leaves no more than `limit` in the last `expiry` seconds."""
        own = limit_hits.c.key == key
        with self._engine.begin() as connection:
            connection.execute(self._insert(limit_keys).values(key=key).on_conflict_do_nothing())
            connection.execute(select(limit_keys).where(limit_keys.c.key == key).with_for_update())
            now = time()
            connection.execute(delete(limit_hits).where(own, limit_hits.c.at <= now - expiry))
            count = connection.execute(select(func.count()).select_from(limit_hits).where(own)).scalar_one()
            if count + amount > limit:
                return False
            connection.execute(insert(limit_hits), [{"key": key, "at": now, "until": now + expiry}] * amount)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return when the oldest request of the window was made and how many there are."""
        now = time()
        inside = (limit_hits.c.key == key) & (limit_hits.c.at > now - expiry)
        with self._engine.begin() as connection:
            first, count = connection.execute(select(func.min(limit_hits.c.at), func.count()).where(inside)).one()
        return (now if first is None else first), count

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count without a limit and return the count."""
        self.acquire_entry(key, 2**62, expiry, amount)
        return self.get(key)

    def get(self, key: str) -> int:
        """Return how many requests of `key` count now."""
        query = select(func.count()).where(limit_hits.c.key == key, limit_hits.c.until > time())
        with self._engine.begin() as connection:
            return connection.execute(query).scalar_one()

    def get_expiry(self, key: str) -> float:
        """Return when the last request of `key` stops counting, in seconds since 1970."""
        with self._engine.begin() as connection:
            return connection.execute(select(func.max(limit_hits.c.until)).where(limit_hits.c.key == key)).scalar() or time()

    def check(self) -> bool:
        """Say whether the database answers."""
        try:
            self.get("check")
        except SQLAlchemyError:
            return False
        return True

    def reset(self) -> int | None:
        """Forget all requests."""
        with self._engine.begin() as connection:
            connection.execute(delete(limit_keys))
            return connection.execute(delete(limit_hits)).rowcount

    def clear(self, key: str) -> None:
        """Forget the requests of `key`."""
        with self._engine.begin() as connection:
            connection.execute(delete(limit_hits).where(limit_hits.c.key == key))

    def sweep(self) -> None:
        """Drop what counts no longer."""
        with self._engine.begin() as connection:
            connection.execute(delete(limit_hits).where(limit_hits.c.until < time()))
            unused = ~select(limit_hits.c.key).where(limit_hits.c.key == limit_keys.c.key).exists()
            connection.execute(delete(limit_keys).where(unused))
