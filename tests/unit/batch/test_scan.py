"""The scan of an upload: what is refused, and where it is cut."""

import hashlib
import json
from pathlib import Path

import pytest

from occode.batch import places
from occode.batch.scan import CHUNK_BYTES, LONGEST_LINE, RefusedInput, Scanned, scan
from occode.storage.folder import FolderStore

LINE = b'{"recordId": "1", "occp_text": "cook", "tasks_text": "cooking meals"}\n'


def _scan(folder: Path, content: bytes, most: int = 10**9) -> Scanned:
    store = FolderStore(folder, bytes(32))
    with store.writer(places.raw("a")) as target:
        target.write(content)
    return scan("a", store, None, most)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b"hello\n", "line 1 is not a JSON object"),
        (b"[1]\n", "line 1 is not a JSON object"),
        (b'{"age": "3", "occp_text": "cook"}\n', "line 1 has a field other than"),
        (b'{"recordId": "3"}\n', "line 1 has neither"),
        (LINE * 3 + b"\xff\n", "line 4 is not UTF-8"),
        (LINE + b"\xc3", "line 2 is not UTF-8"),
        (LINE + b"x" * (LONGEST_LINE + 2**18), "line 2 is longer than 1 MiB"),
        (b"x" * (LONGEST_LINE + 2**19), "line 1 is longer than 1 MiB"),
    ],
)
def test_a_file_that_is_no_json_lines_is_refused_with_its_line(tmp_path: Path, content: bytes, why: str) -> None:
    """Guide section 8.2.4."""
    with pytest.raises(RefusedInput, match=why):
        _scan(tmp_path, content)


def test_a_file_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    """Whoever wrote it."""
    with pytest.raises(RefusedInput, match="are allowed"):
        _scan(tmp_path, LINE, most=10)


@pytest.mark.parametrize("lines", [1, 2, 1000, 150_000])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_chunks_are_whole_lines_that_cover_the_file(tmp_path: Path, lines: int, end: bytes) -> None:
    """With or without a line end at the end."""
    content = LINE * lines
    content = content[:-1] + end
    found = _scan(tmp_path, content)
    assert found.lines == lines
    assert [chunk.first for chunk in found.chunks] == [0, *(chunk.last for chunk in found.chunks)][:-1]
    assert found.chunks[-1].last == len(content) == found.size
    for chunk in found.chunks:
        assert chunk.first_line == content.count(b"\n", 0, chunk.first) + 1
        assert content[chunk.first : chunk.last].rstrip(b"\n").count(b"\n") + 1 == chunk.lines
        assert chunk.last - chunk.first < 2 * CHUNK_BYTES
    assert found.sha256 == hashlib.sha256(content).hexdigest()


def test_the_fields_of_the_first_line_are_those_of_all(tmp_path: Path) -> None:
    """In any order."""
    first = json.dumps({"tasks_text": "cooking", "occp_text": "cook"}).encode()
    assert _scan(tmp_path, first).fields == ("occp_text", "tasks_text")
