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
    """Write rows as a census has them: the frequent texts often, many that stand once."""
    chance = random.Random(4)
    coder = Coder.load("osca")
    texts = many(20_000)
    codes = [coding.result.code for coding in coder.code_many(texts, min_confidence=0) if coding.result]
    extra = ["senior", "part time", "casual", "own business", "night shift", "perth", "qld", "team", "at home", "2nd year"]
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["title", "tasks", "code"])
        for _ in range(ROWS):
            i = min(int(chance.paretovariate(0.4)) - 1, len(texts) - 1) if chance.random() < 0.5 else chance.randrange(len(texts))
            rows.writerow([f"{texts[i].title} {chance.choice(extra)}"[:50], texts[i].tasks[:48], codes[i]])


def _train(folder: str, *options: str) -> tuple[float, float]:
    """Return the seconds and the MiB of a training in a data folder of its own, as the system counted them."""
    command = [sys.executable, "-m", "occode", "train", *options, "--data-dir", folder]
    started = perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{command} failed")
    return perf_counter() - started, usage.ru_maxrss / 1024
