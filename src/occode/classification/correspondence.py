"""The links between two classifications, many to many."""

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Link:
    """`source` and `target` share jobs.

    `part_of_target` says that only some of the target belongs to the source, `part_of_source` the reverse.
    """

    source: str
    target: str
    part_of_target: bool
    part_of_source: bool

    def reverse(self) -> "Link":
        """Return the same link seen from the other side."""
        return Link(self.target, self.source, self.part_of_source, self.part_of_target)


class Correspondence:
    """All links from one classification to another; immutable."""

    def __init__(self, links: tuple[Link, ...]) -> None:
        self.links = links
        self._by_source: dict[str, list[Link]] = defaultdict(list)
        for link in links:
            self._by_source[link.source].append(link)

    @classmethod
    def load(cls, path: Path) -> "Correspondence":
        """Read a CSV of source, target, part_of_target, part_of_source ('p' or empty)."""
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            return cls(tuple(Link(r["source"], r["target"], bool(r["part_of_target"]), bool(r["part_of_source"])) for r in rows))

    def reverse(self) -> "Correspondence":
        """Return the links seen from the other side."""
        return Correspondence(tuple(link.reverse() for link in self.links))

    def targets(self, source: str) -> tuple[str, ...]:
        """Return the codes that `source` is linked to, whole links first."""
        links = sorted(self._by_source.get(source, ()), key=lambda link: (link.part_of_source, link.target))
        return tuple(link.target for link in links)
