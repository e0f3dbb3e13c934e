"""How long things take to start, and how much memory and disk they take."""

import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import psutil
from rich.console import Console
from rich.table import Table

from occode.classification import Catalogue
from occode.coding.registry import Registry
from occode.places import default_data_dir

LOAD = """
from time import perf_counter
from occode import Coder
started = perf_counter()
coders = [Coder.load(topic) for topic in {topics!r}]
print(perf_counter() - started)
for coder in coders:
    coder.code("clerk")
input()
"""


def run(console: Console) -> None:
    """Print the figures, each the median of five."""
    table = Table("what", "figure", title="start, memory, disk")
    helps = [_seconds([sys.executable, "-m", "occode", "--help"]) for _ in range(6)][1:]
    bare = [_seconds([sys.executable, "-c", "pass"]) for _ in range(6)][1:]
    table.add_row("occode --help", f"{median(helps):.2f} s ({median(helps) / median(bare):.0f} x python -c pass)")
    for topics in (["osca"], ["anzsco"], ["osca", "anzsco"]):
        seconds, megabytes = zip(*[_load(topics) for _ in range(5)], strict=True)
        table.add_row(f"load {' and '.join(topics)}", f"{median(seconds):.2f} s, {median(megabytes):.0f} MiB resident")
    registry = Registry(default_data_dir() / "models", Catalogue())
    for topic in ("osca", "anzsco"):
        folder = registry.path(topic, registry.latest(topic).model_id)
        size = sum(file.stat().st_size for file in folder.iterdir())
        table.add_row(f"artefact {topic}", f"{size / 2**20:.1f} MiB")
    console.print(table)


def _seconds(command: list[str]) -> float:
    started = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - started


def _load(topics: list[str]) -> tuple[float, float]:
    command = [sys.executable, "-c", LOAD.format(topics=topics)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()) as process:
        assert process.stdout is not None
        seconds = float(process.stdout.readline())
        while psutil.Process(process.pid).cpu_percent(0.2) > 20:
            pass
        resident = psutil.Process(process.pid).memory_info().rss / 2**20
        process.communicate("\n")
    return seconds, resident
