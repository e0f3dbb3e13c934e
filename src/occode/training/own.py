"""The operator's own labelled rows as training examples, equal ones counted together."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from occode.classification import Classification
from occode.errors import OccodeError
from occode.training.corpus import NONE, Line
from occode.training.examples import Examples, fold_of
from occode.training.labelled import LabelledSource, Tally, usable


class NothingToTrainOn(OccodeError):
    """None of the {rows} labelled rows can be trained on: {unanswered} have no code, {unfit} no text of 3 to 100 characters."""


@dataclass(frozen=True)
class Records:
    """Labelled rows, each distinct pair of text and code once, in the order of text and code.

    `texts` are (title, tasks); `weights` the sums over equal rows; `digest` the SHA-256 of these three, which the order and
    the format of the files do not change; `tally` how the rows went.
    """

    texts: list[tuple[str, str]]
    codes: list[str]
    weights: NDArray[np.float32]
    digest: str
    tally: Tally

    def __len__(self) -> int:
        return len(self.texts)


def read_records(sources: Iterable[LabelledSource], classification: Classification) -> Records:
    """Read labelled rows; one with several codes counts for each of them in equal parts.

    Raises
    ------
    UnknownCode, NothingToTrainOn
    """
    tally = Tally()
    totals: dict[tuple[str, str, str], float] = {}
    for (title, tasks), codes, weight in usable(sources, classification, tally):
        for code in codes:
            key = title, tasks, code
            totals[key] = totals.get(key, 0.0) + weight / len(codes)
    if not totals:
        raise NothingToTrainOn(rows=tally.rows, unanswered=tally.unanswered, unfit=tally.unfit)
    known = {code: code for code in classification.categories}  # one string a code, not one a row
    keys = sorted(totals)
    weights = np.array([totals[key] for key in keys], np.float64).round(4).astype(np.float32)
    texts = [(title, tasks) for title, tasks, _ in keys]
    return Records(texts, [known[code] for _, _, code in keys], weights, _digest(keys, weights), tally)


def _digest(keys: list[tuple[str, str, str]], weights: NDArray[np.float32]) -> str:
    total = hashlib.sha256()
    for key in keys:
        total.update("\0".join((*key, "")).encode())
    total.update(weights.tobytes())
    return total.hexdigest()


def own_examples(records: Records, folds: int) -> Examples:
    """Make each record an example, its title and tasks together as they stand.

    The fold is that of the words of both fields, whatever the code: the same text often stands under several codes, and
    all of them are held out together.
    """
    placed = (fold_of(Line(f"{title} {tasks}", "titles", NONE), folds) for title, tasks in records.texts)
    return Examples(
        records.texts,
        records.codes,
        records.weights,
        np.fromiter(placed, np.int32, len(records)),
        np.ones(len(records), np.bool_),
    )
