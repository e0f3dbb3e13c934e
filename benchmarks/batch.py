"""A batch of a million distinct records through a local service, from the end of the upload to complete."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, sleep

import httpx2 as httpx
import psutil
from rich.console import Console

from benchmarks.data import many
from occode.coding.coder import Coder
from occode.coding.record import Record
from occode.coding.reference import probabilities
from tests.conftest import serving, token

RECORDS = int(os.environ.get("BENCH_RECORDS", "1000000"))
BATCH = "/v1/topics/osca/batch-code"


def run(console: Console) -> None:
    """Print records a second, the multiple of single-process coding with the reference, and the memory at its most."""
    base = many(20_000)
    with tempfile.TemporaryDirectory() as name, serving(Path(name, "log"), "--demo") as address:
        path = Path(name, "input.jsonl")
        with path.open("wb") as file:
            file.writelines(_lines(base, RECORDS))
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token(address)}"}, timeout=600) as client:
            seconds, peak = _code(client, path)
        size = path.stat().st_size
    slow = _reference(base[:100])
    console.print(
        f"batch of {RECORDS:,} distinct records ({size / 1e6:,.0f} MB): {seconds:.1f} s from upload to complete, "
        f"{RECORDS / seconds:,.0f} records/s, {RECORDS / seconds / slow:,.0f} x the reference in one process ({slow:,.0f}/s); "
        f"most memory of a process {peak / 2**20:,.0f} MiB"
    )


def _lines(base: list[Record], count: int) -> Iterator[bytes]:
    """Yield distinct records: each text of the base with a number of its own."""
    for i in range(count):
        title, tasks = base[i % len(base)]
        yield json.dumps({"recordId": str(i), "occp_text": f"{title} {i // len(base)}", "tasks_text": tasks}).encode() + b"\n"


def _code(client: httpx.Client, path: Path) -> tuple[float, float]:
    created = client.post(BATCH).json()
    headers = {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": created["bucketKmsKeyArn"]}
    with path.open("rb") as file:
        httpx.put(created["requestUploadUrl"], content=file, headers=headers, timeout=600).raise_for_status()
    started, peak = perf_counter(), 0.0
    while True:
        status = client.get(f"{BATCH}/operations/{created['operationId']}").json()["operationStatus"]
        peak = max(peak, _largest())
        if status not in ("awaiting_input", "in_progress"):
            assert status == "complete", status
            return perf_counter() - started, peak
        sleep(0.2)


def _largest() -> float:
    sizes = [0.0]
    for process in psutil.Process().children(recursive=True):
        try:
            sizes.append(process.memory_info().rss)
        except psutil.NoSuchProcess:
            continue
    return max(sizes)


def _reference(records: list[Record]) -> float:
    coder = Coder.load("osca")
    started = perf_counter()
    for record in records:
        probabilities(coder.model.arrays, coder.tree, record)
    return len(records) / (perf_counter() - started)
