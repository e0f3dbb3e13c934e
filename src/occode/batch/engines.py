"""Engines: a pool of processes on this machine, or a Ray cluster. They only run a chunk somewhere; the ledger is the truth."""

import multiprocessing
import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any
from urllib.parse import urlsplit

from occode.batch.ports import Job, Result
from occode.errors import OccodeError

Run = Callable[[Job], Result]


class RayMissing(OccodeError):
    """Ray is not installed; install occode[ray]."""


class RayUnreachable(OccodeError):
    """The Ray cluster {address} cannot be used: {reason}."""


class LocalEngine:
    """Runs chunks in processes of this machine; a process that dies takes its pool with it, and a new pool is made.

    Parameters
    ----------
    run
        What codes a chunk; it is pickled.
    processes
        How many; 0 for one a core.
    """

    def __init__(self, run: Run, processes: int = 0) -> None:
        self.capacity = processes or os.cpu_count() or 1
        self._run = run
        self._lock = threading.Lock()
        self._pool = self._new()

    def submit(self, job: Job) -> "Future[Result]":
        """Have a chunk coded."""
        with self._lock:
            try:
                return self._pool.submit(self._run, job)
            except BrokenProcessPool:
                self._pool.shutdown(wait=False)
                self._pool = self._new()
                return self._pool.submit(self._run, job)

    def close(self) -> None:
        """Stop the processes once their chunks are done."""
        self._pool.shutdown()

    def _new(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self.capacity, mp_context=context, initializer=_end_with_parent)


class RayEngine:
    """Runs chunks on a Ray cluster, whose machines have this package and reach the same store and models.

    Parameters
    ----------
    run
        What codes a chunk; it is pickled.
    address
        Of the cluster: ``ray://head:10001``, or ``local`` for one made here.
    """

    def __init__(self, run: Run, address: str) -> None:
        try:
            import ray
        except ImportError as error:
            raise RayMissing from error
        self._ray: Any = ray
        try:
            _check_answers(address)
            if not ray.is_initialized():
                ray.init(address=address, log_to_driver=False, configure_logging=False)
            self.capacity = max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        except Exception as error:
            raise RayUnreachable(address=address, reason=str(error).partition("\n")[0]) from error

        def task(job: Job) -> Result:
            return run(job)

        self._task = ray.remote(num_cpus=1, max_retries=0)(task)

    def submit(self, job: Job) -> "Future[Result]":
        """Have a chunk coded."""
        future: Future[Result] = self._task.remote(job).future()
        return future

    def close(self) -> None:
        """Leave the cluster."""
        self._ray.shutdown()


def _check_answers(address: str) -> None:
    """Raise `OSError` where nobody answers at a cluster's address: Ray itself would wait for minutes."""
    found = urlsplit(address)
    if found.hostname and found.port:
        socket.create_connection((found.hostname, found.port), timeout=5).close()


def _end_with_parent() -> None:
    """End this process when the one that made it is gone: a worker that is killed leaves nobody behind."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
