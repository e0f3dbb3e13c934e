"""The corpus: what people write for each category, read from YAML files that are edited by hand.

A folder holds one file a unit group plus ``groups.yaml`` (texts that go no deeper than a higher group) and
``none.yaml`` (texts that are no occupation). Each file maps a code, or ``none``, to its ``titles`` and ``tasks``.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from occode.classification import Classification
from occode.coding.normalise import normalise
from occode.coding.record import LONGEST, SHORTEST
from occode.errors import OccodeError

#: The code of a text that belongs to no occupation: the root of every classification.
NONE = ""
FIELDS = ("titles", "tasks")


class InvalidCorpus(OccodeError):
    """The corpus in {folder} has {count} faults; the first: {first}."""


class CorpusNotFound(OccodeError):
    """There is no corpus in {folder}; name one with --corpus."""


@dataclass(frozen=True, slots=True)
class Line:
    """One text of the corpus: `field` is titles or tasks, `code` a category at any level or `NONE`."""

    text: str
    field: str
    code: str

    @property
    def key(self) -> tuple[str, str]:
        """What makes two lines the same text."""
        return self.field, " ".join(normalise(self.text))


@dataclass
class Corpus:
    """The lines of one topic, the hash of its files, and what its files got wrong."""

    lines: list[Line]
    digest: str
    faults: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, folder: Path, classification: Classification) -> "Corpus":
        """Read every YAML file of `folder`, in the order of their names.

        Raises
        ------
        CorpusNotFound
            The folder holds no YAML file.
        InvalidCorpus
            A file cannot be read, or a line breaks a rule: an unknown code, a character outside printable ASCII, a
            length outside 3-100 characters, a text twice under one code.
        """
        lines, faults = read(folder, classification)
        if faults:
            raise InvalidCorpus(folder=folder, count=len(faults), first=faults[0])
        return cls(lines, digest(folder))

    def clashes(self) -> dict[tuple[str, str], set[str]]:
        """Return the texts that stand under more than one code."""
        codes: dict[tuple[str, str], set[str]] = defaultdict(set)
        for line in self.lines:
            codes[line.key].add(line.code)
        return {key: found for key, found in codes.items() if len(found) > 1}


def digest(folder: Path) -> str:
    """Return the SHA-256 of a corpus folder: names and contents."""
    total = hashlib.sha256()
    for path in _files(folder):
        total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def read(folder: Path, classification: Classification) -> tuple[list[Line], list[str]]:
    """Read a corpus folder without judging it: its good lines, and its faults as ``file: what is wrong``."""
    lines: list[Line] = []
    faults: list[str] = []
    for path in _files(folder):
        for line, fault in _read_file(path, classification):
            if fault:
                faults.append(f"{path.name}: {fault}")
            else:
                lines.append(line)
    return lines, faults


def _files(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.yaml"))
    if not found:
        raise CorpusNotFound(folder=folder)
    return found


def _read_file(path: Path, classification: Classification) -> Iterator[tuple[Line, str]]:
    nothing = Line("", "", "")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader) or {}  # a safe loader, in C
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        yield nothing, " ".join(str(error).split())
        return
    seen: set[tuple[str, tuple[str, str]]] = set()
    for name, entry in content.items():
        code = NONE if name == "none" else str(name)
        if code != NONE and code not in classification:
            yield nothing, f"{code} is no code of {classification.name}"
            continue
        for kind, texts in entry.items():
            for text in texts if kind in FIELDS else ():
                line = Line(str(text), kind, code)
                key = code, line.key
                fault = _fault(line) or ("stands twice" if key in seen else "")
                seen.add(key)
                yield line, fault and f"{code or 'none'}: {text!r} {fault}"
            if kind not in FIELDS:
                yield nothing, f"{code}: {kind!r} is neither titles nor tasks"


def _fault(line: Line) -> str:
    if not (line.text.isascii() and line.text.isprintable()):
        return "is not printable ASCII"
    if not SHORTEST <= len(line.text) <= LONGEST:
        return f"is not {SHORTEST} to {LONGEST} characters long"
    return ""
