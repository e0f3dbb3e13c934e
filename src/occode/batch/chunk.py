"""One chunk: read from the scanned place, coded, written to its part; the same chunk always gives the same bytes."""

from collections.abc import Sequence

import msgspec

from occode.batch import places
from occode.batch.ports import Job, ObjectStore, Result
from occode.coding.coder import Coder
from occode.coding.lines import code_lines


def code_chunk(job: Job, coder: Coder, store: ObjectStore) -> Result:
    """Code a chunk, one answer a line.

    A chunk with a line of other fields is not coded: the result names the line, and the operation fails.
    """
    chunk = job.chunk
    content = store.read(places.scanned(chunk.operation_id), chunk.first, chunk.last)
    lines = [line.rstrip(b"\r") for line in content.split(b"\n")]
    if content.endswith(b"\n"):
        lines.pop()
    broken, mixed = _check(lines, job.fields)
    broken_line = chunk.first_line + broken[0] if broken else None
    if mixed is not None:
        return Result(mixed_line=chunk.first_line + mixed)
    coded, counts = code_lines(coder, lines)
    with store.writer(places.part(chunk.operation_id, chunk.number)) as target:
        target.write(coded)
    return Result(counts.by_level, counts.unsuccessful, counts.errors, len(broken), broken_line)


def _check(lines: Sequence[bytes], fields: tuple[str, ...]) -> tuple[list[int], int | None]:
    """Return the places of the lines that are no JSON object, and of the first with other fields than the file's."""
    decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
    wanted = set(fields)
    broken = []
    for place, line in enumerate(lines):
        try:
            found = decode(line)
        except (msgspec.MsgspecError, RecursionError):
            broken.append(place)
            continue
        if found.keys() != wanted:
            return broken, place
    return broken, None
