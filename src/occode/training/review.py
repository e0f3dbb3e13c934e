"""A look over a corpus: how well each category is covered, what clashes, what is nearly the same, where it is thin."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from occode.classification import Classification
from occode.training.corpus import FIELDS, NONE, Line
from occode.training.examples import telling_words

#: What an occupation should have at least, by field.
BAR = {"titles": 40, "tasks": 20}


@dataclass(frozen=True)
class Coverage:
    """Lines by field under one category."""

    code: str
    titles: int
    tasks: int

    @property
    def thin(self) -> bool:
        """Whether it is under the bar."""
        return self.titles < BAR["titles"] or self.tasks < BAR["tasks"]


@dataclass(frozen=True)
class Review:
    """What was found: `clashes` are texts with all their codes, `near_copies` groups of texts under different codes."""

    coverage: list[Coverage]
    clashes: list[tuple[str, list[str]]]
    near_copies: list[tuple[list[str], list[str]]]

    @property
    def thin(self) -> list[Coverage]:
        """The categories under the bar."""
        return [found for found in self.coverage if found.thin]


def review(lines: list[Line], classification: Classification) -> Review:
    """Look over the lines of a corpus.

    Coverage is told for every category of the deepest level; a near-copy is a text that differs from another, under
    another code, only in order, plural, rank or place.
    """
    counts = Counter((line.code, line.field) for line in lines)
    coverage = [Coverage(code, *(counts[code, field] for field in FIELDS)) for code in classification.leaves]
    exact: dict[tuple[str, str], set[str]] = defaultdict(set)
    near: dict[tuple[str, tuple[str, ...]], set[tuple[str, str]]] = defaultdict(set)
    for line in lines:
        exact[line.key].add(line.code)
        near[line.field, telling_words(line.text)].add((line.text, line.code))
    return Review(
        coverage,
        [(text, sorted(codes)) for (_, text), codes in sorted(exact.items()) if len(codes) > 1],
        [_apart(found) for _, found in sorted(near.items()) if len({code for _, code in found if code != NONE}) > 1],
    )


def _apart(found: set[tuple[str, str]]) -> tuple[list[str], list[str]]:
    pairs = sorted(found)
    return [text for text, _ in pairs], sorted({code for _, code in pairs})
