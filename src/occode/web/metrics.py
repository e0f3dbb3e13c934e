"""Prometheus metrics: requests, latency, coded and uncoded records by level, operations by state. Never a text."""

import threading
from collections.abc import Callable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from occode.batch.operations import State
from occode.coding.record import Coding

registry = CollectorRegistry()
requests = Counter("occode_requests_total", "Requests", ["method", "route", "status"], registry=registry)
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2, 10)
latency = Histogram("occode_request_seconds", "Time to answer", ["route"], registry=registry, buckets=BUCKETS)
records = Counter("occode_records_total", "Records by digits of their code, 0: none", ["topic", "digits"], registry=registry)
operations = Gauge("occode_operations", "Batch operations by state", ["state"], registry=registry)


def count_codings(topic: str, codings: list[Coding]) -> None:
    """Count what a request was answered."""
    for coding in codings:
        records.labels(topic, str(len(coding.result.code) if coding.result else 0)).inc()


def serve(port: int, host: str, look: Callable[[], dict[str, int]]) -> threading.Thread:
    """Serve the metrics on a port of their own; `look` tells how many operations are in each state when they are asked for."""
    _server, thread = start_http_server(port, host, registry)
    for state in State:
        operations.labels(state).set_function(partial(_count, look, state))
    return thread


def _count(look: Callable[[], dict[str, int]], state: str) -> int:
    return look().get(state, 0)
