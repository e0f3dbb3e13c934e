"""Engines: the same in a pool of processes and on a real Ray."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import wait
from functools import partial
from pathlib import Path

import pytest

from occode.batch.engines import LocalEngine, RayEngine, RayUnreachable
from occode.batch.ports import Chunk, Engine, Job, Result

JOBS = [Job(Chunk("a", number, 0, 1, 1, 1), "osca", "model", ("occp_text",), 1) for number in range(6)]


def run(folder: str, job: Job) -> Result:
    """Code nothing: fail on chunk 3, die on chunk 4 the first time, else count."""
    if job.chunk.number == 3:
        raise ValueError("chunk 3")
    if job.chunk.number == 4:
        mark = Path(folder) / "died"
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return Result({6: job.chunk.number})


@pytest.fixture(params=["local", "ray"])
def engine(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Each engine with two processes."""
    if request.param == "local":
        found: Engine = LocalEngine(partial(run, str(tmp_path)), 2)
    else:
        monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        found = RayEngine(partial(run, str(tmp_path)), "local")
    yield found
    found.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Ray leaves sockets to the collector
def test_chunks_come_back_fail_or_are_lost_and_the_engine_goes_on(engine: Engine) -> None:
    """A failure is the future's; a killed process is one too, and the next chunk finds another process."""
    assert engine.capacity >= 1
    good = [engine.submit(job) for job in JOBS[:3]]
    assert [future.result(120).by_level for future in good] == [{6: 0}, {6: 1}, {6: 2}]
    with pytest.raises(ValueError, match="chunk 3"):
        engine.submit(JOBS[3]).result(120)
    lost = engine.submit(JOBS[4])
    wait([lost], 120)
    assert lost.exception() is not None
    assert engine.submit(JOBS[4]).result(120).by_level == {6: 4}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_unreachable_cluster_is_told_with_its_address() -> None:
    """In one line."""
    with pytest.raises(RayUnreachable, match=r"ray://127\.0\.0\.1:1 "):
        RayEngine(partial(run, ""), "ray://127.0.0.1:1")
