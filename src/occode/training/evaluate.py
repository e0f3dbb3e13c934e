"""How well a model codes labelled records: what it says of each, against the codes that it may say."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from occode.coding.coder import Coder
from occode.coding.record import Record, kind_of
from occode.coding.tree import Tree
from occode.coding.walk import Walked
from occode.errors import OccodeError
from occode.training.fit import ancestors
from occode.training.labelled import LabelledSource, Tally, usable

#: Records that are coded at a time.
CHUNK = 65_536


class NothingToEvaluate(OccodeError):
    """None of the {rows} rows can be evaluated: {unanswered} have no answer, {unfit} no text of 3 to 100 characters."""


@dataclass(frozen=True)
class Answered:
    """Labelled records: the codes in `answers` are all right for their record; `tally` counts what was left out."""

    records: list[Record]
    answers: list[tuple[str, ...]]
    tally: Tally


@dataclass(frozen=True)
class Scored:
    """What a coder says of n labelled records, at L levels from the top; nodes are those of `tree`, -1 is none.

    leaf : int32 (n,)
        The best candidate; none where the text has no feature that the model knows.
    best, chance : int32, float64 (n, L)
        The most probable node of each level by itself, and its probability, 0 where the text has no known feature.
    given : int32 (n,)
        The code that the model's thresholds let it give, none where it gives none.
    confidence : float64 (n,)
        How sure it is of `given`.
    leaf_right, best_right, given_right : bool (n, L)
        Whether these, cut to each level, are in the answer, cut to that level; what is not that deep is wrong.
    reached : bool (n, L)
        Whether any code of the answer is that deep.
    truth : int32 (n,)
        One node of the answer: the one that shares most of its path with `leaf`, the first of equals.
    kind : int32 (n,)
        Title, tasks or both, as in `occode.coding.walk`.
    first : bool (n,)
        Whether no earlier record has the same text.
    """

    tree: Tree
    leaf: NDArray[np.int32]
    best: NDArray[np.int32]
    chance: NDArray[np.float64]
    given: NDArray[np.int32]
    confidence: NDArray[np.float64]
    leaf_right: NDArray[np.bool_]
    best_right: NDArray[np.bool_]
    given_right: NDArray[np.bool_]
    reached: NDArray[np.bool_]
    truth: NDArray[np.int32]
    kind: NDArray[np.int32]
    first: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.leaf)


def read_answered(sources: Iterable[LabelledSource], coder: Coder) -> Answered:
    """Read labelled rows.

    Raises
    ------
    UnknownCode
        An answer has a code that the coder's classification has not.
    NothingToEvaluate
        No row has both an answer and a text that can be coded.
    """
    tally = Tally()
    records, answers = [], []
    for row in usable(sources, coder.classification, tally):
        records.append(row.record)
        answers.append(row.codes)
    if not records:
        raise NothingToEvaluate(rows=tally.rows, unanswered=tally.unanswered, unfit=tally.unfit)
    return Answered(records, answers, tally)


def score(coder: Coder, data: Answered) -> Scored:
    """Code the records and hold what comes out against their answers."""
    tree = coder.tree
    walked = _walk(coder, data.records)
    node, leaf, known = walked.node, walked.leaf[:, 0], walked.known
    answers = _Answers(data.answers, tree)
    best_right = np.stack([answers.hold(node[:, level])[:, level] for level in range(tree.levels)], axis=1)
    earliest: dict[Record, int] = {}
    return Scored(
        tree=tree,
        leaf=leaf,
        best=node,
        chance=np.where(known[:, None] < 0, 0, walked.chance),
        given=walked.code,
        confidence=walked.confidence,
        leaf_right=answers.hold(leaf),
        best_right=best_right & (known >= 0)[:, None],
        given_right=answers.hold(walked.code),
        reached=answers.reached(),
        truth=answers.nearest(leaf),
        kind=np.array([kind_of(record) for record in data.records], np.int32),
        first=np.array([earliest.setdefault(record, i) == i for i, record in enumerate(data.records)], np.bool_),
    )


def _walk(coder: Coder, records: list[Record]) -> Walked:
    parts = [coder.walk(records[i : i + CHUNK], 1) for i in range(0, len(records), CHUNK)]
    return Walked(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


class _Answers:
    """The sets of right codes, as one flat array of nodes with the record that each belongs to."""

    def __init__(self, answers: list[tuple[str, ...]], tree: Tree) -> None:
        number = {code: i for i, code in enumerate(tree.codes)}
        self._count = len(answers)
        self._above = ancestors(tree)[:, 1 : tree.levels + 1]
        self._owner = np.repeat(np.arange(len(answers)), [len(codes) for codes in answers])
        self._node = np.array([number[code] for codes in answers for code in codes], np.int32)

    def hold(self, nodes: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Return, of shape (n, levels), whether each record's node, cut to each level, is in its answer."""
        return self._any(self._agree(nodes))

    def reached(self) -> NDArray[np.bool_]:
        """Return, of shape (n, levels), whether an answer has a code that deep."""
        return self._any(self._above[self._node] >= 0)

    def nearest(self, nodes: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return of each answer the node that shares most of its path with the record's node, the first of equals."""
        order = np.lexsort((-self._agree(nodes).sum(axis=1), self._owner))
        _, first = np.unique(self._owner[order], return_index=True)
        return self._node[order[first]]

    def _agree(self, nodes: NDArray[np.int32]) -> NDArray[np.bool_]:
        mine = nodes[self._owner]
        said, right = self._above[mine], self._above[self._node]
        return np.equal(said, right) & (right >= 0) & (mine >= 0)[:, None]

    def _any(self, flat: NDArray[np.bool_]) -> NDArray[np.bool_]:
        levels = [np.bincount(self._owner, column, minlength=self._count) > 0 for column in flat.T]
        return np.stack(levels, axis=1)
