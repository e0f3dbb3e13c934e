"""Fair timing: the contestants take turns, so that what disturbs the machine disturbs all of them."""

import gc
import os
from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter


def in_turns(contestants: Mapping[str, Callable[[], object]], rounds: int = 5) -> dict[str, float]:
    """Return the median seconds of each contestant over `rounds` rounds, after one that is not counted."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name, run in contestants.items():
            gc.collect()
            started = perf_counter()
            run()
            if turn:
                times[name].append(perf_counter() - started)
    return {name: median(found) for name, found in times.items()}


def on_one_core() -> None:
    """Keep this process on one core from now on."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
