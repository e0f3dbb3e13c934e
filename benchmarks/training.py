"""Training both topics from the full corpus, and one topic with a million made-up labelled rows."""

import csv
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from rich.console import Console

from benchmarks.data import many
from occode.coding.coder import Coder

ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
#: Different answers among the frequent ones.
FREQUENT = 20_000


def run(console: Console) -> None:
    """Print the times, and the memory at its most."""
    with tempfile.TemporaryDirectory() as name:
        seconds, peak = _train(name, "--topic", "osca", "--topic", "anzsco")
        console.print(f"training both topics: {seconds:.0f} s, at most {peak:,.0f} MiB")
        path = Path(name, "rows.csv")
        _write(path)
        seconds, peak = _train(name, "--topic", "osca", "--data", str(path))
        console.print(f"training osca with {ROWS:,} made-up labelled rows: {seconds / 60:.1f} min, at most {peak:,.0f} MiB")


def _write(path: Path) -> None:
    """Write rows as a census has them: half are frequent answers, each with one of a few additions; half stand only once."""
    chance = random.Random(4)
    coder = Coder.load("osca")
    once = many(max(FREQUENT, ROWS // 2 + 1))
    codings = coder.code_many(once, min_confidence=0)
    coded = [(record, coding.result.code) for record, coding in zip(once, codings, strict=True) if coding.result]
    extra = ["senior", "part time", "casual", "own business", "night shift", "perth", "qld", "team", "at home", "2nd year"]
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["title", "tasks", "code"])
        for row in range(ROWS):
            frequent = row % 2 == 0
            record, code = coded[min(int(chance.paretovariate(0.4)) - 1, FREQUENT - 1) if frequent else row // 2 % len(coded)]
            title = f"{record.title} {chance.choice(extra)}" if frequent else record.title
            rows.writerow([title[:50], record.tasks[:48], code])


def _train(folder: str, *options: str) -> tuple[float, float]:
    """Return the seconds and the MiB of a training in a data folder of its own, as the system counted them."""
    command = [sys.executable, "-m", "occode", "train", *options, "--data-dir", folder]
    started = perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{command} failed")
    return perf_counter() - started, usage.ru_maxrss / 1024
