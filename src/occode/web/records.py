"""Coding requests and answers: their shapes, and the checks of a body in the guide's words (sections 7.1 and 11)."""

import json
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from occode.coding.record import LONGEST, MOST_SUGGESTIONS, SHORTEST, Candidate, Coding
from occode.web.errors import InvalidBody, MalformedRecord, NoRecords, OutsideLimits, TooManyRecords

MOST_RECORDS = 300


class RecordObject(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A record to be coded (guide section 11.2): at least one text field, 3 to 100 printable ASCII characters in all."""

    occp_text: str | UnsetType = UNSET
    tasks_text: str | UnsetType = UNSET
    recordId: str | UnsetType = UNSET  # noqa: N815  # the guide's name

    @property
    def texts(self) -> tuple[str, str]:
        """The title and the tasks; a field that is absent is empty."""
        return self.occp_text or "", self.tasks_text or ""


class CodeRequest(Struct, forbid_unknown_fields=True):
    """The body of a coding request (guide section 7.1.3): one record, or 1 to 300 records."""

    record: RecordObject | UnsetType = UNSET
    records: Annotated[list[RecordObject], Meta(min_length=1, max_length=MOST_RECORDS)] | UnsetType = UNSET
    numberOfSuggestions: Annotated[int, Meta(ge=0, le=MOST_SUGGESTIONS)] | UnsetType = UNSET  # noqa: N815


class _Envelope(Struct, forbid_unknown_fields=True):
    record: Raw | UnsetType = UNSET
    records: list[Raw] | UnsetType = UNSET
    numberOfSuggestions: Annotated[int, Meta(ge=0, le=MOST_SUGGESTIONS)] | UnsetType = UNSET  # noqa: N815


class InputObject(Struct, omit_defaults=True):
    """The text fields of a record, as they came."""

    occp_text: str | UnsetType = UNSET
    tasks_text: str | UnsetType = UNSET


class SynchronousCodeResponse(Struct, omit_defaults=True, kw_only=True):
    """How one record was coded (guide section 11.3.1)."""

    recordId: str | UnsetType = UNSET  # noqa: N815  # the guide's name
    codeStatus: Literal["successful", "unsuccessful"]  # noqa: N815
    input: InputObject
    result: list[Candidate]


class Wanted(Struct):
    """What a good body asks for."""

    records: list[RecordObject]
    suggestions: int | None
    single: bool


_envelope = msgspec.json.Decoder(_Envelope)
_record = msgspec.json.Decoder(RecordObject)
encode = msgspec.json.Encoder().encode


def read(body: bytes) -> Wanted:
    """Check a coding request's body.

    Raises
    ------
    InvalidBody
        It is not JSON in UTF-8, repeats a name, has not exactly one of record and records, asks for a number of
        suggestions outside 0 to 16, or a text holds other than printable ASCII.
    NoRecords, TooManyRecords
        There is not 1 to 300 of them.
    MalformedRecord
        A record lacks both text fields, has an unknown field or one that is no string.
    OutsideLimits
        Texts are too short or too long; the message names each.
    """
    try:
        envelope = _envelope.decode(body)
        _strict.decode(body.decode("utf-8"))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise InvalidBody(_reason(error)) from error
    if (envelope.record is UNSET) == (envelope.records is UNSET):
        raise InvalidBody("give either record or records")
    raw = envelope.records if envelope.record is UNSET else [envelope.record]
    if not raw:
        raise NoRecords
    if len(raw) > MOST_RECORDS:
        raise TooManyRecords
    records = [_read_record(index, content) for index, content in enumerate(raw)]
    _check_texts(records)
    suggestions = None if envelope.numberOfSuggestions is UNSET else envelope.numberOfSuggestions
    return Wanted(records, suggestions, envelope.records is UNSET)


def write(wanted: Wanted, codings: list[Coding]) -> bytes:
    """Return the body of the answer: an object for a single record, an array for records."""
    answers = [_answer(record, coding) for record, coding in zip(wanted.records, codings, strict=True)]
    return encode(answers[0] if wanted.single else answers)


def _answer(record: RecordObject, coding: Coding) -> SynchronousCodeResponse:
    result = [coding.result, *coding.candidates] if coding.result else list(coding.candidates)
    return SynchronousCodeResponse(
        codeStatus=coding.status,
        input=InputObject(record.occp_text, record.tasks_text),
        result=result,
        recordId=record.recordId,
    )


def _read_record(index: int, content: Raw) -> RecordObject:
    try:
        record = _record.decode(content)
    except msgspec.MsgspecError as error:
        raise MalformedRecord(f"index {index}, {_reason(error)}") from error
    if record.occp_text is UNSET and record.tasks_text is UNSET:
        raise MalformedRecord(f"index {index}, it has neither occp_text nor tasks_text")
    return record


def _check_texts(records: list[RecordObject]) -> None:
    outside = ""
    for index, record in enumerate(records):
        text = "".join(record.texts)
        if not (text.isascii() and text.isprintable()) or not _plain(record.recordId or ""):
            raise InvalidBody(f"the record with index {index} holds other than printable ASCII characters")
        if len(text) < SHORTEST:
            outside += f"\nRecord with index {index} has a total text length under {SHORTEST} min"
        elif len(text) > LONGEST:
            outside += f"\nRecord with index {index} has a total text length over {LONGEST} max"
    if outside:
        raise OutsideLimits(each=outside)


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_strict = json.JSONDecoder(object_pairs_hook=_distinct, parse_constant=_no_constant)


def _reason(error: Exception) -> str:
    """Return why a body was refused, without the value that was refused: it may be somebody's answer."""
    if isinstance(error, msgspec.ValidationError):
        return str(error).partition(" - at ")[0]
    return "it is not valid JSON" if not isinstance(error, RecursionError) else "it is nested too deep"
