"""Where an operation's objects are: raw input, scanned input, coded parts and output are kept apart (guide section 12)."""


def raw(operation_id: str) -> str:
    """Where the client uploads to; only the scan reads it."""
    return f"raw/{operation_id}"


def scanned(operation_id: str) -> str:
    """Where the scan writes to; only coding reads it."""
    return f"scanned/{operation_id}"


def part(operation_id: str, number: int) -> str:
    """Where a coded chunk goes."""
    return f"{parts(operation_id)}/{number:06d}"


def parts(operation_id: str) -> str:
    """The place of all of an operation's coded chunks."""
    return f"parts/{operation_id}"


def output(operation_id: str) -> str:
    """The coded records, as the client downloads them."""
    return f"output/{operation_id}/records.jsonl"


def metadata(operation_id: str) -> str:
    """The operation's metadata, as the client downloads it."""
    return f"output/{operation_id}/metadata.json"


def outputs(operation_id: str) -> str:
    """The place of all that the client downloads."""
    return f"output/{operation_id}"
