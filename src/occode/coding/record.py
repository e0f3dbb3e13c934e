"""What goes into the coder and what comes out: a record, a candidate code, a coding."""

from typing import Literal, NamedTuple

import msgspec

from occode.errors import OccodeError

#: Characters over both text fields together (guide section 4.2).
SHORTEST, LONGEST = 3, 100
MOST_SUGGESTIONS = 16
#: Kinds of record: with a title only, tasks only, both.
TITLE, TASKS, BOTH = range(3)
KINDS = 3


class TextNotPrintable(OccodeError):
    """The text holds a character that is not printable ASCII."""


class TextTooShort(OccodeError):
    """The total text length is under 3 min."""


class TextTooLong(OccodeError):
    """The total text length is over 100 max."""


class Record(NamedTuple):
    """The text of one person's job: `title` is the guide's ``occp_text``, `tasks` its ``tasks_text``."""

    title: str = ""
    tasks: str = ""

    def check(self) -> None:
        """Raise where the text is outside the limits of guide section 4.2.

        Raises
        ------
        TextNotPrintable, TextTooShort, TextTooLong
        """
        text = self.title + self.tasks
        if not (text.isascii() and text.isprintable()):
            raise TextNotPrintable
        if len(text) < SHORTEST:
            raise TextTooShort
        if len(text) > LONGEST:
            raise TextTooLong


def kind_of(record: tuple[str, str]) -> int:
    """Return which of the `KINDS` a record (title, tasks) is."""
    title, tasks = record
    return BOTH if title and tasks else (TITLE if title else TASKS)


class Candidate(
    msgspec.Struct,
    frozen=True,
    gc=False,
    rename={"code": "codeCategory", "label": "codeLabel", "confidence": "codeConfidence"},
):
    """A code with its title and the probability, 0 to 1, that it is right (``CodedRecord``, guide section 11.3.3)."""

    code: str
    label: str
    confidence: float


class Coding(msgspec.Struct, frozen=True, gc=False):
    """What the coder says of one record.

    `result` is the deepest code that is sure enough, or None. `candidates` are 6-digit codes by falling confidence:
    alternatives to the result (never the result itself), or suggestions where there is none.
    """

    result: Candidate | None
    candidates: tuple[Candidate, ...] = ()

    @property
    def status(self) -> Literal["successful", "unsuccessful"]:
        """The ``codeStatus`` of guide section 11.3.1: successful or unsuccessful."""
        return "unsuccessful" if self.result is None else "successful"
