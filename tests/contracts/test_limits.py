"""Rate limits: exact on SQLite, PostgreSQL and Redis, whoever asks at once."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from limits.storage import Storage, storage_from_string
from sqlalchemy import Engine

from occode.access.limits import Allowance, Limiter
from occode.storage.database import connect, migrate
from occode.storage.limits import DatabaseStorage
from tests.contracts.conftest import opened


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def storage(request: pytest.FixtureRequest) -> Iterator[Storage]:
    """Each place that limits are counted in."""
    if request.param != "redis":
        with opened(request.param, request) as engine:
            yield DatabaseStorage(engine)
    else:
        found = storage_from_string(request.getfixturevalue("redis_url"))
        assert isinstance(found, Storage)
        found.reset()
        yield found
        found.storage.close()


def test_requests_beyond_the_allowance_are_refused_and_told_when_to_come_back(storage: Storage) -> None:
    """The hour's quota, and what is left of it."""
    limiter = Limiter(storage, fail_open=False)
    verdicts = [limiter.take("a", Allowance(0, 3)) for _ in range(4)]
    assert [verdict.allowed for verdict in verdicts] == [True, True, True, False]
    assert [verdict.remaining for verdict in verdicts] == [2, 1, 0, 0]
    assert 3500 < int(verdicts[3].headers()["Retry-After"]) <= 3600
    assert limiter.take("b", Allowance(0, 3)).allowed


def test_a_request_too_soon_costs_nothing_of_the_hour(storage: Storage) -> None:
    """And a second later the next one passes."""
    limiter = Limiter(storage, fail_open=False)
    allowance = Allowance(1, 100)
    assert limiter.take("a", allowance).remaining == 99
    refused = limiter.take("a", allowance)
    assert (refused.allowed, refused.name) == (False, "second")
    time.sleep(1.05)
    assert limiter.take("a", allowance).remaining == 98


def test_no_limit_means_no_count(storage: Storage) -> None:
    """And no headers."""
    verdict = Limiter(storage, fail_open=False).take("a", Allowance(0, 0))
    assert verdict.allowed
    assert verdict.headers() == {}


def test_many_at_once_get_exactly_the_allowance(storage: Storage) -> None:
    """Not one more, not one less."""
    limiter = Limiter(storage, fail_open=False)
    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda _: limiter.take("a", Allowance(0, 20)), range(60)))
    assert sum(verdict.allowed for verdict in verdicts) == 20


def test_counts_outlive_a_restart(engine: Engine) -> None:
    """A new process finds what the last one counted."""
    Limiter(DatabaseStorage(engine), fail_open=False).take("a", Allowance(0, 1))
    again = connect(engine.url.render_as_string(hide_password=False))
    try:
        assert not Limiter(DatabaseStorage(again), fail_open=False).take("a", Allowance(0, 1)).allowed
    finally:
        again.dispose()


def test_sweeping_drops_only_what_counts_no_longer(engine: Engine) -> None:
    """Keys without a request go with them."""
    storage = DatabaseStorage(engine)
    storage.acquire_entry("old", 5, -1)
    storage.acquire_entry("new", 5, 60)
    storage.sweep()
    assert (storage.get("old"), storage.get("new")) == (0, 1)


@pytest.mark.parametrize("fail_open", [True, False])
def test_an_unreachable_counter_lets_through_or_refuses_as_set(tmp_path: Path, *, fail_open: bool) -> None:
    """Never an error of the server."""
    engine = connect(f"sqlite:///{tmp_path / 'a.db'}")
    migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE limit_hits")
    assert Limiter(DatabaseStorage(engine), fail_open=fail_open).take("a", Allowance(1, 1)).allowed is fail_open
    engine.dispose()
    gone = storage_from_string("redis://127.0.0.1:1")
    assert isinstance(gone, Storage)
    assert Limiter(gone, fail_open=fail_open).take("a", Allowance(1, 1)).allowed is fail_open
