"""A classification: categories in a tree of levels, with their titles."""

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from occode.errors import OccodeError


class InvalidClassification(OccodeError):
    """The classification in {folder} is not usable: {reason}."""


@dataclass(frozen=True, slots=True)
class Category:
    """One category at any level, e.g. 2733 or 273331.

    `skill_levels` runs from 1 (highest) to 5 and is empty where the standard gives none; some groups span several.
    """

    code: str
    title: str
    skill_levels: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Title:
    """A name that the standard lists under a code; `kind` is principal, alternative, specialisation or nec."""

    code: str
    title: str
    kind: str


@dataclass(frozen=True)
class Classification:
    """A standard as facts: immutable, safe to share between threads.

    Parameters
    ----------
    name
        The topic's ``uriName`` (guide section 6.1), e.g. ``osca``.
    full_name, version
        The ``topicStandard`` and ``topicVersion`` of guide section 11.1.
    levels
        The code lengths from top to bottom, e.g. ``(1, 2, 3, 4, 6)``.
    corpus
        The topic whose corpus trains this one, or None where it is not coded to.
    categories
        Every category by its code, ordered by code.
    """

    name: str
    full_name: str
    version: str
    levels: tuple[int, ...]
    level_names: tuple[str, ...]
    corpus: str | None
    categories: dict[str, Category]
    other_titles: tuple[Title, ...] = ()

    @classmethod
    def load(cls, folder: Path) -> "Classification":
        """Read ``topic.json``, ``categories.csv`` and, where there is one, ``titles.csv`` from `folder`.

        Raises
        ------
        InvalidClassification
            A file is missing, a code's length is no level, a parent is missing, or a title has no category.
        """
        try:
            about = json.loads((folder / "topic.json").read_text(encoding="utf-8"))
            categories = {code: Category(code, title, _skills(s)) for code, title, s in _rows(folder / "categories.csv")}
            titles_file = folder / "titles.csv"
            titles = tuple(Title(*row) for row in _rows(titles_file)) if titles_file.exists() else ()
            found = cls(
                name=folder.name,
                full_name=about["full_name"],
                version=about["version"],
                levels=tuple(about["levels"]),
                level_names=tuple(about["level_names"]),
                corpus=about.get("corpus"),
                categories=dict(sorted(categories.items())),
                other_titles=titles,
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidClassification(folder=folder, reason=error) from error
        found._check(folder)
        return found

    def _check(self, folder: Path) -> None:
        for code in self.categories:
            if len(code) not in self.levels:
                raise InvalidClassification(folder=folder, reason=f"no level has codes as long as {code}")
            if len(code) > self.levels[0] and self.parent(code) not in self.categories:
                raise InvalidClassification(folder=folder, reason=f"{code} has no parent")
        for title in self.other_titles:
            if title.code not in self.categories:
                raise InvalidClassification(folder=folder, reason=f"the title {title.title!r} has no category")
        if self.corpus:
            self._check_that_text_can_be_coded_to_it(folder)

    def _check_that_text_can_be_coded_to_it(self, folder: Path) -> None:
        for code in self.categories:
            if len(code) < self.levels[-1] and code not in self.children:
                raise InvalidClassification(folder=folder, reason=f"{code} is above the deepest level and has nothing below it")
        if all(len(codes) == 1 for codes in self.children.values()):
            raise InvalidClassification(folder=folder, reason="there is nothing to choose: no category has two below it")

    def __contains__(self, code: str) -> bool:
        return code in self.categories

    def label(self, code: str) -> str:
        """Return the principal title of a code."""
        return self.categories[code].title

    def parent(self, code: str) -> str:
        """Return the code one level up; the empty string, the root, for a code of the top level."""
        depth = self.levels.index(len(code))
        return code[: self.levels[depth - 1]] if depth else ""

    def path(self, code: str) -> list[str]:
        """Return the codes from the top level down to `code` itself."""
        return [code[:length] for length in self.levels if length <= len(code)]

    def common(self, codes: set[str]) -> str:
        """Return the deepest category that all of `codes` belong to; the empty string where they share none."""
        for length in reversed(self.levels):
            cut = {code[:length] for code in codes}
            if len(cut) == 1 and len(next(iter(cut))) == length:
                return cut.pop()
        return ""

    @cached_property
    def children(self) -> dict[str, tuple[str, ...]]:
        """The codes below each code, in order; the empty string is the root, a leaf has no entry."""
        found: dict[str, list[str]] = {}
        for code in self.categories:
            found.setdefault(self.parent(code), []).append(code)
        return {parent: tuple(codes) for parent, codes in found.items()}

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the categories and titles: what a model is bound to."""
        facts = [[c.code, c.title] for c in self.categories.values()]
        facts += [[t.code, t.title] for t in self.other_titles]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    @cached_property
    def leaves(self) -> tuple[str, ...]:
        """The codes of the deepest level: for OSCA its 1,156 occupations."""
        return tuple(code for code in self.categories if len(code) == self.levels[-1])

    def below(self, code: str) -> list[str]:
        """Return the leaves under `code` (all of them for the root)."""
        return [leaf for leaf in self.leaves if leaf.startswith(code)]

    def titles(self) -> Iterator[Title]:
        """Yield every title of the deepest level, the principal ones first."""
        for leaf in self.leaves:
            yield Title(leaf, self.label(leaf), "principal")
        yield from self.other_titles


def _rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        return list(rows)


def _skills(text: str) -> tuple[int, ...]:
    return tuple(int(level) for level in text.split())
