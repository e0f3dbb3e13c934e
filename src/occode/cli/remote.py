"""``occode code FILE --url``: the same file, coded by a service as a batch."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import msgspec
from rich.progress import Progress, TaskID

from occode.client import Client
from occode.coding.lines import AsynchronousCodeResponse
from occode.coding.record import Record
from occode.errors import OccodeError


class NoCredentials(OccodeError):
    """A service needs credentials: set OCCODE_CLIENT_ID and OCCODE_CLIENT_SECRET."""


class RemoteBatch:
    """Records sent as one batch; its answers come back in order.

    Parameters
    ----------
    url, credentials
        The service, and the client id and secret for it.
    topic, model
        What to code to.
    bar
        Shows upload, coding and download.
    stack
        Keeps the files for as long as they are needed.
    """

    def __init__(
        self, url: str, credentials: tuple[str, str], topic: str, model: str | None, bar: Progress, stack: ExitStack
    ) -> None:
        if not all(credentials):
            raise NoCredentials
        self._client = stack.enter_context(Client(url, *credentials))
        self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="occode-")))
        self._topic, self._model, self._bar = topic, model, bar
        self._tasks: dict[str, TaskID] = {}

    def code(self, records: Iterable[tuple[str, Record, str]]) -> Iterator[AsynchronousCodeResponse]:
        """Code records (id, text, what was wrong with the row) and yield the answers in order."""
        source, target = self._folder / "input.jsonl", self._folder / "output.jsonl"
        encode = msgspec.json.Encoder().encode_lines
        errors: dict[int, str] = {}
        rows = (_line(number, *record, errors) for number, record in enumerate(records))
        with source.open("wb") as file:
            while some := list(islice(rows, 10_000)):
                file.write(encode(some))
        self._client.code_batch(source, target, topic=self._topic, model=self._model, progress=self._show)
        with target.open("rb") as file:
            for number, line in enumerate(file):
                found = msgspec.json.decode(line, type=AsynchronousCodeResponse)
                yield AsynchronousCodeResponse(found.recordId, error=errors[number]) if number in errors else found

    def _show(self, phase: str, done: int, total: int) -> None:
        if phase not in self._tasks:
            self._tasks[phase] = self._bar.add_task(phase, total=total or None, rate="")
        self._bar.update(self._tasks[phase], completed=done, total=total or None)


def _line(number: int, record_id: str, record: Record, error: str, errors: dict[int, str]) -> dict[str, str]:
    if error:
        errors[number] = error
    return {"recordId": record_id, "occp_text": record.title, "tasks_text": record.tasks}
