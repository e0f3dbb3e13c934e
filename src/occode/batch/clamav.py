"""ClamAV over its INSTREAM protocol (clamd(8)), in windows that overlap, because clamd stops looking at a limit of its own."""

import socket
from collections.abc import Iterable, Iterator

from occode.batch.ports import ScannerUnavailable

#: Below clamd's smallest default of StreamMaxLength; a signature that straddles two windows is whole in one of them.
WINDOW = 16 * 2**20
OVERLAP = 2**20
SECONDS = 120.0


class ClamAV:
    """Implements `occode.batch.ports.Scanner` with a clamd that listens on TCP."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)

    def scan(self, pieces: Iterable[bytes]) -> str | None:
        """Return the name of what was found; anything but a plain OK of clamd is no all-clear."""
        for window in _windows(pieces):
            found = self._scan(window)
            if found:
                return found
        return None

    def _scan(self, window: bytes) -> str | None:
        try:
            with socket.create_connection(self._address, SECONDS) as connection:
                connection.sendall(b"zINSTREAM\0")
                for first in range(0, len(window), 2**18):
                    piece = window[first : first + 2**18]
                    connection.sendall(len(piece).to_bytes(4, "big") + piece)
                connection.sendall(bytes(4))
                answer = b"".join(iter(lambda: connection.recv(4096), b""))
        except OSError as error:
            raise ScannerUnavailable(reason=error.strerror or error) from error
        text = answer.rstrip(b"\0\n").decode("ascii", "replace")
        if text == "stream: OK":
            return None
        if text.endswith(" FOUND"):
            return text.removeprefix("stream: ").removesuffix(" FOUND")
        raise ScannerUnavailable(reason=text or "it gave no answer")


def _windows(pieces: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) > WINDOW:
            yield bytes(waiting[:WINDOW])
            del waiting[: WINDOW - OVERLAP]
    yield bytes(waiting)
