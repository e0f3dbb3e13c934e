"""Prometheus metrics: requests, latency, coded and uncoded records by level, operations by state. Never a text."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Metric

    from occode.coding.record import Coding

#: Where the web processes put their counts, for one of them to add up (prometheus_client's multiprocess mode).
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2, 10)


class Metrics:
    """What a web process counts; to be made where `serving` is already entered, in this process or its parent."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram

        registry = CollectorRegistry()
        labels = ["method", "route", "status"]
        about = "Records coded, by the digits of their code; 0: no code"
        # a metric takes its time to find the child of some labels: each is looked for once
        self._requests = cache(Counter("occode_requests", "Requests answered", labels, registry=registry).labels)
        seconds = Histogram("occode_request_seconds", "Time to answer", ["route"], registry=registry, buckets=BUCKETS)
        self._seconds = cache(seconds.labels)
        self._records = cache(Counter("occode_records", about, ["topic", "digits"], registry=registry).labels)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; `route` is the path with its parameters unfilled."""
        self._requests(method, route, str(status)).inc()
        self._seconds(route).observe(seconds)

    def codings(self, topic: str, codings: "list[Coding]") -> None:
        """Count what the records of a request were coded to."""
        counts: dict[int, int] = {}
        for coding in codings:
            digits = len(coding.result.code) if coding.result else 0
            counts[digits] = counts.get(digits, 0) + 1
        for digits, count in counts.items():
            self._records(topic, str(digits)).inc(count)


class _Operations:
    """Asks how many operations are in each state whenever the metrics are read."""

    def __init__(self, look: Callable[[], Mapping[str, int]]) -> None:
        self._look = look

    def collect(self) -> "Iterator[Metric]":
        from prometheus_client.core import GaugeMetricFamily

        found = GaugeMetricFamily("occode_operations", "Batch operations by state", labels=["state"])
        for state, count in self._look().items():
            found.add_metric([state], count)
        yield found


@contextmanager
def serving(port: int, host: str, look: Callable[[], Mapping[str, int]]) -> Iterator[None]:
    """Serve the sums of all web processes on a port of their own, until the context ends.

    To be entered before a web process counts anything. `look` tells how many operations are in each state.

    Raises
    ------
    OSError
        The port is taken.
    """
    with tempfile.TemporaryDirectory(prefix="occode-metrics-") as folder:
        os.environ[FOLDER] = folder
        from prometheus_client import CollectorRegistry, start_http_server
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = CollectorRegistry()
        MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
        registry.register(_Operations(look))
        server, thread = start_http_server(port, host, registry)
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
            del os.environ[FOLDER]
