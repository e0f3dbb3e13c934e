"""Clients, usage and signing keys: the same on SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, inspect

from occode.access import clients
from occode.access.clients import ClientExists, ClientNotFound, InvalidClient, Usage
from occode.access.directory import Directory
from occode.access.limits import Allowance
from occode.access.tokens import LIFETIME, InvalidToken, Tokens, new_key
from occode.storage import tables
from occode.storage.clients import Clients, Keys
from occode.storage.database import migrate
from tests.conftest import NOW

TIERS = {"public": Allowance(1, 100), "partner": Allowance(0, 0)}


def _register(store: Clients, client_id: str = "abc") -> str:
    return clients.register(store, client_id, "public", NOW, contact="a@b", organisation="AB", terms_version="2")[1]


def test_migrations_make_the_tables_that_the_code_expects(engine: Engine) -> None:
    """Same tables and columns; migrating again changes nothing."""
    migrate(engine)
    found = inspect(engine)
    for table in tables.metadata.tables.values():
        assert {column["name"] for column in found.get_columns(table.name)} == set(table.columns.keys())
    assert set(found.get_table_names()) == {*tables.metadata.tables, "alembic_version"}


def test_a_client_is_found_as_it_was_registered(engine: Engine) -> None:
    """With the terms it accepted, and without its secret."""
    store = Clients(engine)
    secret = _register(store)
    found = store.get("abc")
    assert found is not None
    assert (found.tier, found.contact, found.terms_version, found.terms_accepted) == ("public", "a@b", "2", NOW)
    assert secret not in str(found)
    assert store.all() == [found]
    with pytest.raises(ClientExists):
        _register(store)


def test_only_the_right_secret_of_an_active_client_authenticates(engine: Engine) -> None:
    """Rotation and suspension count at once."""
    store = Clients(engine)
    secret = _register(store)
    assert clients.authenticate(store, "abc", ["other", secret]).client_id == "abc"
    for client_id, offered in (("abc", ["x"]), ("abc", []), ("nobody", [secret])):
        with pytest.raises(InvalidClient):
            clients.authenticate(store, client_id, offered)
    new = clients.rotate(store, "abc")
    with pytest.raises(InvalidClient):
        clients.authenticate(store, "abc", [secret])
    clients.suspend(store, "abc")
    with pytest.raises(InvalidClient):
        clients.authenticate(store, "abc", [new])
    clients.resume(store, "abc")
    assert clients.authenticate(store, "abc", [new])


def test_usage_adds_up_by_day_and_goes_with_its_client(engine: Engine) -> None:
    """Counts of several processes are sums; an inactive client is one without use."""
    store = Clients(engine)
    _register(store)
    _register(store, "idle")
    today = NOW.date()
    for _ in range(2):
        store.count([Usage("abc", today, 1, 20, 15, 2), Usage("gone", today, 1)], NOW)
    assert store.usage("abc", date(2020, 1, 1)) == [Usage("abc", today, 2, 40, 30, 4)]
    later = NOW + timedelta(days=100)
    store.count([Usage("abc", later.date(), 1)], later)
    assert [client.client_id for client in clients.inactive(store, later, 90)] == ["idle"]
    store.remove("abc")
    assert store.usage("abc", date(2020, 1, 1)) == []
    with pytest.raises(ClientNotFound):
        store.remove("abc")
    with pytest.raises(ClientNotFound):
        clients.suspend(store, "abc")


def test_a_directory_learns_of_a_suspension_and_keeps_counts_until_they_are_written(engine: Engine) -> None:
    """The snapshot is refreshed; an override wins over the tier."""
    store = Clients(engine)
    _register(store)
    directory = Directory(store, TIERS)
    directory.refresh()
    assert directory.allowance(directory.active("abc")) == Allowance(1, 100)
    store.change(replace(clients.find(store, "abc"), per_second=5, per_hour=0))
    clients.register(store, "new", "partner", NOW, terms_version="1")
    assert directory.active("new").tier == "partner"
    directory.refresh()
    assert directory.allowance(directory.active("abc")) == Allowance(5, 0)
    directory.count("abc", NOW.date(), requests=1, records=3)
    directory.count("abc", NOW.date(), requests=1, coded=2)
    directory.flush(NOW)
    assert store.usage("abc", NOW.date()) == [Usage("abc", NOW.date(), 2, 3, 2, 0)]
    clients.suspend(store, "abc")
    directory.refresh()
    with pytest.raises(InvalidClient):
        directory.active("abc")


def test_rotated_keys_are_honoured_until_their_tokens_end(engine: Engine) -> None:
    """Old tokens work for their hour, and no longer; another process sees the new key."""
    keys = Keys(engine)
    one, other = Tokens(keys), Tokens(keys)
    one.refresh(NOW)
    other.refresh(NOW)
    old = one.issue("abc", NOW)
    assert other.check(old, NOW).client_id == "abc"
    new_key(keys, NOW)
    one.refresh(NOW)
    new = one.issue("abc", NOW)
    assert one.check(old, NOW).client_id == one.check(new, NOW).client_id == "abc"
    other.refresh(NOW)
    assert other.check(new, NOW).client_id == "abc"
    with pytest.raises(InvalidToken):
        one.check(old, NOW + LIFETIME)
    fresh = Tokens(keys)
    fresh.refresh(NOW + LIFETIME)
    with pytest.raises(InvalidToken):
        fresh.check(old, NOW)


def test_a_token_of_another_service_is_refused(engine: Engine) -> None:
    """Another key, though the claims are the same."""
    mine = Tokens(Keys(engine))
    mine.refresh(NOW)
    token = mine.issue("abc", NOW)
    new_key(Keys(engine), NOW - 3 * LIFETIME)
    later = Tokens(Keys(engine))
    later.refresh(NOW + 2 * LIFETIME)
    with pytest.raises(InvalidToken):
        later.check(token, NOW)
