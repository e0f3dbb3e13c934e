"""What is measured with: training lines and distinct records of about 60 characters, both from the shipped corpus."""

import random
from dataclasses import dataclass

from occode.classification import Catalogue
from occode.coding.record import LONGEST, Record
from occode.training.corpus import NONE, Line
from occode.training.examples import fold_of
from occode.training.sources import task_for

FOLDS = 10
#: Peers take minutes where all lines are used; all coders of a comparison learn from the same share.
TRAINED_LINES = 30_000


@dataclass(frozen=True)
class Texts:
    """Lines to learn from, and held-out titles with tasks of the same occupation, with their codes."""

    lines: list[Line]
    records: list[Record]
    codes: list[str]


def texts(topic: str = "osca") -> Texts:
    """Split the corpus: near-copies of a held-out record are never among the lines."""
    lines = [line for line in task_for(Catalogue(), topic).lines if line.code != NONE]
    chance = random.Random(0)
    learned = [line for line in lines if fold_of(line, FOLDS)]
    held = records([line for line in lines if not fold_of(line, FOLDS) and len(line.code) == 6], 3000, chance)
    return Texts(chance.sample(learned, min(len(learned), TRAINED_LINES)), [r for r, _ in held], [code for _, code in held])


def records(lines: list[Line], count: int, chance: random.Random) -> list[tuple[Record, str]]:
    """Make distinct records: a title and a task phrase of one occupation, of about 60 characters together."""
    titles = [line for line in lines if line.field == "titles"]
    tasks: dict[str, list[str]] = {}
    for line in lines:
        if line.field == "tasks":
            tasks.setdefault(line.code, []).append(line.text)
    found: dict[Record, str] = {}
    for _ in range(20 * count):
        title = chance.choice(titles)
        record = Record(title.text, chance.choice(tasks.get(title.code, [""])))
        if 45 <= len(record.title) + len(record.tasks) <= min(75, LONGEST):
            found.setdefault(record, title.code)
        if len(found) == count:
            break
    return list(found.items())


def many(count: int, topic: str = "osca") -> list[Record]:
    """Make distinct records for speed alone, from all lines."""
    lines = [line for line in task_for(Catalogue(), topic).lines if len(line.code) == 6]
    return [record for record, _ in records(lines, count, random.Random(1))]
