"""The scan: raw input is checked, hashed, split at line ends, and copied to where coding may read it."""

import codecs
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from occode.batch import places
from occode.batch.ports import Chunk, ObjectStore, Scanner
from occode.coding.lines import RECORD_ID, TASKS, TITLE
from occode.errors import OccodeError

#: Bytes of a chunk: some 40,000 lines, about a second's work.
CHUNK_BYTES = 4 * 2**20
#: No line is longer than this; a record is far shorter.
LONGEST_LINE = 2**20
KNOWN_FIELDS = {TITLE, TASKS, RECORD_ID}


class RefusedInput(OccodeError):
    """The input file cannot be coded: {why}."""


@dataclass(frozen=True)
class Scanned:
    """What the scan found: the chunks, the fields that every line must have, and the file's SHA-256 and size."""

    chunks: list[Chunk]
    fields: tuple[str, ...]
    sha256: str
    size: int

    @property
    def lines(self) -> int:
        """The number of records."""
        return sum(chunk.lines for chunk in self.chunks)


def scan(operation_id: str, store: ObjectStore, scanner: Scanner | None, most_bytes: int) -> Scanned:
    """Check an operation's raw input and copy it to the scanned place; running it again does no harm.

    Raises
    ------
    RefusedInput
        The file is empty, too large, not UTF-8, not JSON lines, has a line over 1 MiB, or malware in it.
    StoreUnavailable, ScannerUnavailable
        To be tried again.
    """
    size = store.size(places.raw(operation_id)) or 0
    if size > most_bytes:
        raise RefusedInput(why=f"it has {size} bytes, and {most_bytes} are allowed")
    if scanner:
        found = scanner.scan(store.stream(places.raw(operation_id)))
        if found:
            raise RefusedInput(why=f"the malware scan found {found}")
    pass_ = _Pass(operation_id)
    with store.writer(places.scanned(operation_id)) as target:
        for piece in store.stream(places.raw(operation_id)):
            pass_.take(piece)
            target.write(piece)
        pass_.end()
    return Scanned(pass_.chunks, pass_.fields, pass_.hash.hexdigest(), pass_.position)


class _Pass:
    """One pass over the bytes of a file."""

    def __init__(self, operation_id: str) -> None:
        self.operation_id = operation_id
        self.hash = hashlib.sha256()
        self.chunks: list[Chunk] = []
        self.fields: tuple[str, ...] = ()
        self.position = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._head = b""
        self._chunk_first = self._line_first = 0
        self._lines = self._chunk_lines = 0

    def take(self, piece: bytes) -> None:
        self.hash.update(piece)
        try:
            self._decoder.decode(piece)
        except UnicodeDecodeError as error:
            line = self._lines + piece[: error.start].count(b"\n") + 1
            raise RefusedInput(why=f"line {line} is not UTF-8") from error
        if not self.fields:
            self._read_first(piece)
        for first, last in _windows(len(piece)):
            self._window(piece, first, last)

    def end(self) -> None:
        try:
            self._decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            raise RefusedInput(why=f"line {self._lines + 1} is not UTF-8") from error
        if self.position == 0:
            raise RefusedInput(why="it is empty")
        if not self.fields:
            self.fields = _fields_of(self._head)
        if self._line_first < self.position:
            self._lines += 1
            self._chunk_lines += 1
        self._cut(self.position)

    def _read_first(self, piece: bytes) -> None:
        self._head += piece
        line, end, _ = self._head.partition(b"\n")
        if end:
            self.fields = _fields_of(line)
        elif len(self._head) > LONGEST_LINE:
            raise RefusedInput(why="line 1 is longer than 1 MiB")

    def _window(self, piece: bytes, first: int, last: int) -> None:
        """Count the lines of a window of a piece, and end the chunk at its last line end where it is large enough."""
        count, end = piece.count(b"\n", first, last), piece.rfind(b"\n", first, last)
        start = self.position
        self.position += last - first
        self._lines += count
        self._chunk_lines += count
        if end >= 0:
            self._line_first = start + end - first + 1
        if self.position - self._line_first > LONGEST_LINE:
            raise RefusedInput(why=f"line {self._lines + 1} is longer than 1 MiB")
        if self._line_first - self._chunk_first >= CHUNK_BYTES:
            self._cut(self._line_first)

    def _cut(self, last: int) -> None:
        if self._chunk_lines:
            first_line = self._lines - self._chunk_lines + 1
            number = len(self.chunks)
            self.chunks.append(Chunk(self.operation_id, number, self._chunk_first, last, first_line, self._chunk_lines))
        self._chunk_first, self._chunk_lines = last, 0


def _windows(size: int) -> Iterator[tuple[int, int]]:
    step = 2**18
    return ((first, min(size, first + step)) for first in range(0, size, step))


def _fields_of(line: bytes) -> tuple[str, ...]:
    """Return the fields of the first line, which all others must have too."""
    try:
        found = msgspec.json.decode(line)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise RefusedInput(why="line 1 is not a JSON object") from error
    if not isinstance(found, dict):
        raise RefusedInput(why="line 1 is not a JSON object")
    unknown = sorted(found.keys() - KNOWN_FIELDS)
    if unknown:
        raise RefusedInput(why=f"line 1 has a field other than {', '.join(sorted(KNOWN_FIELDS))}")
    if not found.keys() & {TITLE, TASKS}:
        raise RefusedInput(why=f"line 1 has neither {TITLE} nor {TASKS}")
    return tuple(sorted(found))
