"""Files of records as the command line reads and writes them: CSV, TSV, JSONL, XLSX, Parquet, row by row, columns kept."""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from occode.errors import OccodeError

STDIN = Path("-")
FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".xlsx": "xlsx",
    ".parquet": "parquet",
}


class FileUnreadable(OccodeError):
    """The file {path} cannot be read: {reason}."""


class FileUnwritable(OccodeError):
    """The file {path} cannot be written: {reason}."""


class UnknownFormat(OccodeError):
    """The format of {path} is not known; the name ends in .csv, .tsv, .jsonl, .xlsx or .parquet."""


@dataclass
class Row:
    """One row: its values by column, and what was wrong with it where it could not be read whole."""

    values: dict[str, Any]
    error: str = ""


@dataclass
class Source:
    """An open input: `columns` (empty where every row has its own), its rows, and how far it has been read."""

    format: str
    columns: list[str]
    rows: Iterator[Row]
    size: int
    position: Callable[[], int]


def format_of(path: Path) -> str:
    """Return csv, tsv, jsonl, xlsx or parquet by a file's ending, or raise `UnknownFormat`."""
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        raise UnknownFormat(path=path) from None


def open_source(path: Path, stack: ExitStack) -> Source:
    """Open a file of records, or standard input (``-``: JSONL where it starts with a brace, else CSV).

    Raises
    ------
    FileUnreadable, UnknownFormat
    """
    try:
        if path == STDIN:
            start = cast(io.BufferedReader, sys.stdin.buffer).peek(1)[:1]
            return _text("jsonl" if start == b"{" else "csv", path, sys.stdin.buffer, 0)
        kind = format_of(path)
        if kind in ("xlsx", "parquet"):
            return _frame(kind, path)
        return _text(kind, path, stack.enter_context(path.open("rb")), path.stat().st_size)
    except OSError as error:
        raise FileUnreadable(path=path, reason=error.strerror or error) from error


def _text(kind: str, path: Path, raw: IO[bytes], size: int) -> Source:
    lines = _Lines(path, raw)
    if kind == "jsonl":
        return Source(kind, [], (_json_row(line) for line in lines if line.strip()), size, lines.position)
    rows = csv.reader(lines, delimiter="\t" if kind == "tsv" else ",")
    try:
        header = next(rows, None)
    except csv.Error as error:
        raise FileUnreadable(path=path, reason=error) from error
    if not header or not any(name.strip() for name in header):
        raise FileUnreadable(path=path, reason="it has no header line")
    return Source(kind, header, _csv_rows(rows, header), size, lines.position)


class _Lines:
    """The lines of a UTF-8 file (with or without a mark), and how many bytes of it are read."""

    def __init__(self, path: Path, raw: IO[bytes]) -> None:
        self._path, self._raw, self._read = path, raw, 0

    def position(self) -> int:
        return self._read

    def __iter__(self) -> Iterator[str]:
        for number, line in enumerate(self._raw):
            self._read += len(line)
            try:
                yield line.decode("utf-8-sig" if number == 0 else "utf-8")
            except UnicodeDecodeError:
                yield line.decode("cp1252", "replace")


def _csv_rows(rows: Iterator[list[str]], header: list[str]) -> Iterator[Row]:
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(dict.fromkeys(header, ""), f"the row cannot be read: {error}")
            continue
        if not row:
            continue
        values = dict(zip(header, row + [""] * (len(header) - len(row)), strict=False))
        ragged = "" if len(row) == len(header) else f"the row has {len(row)} fields, the header {len(header)}"
        yield Row(values, ragged)


def _json_row(line: str) -> Row:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return Row({}, "the line is not a JSON object")
    return Row(found) if isinstance(found, dict) else Row({}, "the line is not a JSON object")


def _frame(kind: str, path: Path) -> Source:
    import polars as pl

    try:
        frame = pl.read_excel(path, infer_schema_length=0) if kind == "xlsx" else pl.read_parquet(path)
    except OSError:
        raise
    except Exception as error:
        raise FileUnreadable(path=path, reason=str(error).partition("\n")[0]) from error
    done = 0

    def rows() -> Iterator[Row]:
        nonlocal done
        for values in frame.iter_rows(named=True):
            done += 1
            yield Row(values)

    return Source(kind, frame.columns, rows(), frame.height, lambda: done)


class Sink:
    """An output that takes rows as they come; XLSX and Parquet are written at the end."""

    def __init__(self, path: Path, kind: str, columns: list[str], stack: ExitStack) -> None:
        self._path, self.kind, self._columns = path, kind, columns
        self._kept: list[dict[str, Any]] = []
        try:
            self._file: IO[str] | None = self._open(stack) if kind in ("csv", "tsv", "jsonl") else None
        except OSError as error:
            raise FileUnwritable(path=path, reason=error.strerror or error) from error
        if kind in ("csv", "tsv"):
            delimiter = "\t" if kind == "tsv" else ","
            self._csv = csv.DictWriter(self._file or sys.stdout, columns, delimiter=delimiter, lineterminator="\n")
            self._csv.writeheader()

    def _open(self, stack: ExitStack) -> IO[str]:
        if self._path == STDIN:
            return sys.stdout
        return stack.enter_context(self._path.open("w", encoding="utf-8", newline=""))

    def write(self, rows: Iterable[dict[str, Any]]) -> None:
        """Add rows to a CSV or TSV file, or keep them for `close`."""
        if self._file:
            self._csv.writerows(rows)
        else:
            self._kept += rows

    def write_lines(self, lines: bytes) -> None:
        """Add lines to a JSONL file."""
        if self._file:
            self._file.write(lines.decode())

    def close(self) -> None:
        """Write what was kept."""
        if self._file:
            self._file.flush()
            return
        import polars as pl

        frame = pl.DataFrame({name: [row[name] for row in self._kept] for name in self._columns}, strict=False)
        try:
            if self.kind == "xlsx":
                frame.write_excel(self._path)
            else:
                frame.write_parquet(self._path)
        except Exception as error:
            raise FileUnwritable(path=self._path, reason=str(error).partition("\n")[0]) from error
