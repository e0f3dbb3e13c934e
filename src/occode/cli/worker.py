"""``occode worker``: a batch worker of its own, and the one that ``occode serve`` has beside it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from occode.cli.options import DataDir, err, settings_from

if TYPE_CHECKING:
    from occode.batch.worker import Worker
    from occode.settings import Settings

#: Seconds before a worker that ended by itself is started again, and that one has to finish its chunks when told to stop.
AGAIN_SECONDS = 1
GRACE_SECONDS = 60


def worker(
    embedded: Annotated[bool, typer.Option("--embedded", hidden=True, help="End when standard input does.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Code batches until told to stop (SIGINT, SIGTERM); chunks at work are finished, the rest is left to others."""
    from occode.logs import configure
    from occode.wiring import worker as make

    settings = settings_from(data_dir)
    configure(settings.log_level, settings.log_format)
    if settings.scanner == "none":
        err.print("Uploads are not scanned for malware; set OCCODE_SCANNER to clamd://host:port.")
    made = make(settings)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: made.stop())
    if embedded:
        threading.Thread(target=_stop_with_input, args=(made,), daemon=True).start()
    made.run()
    made.close()


def _stop_with_input(made: "Worker") -> None:
    """Stop when the process at the other end of standard input is gone, however it went."""
    while os.read(0, 4096):  # not through sys.stdin, whose lock would be held when the process ends
        pass
    made.stop()


@contextmanager
def embedded(settings: "Settings") -> Iterator[None]:
    """Run a worker in a process of its own, and start it again should it end, until the context does."""
    from occode.settings import as_environment

    environment = {**os.environ, **as_environment(settings)}
    over = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "occode", "worker", "--embedded"]
        return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603  # our own

    def keep() -> None:
        while not over.is_set():
            process = start()
            running[:] = [process]
            process.wait()
            over.wait(AGAIN_SECONDS)

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        for process in running:
            process.terminate()
        keeper.join(GRACE_SECONDS)
