"""Fixtures that many tests share: real models, a small one, and a served application."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx2 as httpx
import psutil
import pytest

from occode.classification import Catalogue
from occode.coding.coder import Coder
from occode.coding.registry import Registry
from occode.places import default_data_dir
from occode.training.publish import publish
from occode.training.sources import task_for
from occode.training.train import Options, train

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
EXAMPLE = {"occp_text": "software developer", "tasks_text": "writing code and unit tests"}

_TOY_CATEGORIES = """code,title,skill_levels
1,Food people,
11,Baker,3
12,Cook,3
2,Road people,
21,Taxi Driver,4
22,Bus Driver,4
"""
_TOY_CORPUS = {
    "1.yaml": {
        "1": {"titles": ["food worker", "kitchen worker"]},
        "11": {
            "titles": ["baker", "bread maker", "pastry baker", "bakery hand", "bread baker"],
            "tasks": ["bake bread", "knead dough", "make pastry", "oven work"],
        },
        "12": {
            "titles": ["cook", "line cook", "cafe cook", "camp cook", "breakfast cook"],
            "tasks": ["cook meals", "fry food", "prepare dinners", "grill meat"],
        },
    },
    "2.yaml": {
        "2": {"titles": ["driver", "road driver"]},
        "21": {
            "titles": ["taxi driver", "cab driver", "cabbie", "taxi owner driver", "night taxi driver"],
            "tasks": ["drive taxi", "take fares", "pick up taxi passengers", "drive cab"],
        },
        "22": {
            "titles": ["bus driver", "coach driver", "school bus driver", "city bus driver", "tour coach driver"],
            "tasks": ["drive bus", "sell bus tickets", "drive school kids", "drive coach tours"],
        },
    },
    "none.yaml": {"none": {"titles": ["retired", "student", "unemployed"]}},
}


def write_toy(folder: Path, name: str = "toy", corpus: str = "toy") -> None:
    """Write a small classification into `folder`, with its corpus where it borrows no other's."""
    (folder / name).mkdir(parents=True)
    about = {
        "full_name": "Toy classification",
        "version": "1",
        "levels": [1, 2],
        "level_names": ["group", "job"],
        "corpus": corpus,
    }
    (folder / name / "topic.json").write_text(json.dumps(about))
    (folder / name / "categories.csv").write_text(_TOY_CATEGORIES)
    if corpus == name:
        (folder / name / "corpus").mkdir()
        for file, content in _TOY_CORPUS.items():
            (folder / name / "corpus" / file).write_text(json.dumps(content))


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """A registry with one small trained model, of the topic ``toy``."""
    root = tmp_path_factory.mktemp("toy")
    write_toy(root / "classifications")
    registry = Registry(root / "models", Catalogue(root / "classifications"))
    publish(train(task_for(registry.catalogue, "toy", options=Options(folds=2))), registry, NOW)
    return registry


@pytest.fixture(scope="session")
def registry() -> Registry:
    """The models that ``make test`` trained before the tests."""
    return Registry(default_data_dir() / "models", Catalogue())


@pytest.fixture(scope="session")
def osca(registry: Registry) -> Coder:
    """The latest coder of OSCA."""
    return registry.coder("osca")


@pytest.fixture(scope="session")
def anzsco(registry: Registry) -> Coder:
    """The latest coder of ANZSCO."""
    return registry.coder("anzsco")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(log: Path, *options: str, port: int = 0, environment: dict[str, str] | None = None) -> Iterator[str]:
    """Run ``occode serve`` as a process of its own, on a port (0: any), and yield its address once it is ready."""
    port = port or free_port()
    command = [sys.executable, "-m", "occode", "serve", "--port", str(port), *options]
    env = {**os.environ, **(environment or {})}
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output, env=env) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            _await(address, process, log)
            yield address
        finally:
            process.terminate()
            process.wait(40)


def server_of(address: str) -> psutil.Process:
    """Return the process that was started as ``occode serve`` on this address."""
    port = str(urlsplit(address).port)
    return next(
        process
        for process in psutil.process_iter(["cmdline"])
        if "serve" in (process.info["cmdline"] or []) and port in process.info["cmdline"]
    )


def _await(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(log.read_text())
        try:
            if httpx.get(f"{address}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(log.read_text())


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a demonstration service."""
    with serving(tmp_path_factory.mktemp("service") / "log", "--demo") as address:
        yield address


def token(address: str, client_id: str = "client1", secret: str = "secret123") -> str:
    """Return an access token."""
    answer = httpx.post(f"{address}/oauth2/token", auth=(client_id, secret), data={"grant_type": "client_credentials"})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


@pytest.fixture(scope="session")
def partner(service: str) -> Iterator[httpx.Client]:
    """An HTTP client of the demonstration service with a partner's token."""
    with httpx.Client(base_url=service, headers={"Authorization": f"Bearer {token(service)}"}, timeout=30) as client:
        yield client
