"""Why a record gets its code: level by level, the words and fragments that spoke for it and against its nearest rival."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from occode.coding.coder import Coder
from occode.coding.decide import NOTHING
from occode.coding.features import Feature
from occode.coding.record import Candidate, Record, kind_of
from occode.coding.reference import contributions, share_out, vector

FIELDS = ("title", "tasks")


@dataclass(frozen=True)
class Evidence:
    """One feature: `kind` is word, pair (of words), opening (a word's first four characters) or ngram (any four).

    `field` is title or tasks.

    `weight` is what it adds to the log odds of the chosen code against the runner-up, before the model's lapse; negative speaks
    for the runner-up.
    """

    kind: str
    field: str
    text: str
    weight: float


@dataclass(frozen=True)
class Step:
    """One level of the best path, from a category to one of its children.

    `confidence` of both candidates is as the coder's before it is rounded: the probability of the whole path down to them.
    `runner_up` is the most probable of the other children, None where there is but one; `evidence` runs from the greatest weight,
    of either sign, to the smallest; `prior` is what the log odds are without any text.
    """

    level: int
    chosen: Candidate
    runner_up: Candidate | None
    evidence: tuple[Evidence, ...]
    prior: float


def explain(coder: Coder, title: str = "", tasks: str = "") -> list[Step]:
    """Explain the best candidate of a record, one step a level from the top; none where the model knows nothing of the text.

    Raises
    ------
    TextNotPrintable, TextTooShort, TextTooLong
    """
    record = Record(title, tasks)
    record.check()
    leaf = coder.walk([record], 1).leaf[0, 0]
    if leaf == NOTHING:
        return []
    path = coder.classification.path(coder.tree.codes[leaf])
    explainer = _Explainer(coder, record)
    steps: list[Step] = []
    parent, chance = 0, 1.0
    for code in path:
        step = explainer.step(parent, code, chance)
        steps.append(step)
        parent, chance = coder.tree.codes.index(code), step.chosen.confidence
    return steps


class _Explainer:
    """Explains the steps of one record."""

    def __init__(self, coder: Coder, record: Record) -> None:
        self._coder, self._arrays, self._tree = coder, coder.model.arrays, coder.tree
        self._known, _ = vector(self._arrays, self._tree, record)
        self._kind = kind_of(record)

    def step(self, parent: int, code: str, chance: float) -> Step:
        """Explain the choice of `code` among the children of `parent`, whose probability is `chance`."""
        children = self._tree.children(parent)
        level, chosen = int(self._tree.depth[parent]), self._tree.codes.index(code) - children.start
        temperature = float(self._arrays.temperature[level, self._kind])
        bias = self._arrays.bias[children.start : children.stop] * temperature
        parts = contributions(self._arrays, self._tree, self._known, parent) * temperature
        if len(children) == 1:
            return Step(level, self._candidate(code, chance), None, (), 0.0)
        shares = share_out(parts.sum(axis=0) + bias, float(self._arrays.lapse[level, self._kind]))
        rival = int(np.argmax(np.where(np.arange(len(children)) == chosen, -1, shares)))
        return Step(
            level,
            self._candidate(code, chance * shares[chosen]),
            self._candidate(self._tree.codes[children[rival]], chance * shares[rival]),
            self._evidence(parts[:, chosen] - parts[:, rival]),
            float(bias[chosen] - bias[rival]),
        )

    def _candidate(self, code: str, chance: float) -> Candidate:
        return Candidate(code, self._coder.classification.label(code), float(chance))

    def _evidence(self, weights: np.ndarray) -> tuple[Evidence, ...]:
        totals: dict[Feature, float] = defaultdict(float)
        for known, weight in zip(self._known, weights.tolist(), strict=True):
            totals[known.feature] += weight
        found = [Evidence(kind, FIELDS[field], text, weight) for (kind, field, text), weight in totals.items() if weight]
        return tuple(sorted(found, key=lambda evidence: -abs(evidence.weight)))
