"""The client itself: one method for each thing that the service does."""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import httpx2 as httpx

from occode.client.errors import BatchFailed, ServiceError, ServiceUnreachable

Phase = Literal["upload", "coding", "download"]
#: Called with what is being done, how much of it is done, and how much there is (bytes, records, bytes).
Progress = Callable[[Phase, int, int], None]
#: Records in one request (guide section 7), and tries of a request that the service limits or that gets no answer.
MOST_RECORDS = 300
TRIES = 8
PIECE = 2**20
#: Seconds before its end at which a token is renewed.
MARGIN = 60


class Client:
    """Talks to one service as one client; use it as a context manager, from one thread at a time.

    Parameters
    ----------
    url
        The service's address, e.g. ``https://coder.example``.
    client_id, client_secret
        What registration gave.
    verify
        Path of a certificate to trust instead of the system's, or True.
    """

    def __init__(self, url: str, client_id: str, client_secret: str, *, verify: str | bool = True) -> None:
        self._url = url.rstrip("/")
        self._credentials = (client_id, client_secret)
        self._http = httpx.Client(base_url=self._url, timeout=60, verify=verify)
        self._token, self._until = "", 0.0

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def topics(self) -> list[dict[str, Any]]:
        """Return the topics (guide section 6.1)."""
        found: list[dict[str, Any]] = self._call("GET", "/v1/topics")
        return found

    def models(self, topic: str) -> list[dict[str, Any]]:
        """Return a topic's models (guide section 6.3)."""
        found: list[dict[str, Any]] = self._call("GET", f"/v1/topics/{topic}/models")
        return found

    def code(
        self, title: str = "", tasks: str = "", *, topic: str = "osca", model: str | None = None, suggestions: int | None = None
    ) -> dict[str, Any]:
        """Code one record (guide section 7) and return the ``SynchronousCodeResponse``."""
        record = {name: text for name, text in (("occp_text", title), ("tasks_text", tasks)) if text}
        body = {"record": record} | ({} if suggestions is None else {"numberOfSuggestions": suggestions})
        found: dict[str, Any] = self._call("POST", _path(topic, model, "code"), json=body)
        return found

    def code_many(
        self, records: Iterable[dict[str, str]], *, topic: str = "osca", model: str | None = None, suggestions: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """Code records (``occp_text``, ``tasks_text``, ``recordId``) in requests of 300, and yield the answers in order."""
        more = {} if suggestions is None else {"numberOfSuggestions": suggestions}
        waiting = iter(records)
        while batch := list(islice(waiting, MOST_RECORDS)):
            yield from self._call("POST", _path(topic, model, "code"), json={"records": batch, **more})

    def code_batch(
        self,
        source: Path,
        target: Path,
        *,
        topic: str = "osca",
        model: str | None = None,
        progress: Progress = lambda phase, done, total: None,
        every: float = 1.0,
    ) -> dict[str, Any]:
        """Code a file of JSON lines: upload, wait, download; return the metadata (guide section 8).

        Parameters
        ----------
        source, target
            The input file and where the output goes.
        topic, model
            What to code to (None: the latest model).
        progress
            Told of every step.
        every
            Seconds between two looks at the operation.

        Raises
        ------
        BatchFailed
            The operation failed or timed out.
        ServiceError, ServiceUnreachable
        """
        operation = self._call("POST", _path(topic, model, "batch-code"))
        self._upload(source, operation, progress)
        done = self._await(_path(topic, model, "batch-code/operations/") + operation["operationId"], operation, progress, every)
        self._download(done["responseDownloadUrl"], target, progress)
        metadata: dict[str, Any] = self._send("GET", done["metadataDownloadUrl"]).json()
        return metadata

    def _upload(self, source: Path, operation: dict[str, Any], progress: Progress) -> None:
        size = source.stat().st_size
        headers = {
            "x-amz-server-side-encryption": "aws:kms",
            "x-amz-server-side-encryption-aws-kms-key-id": operation["bucketKmsKeyArn"],
            "Content-Length": str(size),
        }

        def pieces() -> Iterator[bytes]:
            sent = 0
            with source.open("rb") as file:
                while piece := file.read(PIECE):
                    yield piece
                    sent += len(piece)
                    progress("upload", sent, size)

        self._send("PUT", operation["requestUploadUrl"], content=pieces, headers=headers)

    def _await(self, path: str, operation: dict[str, Any], progress: Progress, every: float) -> dict[str, Any]:
        while True:
            found: dict[str, Any] = self._call("GET", path)
            status = found["operationStatus"]
            if status == "complete":
                return found
            if status in ("failed", "timed_out"):
                identity, reason = operation["operationId"], found.get("error", "no input came")
                raise BatchFailed(operation_id=identity, status=status, reason=reason)
            progress("coding", found.get("recordsDone", 0), found.get("recordsTotal", 0))
            time.sleep(every)

    def _download(self, url: str, target: Path, progress: Progress) -> None:
        done = 0
        with target.open("wb") as file, self._http.stream("GET", url) as answer:
            _check(answer)
            size = int(answer.headers.get("content-length", 0))
            for piece in answer.iter_bytes(PIECE):
                done += file.write(piece)
                progress("download", done, size)

    def _call(self, method: str, path: str, *, json: Any = None) -> Any:
        """Call the API with a token that is good, got anew where the service says that it is not."""
        for fresh in (False, True):
            headers = {"Authorization": f"Bearer {self._bearer(fresh=fresh)}"}
            try:
                return self._send(method, path, json=json, headers=headers).json()
            except ServiceError as error:
                if error.details["status"] != 403 or fresh:
                    raise
        raise AssertionError("unreachable")

    def _bearer(self, *, fresh: bool) -> str:
        if fresh or time.time() > self._until - MARGIN:
            form = {"grant_type": "client_credentials"}
            answer = self._send("POST", "/oauth2/token", data=form, auth=self._credentials).json()
            self._token, self._until = answer["access_token"], time.time() + answer.get("expires_in", 3600)
        return self._token

    def _send(
        self, method: str, url: str, *, content: Callable[[], Iterator[bytes]] | None = None, **options: Any
    ) -> httpx.Response:
        """Send a request, again after a while where the service limits it, is busy or does not answer."""
        reason: object = ""
        for attempt in range(TRIES):
            try:
                answer = self._http.request(method, url, content=content() if content else None, **options)
            except httpx.TransportError as error:
                reason = str(error) or type(error).__name__
                time.sleep(min(30, 0.25 * 2**attempt))
                continue
            if answer.status_code not in (429, 503):
                _check(answer)
                return answer
            reason = answer.status_code
            time.sleep(float(answer.headers.get("retry-after", min(30, 0.25 * 2**attempt))))
        raise ServiceUnreachable(url=self._url, reason=reason)


def _path(topic: str, model: str | None, what: str) -> str:
    return f"/v1/topics/{topic}/models/{model}/{what}" if model else f"/v1/topics/{topic}/{what}"


def _check(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    answer.read()
    try:
        reason = answer.json()["message"]
    except (ValueError, KeyError, TypeError):
        reason = answer.reason_phrase
    raise ServiceError(status=answer.status_code, reason=reason)
