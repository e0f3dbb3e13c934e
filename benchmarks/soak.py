"""Mixed load for minutes at a share of what the service can do: errors, latency and memory. Run by name: not one of all."""

import os
import tempfile
import threading
from collections import Counter
from pathlib import Path
from statistics import quantiles
from time import perf_counter, sleep

import httpx2 as httpx
from rich.console import Console

from benchmarks.data import many
from tests.conftest import server_of, serving, token

SECONDS = float(os.environ.get("BENCH_SECONDS", "600"))
SHARE = 0.8
CLIENTS = 8
CODE = "/v1/topics/{topic}/code"


class _Load:
    """Clients that each ask again and again; `pause` is what each waits between two requests."""

    def __init__(self, address: str) -> None:
        self._address, self._bearer = address, token(address)
        self._records = [{"occp_text": title, "tasks_text": tasks} for title, tasks in many(3000)]
        self.statuses: Counter[int] = Counter()
        self.times: list[float] = []

    def run(self, seconds: float, pause: float) -> float:
        """Return the requests a second."""
        self.statuses.clear()
        self.times.clear()
        until = perf_counter() + seconds
        threads = [threading.Thread(target=self._client, args=(number, until, pause)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.statuses.total() / seconds

    def _client(self, number: int, until: float, pause: float) -> None:
        with httpx.Client(base_url=self._address, headers={"Authorization": f"Bearer {self._bearer}"}, timeout=30) as client:
            while perf_counter() < until:
                started = perf_counter()
                self.statuses[self._ask(client, number)] += 1
                self.times.append(perf_counter() - started)
                number += CLIENTS
                sleep(pause)

    def _ask(self, client: httpx.Client, number: int) -> int:
        at = number % 2700
        if number % 20 == 0:
            return client.get("/v1/topics/osca/models").status_code
        if number % 20 == 1:
            body = {"records": self._records[at : at + 50], "numberOfSuggestions": 3}
        else:
            body = {"record": self._records[at]}
        return client.post(CODE.format(topic=("osca", "anzsco")[number % 2]), json=body).status_code


def run(console: Console) -> None:
    """Print errors, latency and the memory before and after."""
    with tempfile.TemporaryDirectory() as name, serving(Path(name, "log"), "--demo", "--no-worker") as address:
        load, server = _Load(address), server_of(address)
        load.run(10, 0)  # until it is warm, it is slower than it can be
        most = load.run(10, 0)
        pause = CLIENTS / most * (1 / SHARE - 1)
        load.run(10, pause)
        before = server.memory_info().rss
        rate = load.run(SECONDS, pause)
        after = server.memory_info().rss
        cuts = quantiles(load.times, n=100)
        console.print(
            f"mixed load for {SECONDS:.0f} s at {rate:,.0f} requests/s ({rate / most:.0%} of the most that {CLIENTS} clients get): "
            f"statuses {dict(load.statuses)}, median {1000 * cuts[49]:.1f} ms, p99 {1000 * cuts[98]:.1f} ms, "
            f"memory {before / 2**20:.0f} to {after / 2**20:.0f} MiB"
        )
