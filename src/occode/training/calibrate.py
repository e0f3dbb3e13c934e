"""Confidence that is a probability: temperatures and thresholds from out-of-fold predictions.

Each example is scored by SVMs that have seen neither it nor a near-copy of it. A temperature a level and kind of record
(Guo et al. 2017, fitted on out-of-fold scores) makes the softmax of the scores the share of right answers; the
lowest confidence above which the codes given at a level are right as often as is asked is then that level's threshold.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from occode.coding.record import BOTH, KINDS, TASKS, TITLE
from occode.coding.tree import Tree
from occode.training.fit import Node, ancestors

#: Temperatures are sought between these; scores of linear SVMs lie around -1 to 1.
COOLEST, HOTTEST = 0.5, 20.0
#: Tried in turn; what a lapse takes from the surest a higher temperature gives back to the others, hence the long end.
FACTORS = (0.7, 0.77, 0.82, 0.86, 0.9, 0.94, 0.98, 1.02, 1.06, 1.1, 1.15, 1.2, 1.3, 1.4, 1.55, 1.7, 1.9)
#: What no score can settle: so much of a parent's probability is shared out equally at the top, between, and at the deepest level;
#: at both ends by kind of record (title only, tasks only, both). Coders disagree most on the first step of a short answer and on
#: the last of all (docs/decisions, 18).
TOP_LAPSE, LAPSE_BETWEEN, DEEPEST_LAPSE = (0.03, 0.01, 0.01), 0.001, (0.07, 0.05, 0.03)
#: A kind of record with fewer examples than this has the thresholds of all kinds together.
FEWEST = 50
#: A threshold is never below this, however few predictions there are to set it by.
LOWEST_THRESHOLD = 0.5


@dataclass(frozen=True)
class Scores:
    """Out-of-fold scores at one level: of each example at the parent on its true path, over that parent's children.

    `scores` (n, widest), minus infinity beyond the parent's last child; `truth` the child's place, -1 where the example
    goes no deeper than the parent; `kind` as in `occode.coding.record`.
    """

    scores: NDArray[np.float32]
    truth: NDArray[np.int32]
    kind: NDArray[np.int32]


def path_scores(
    nodes: dict[int, Node], matrix: sp.csr_matrix, leaves: NDArray[np.int32], kinds: NDArray[np.int32], tree: Tree
) -> list[Scores]:
    """Score examples, whose true nodes are `leaves`, at every parent on their paths; one `Scores` a level."""
    above = ancestors(tree)
    widest = int(np.diff(tree.first_child).max())
    found = []
    for level in range(tree.levels):
        # a level on which no node has two children has no scores
        scores, truths, kind = [np.empty((0, widest), np.float32)], [np.empty(0, np.int32)], [np.empty(0, np.int32)]
        for parent in (node for node in nodes if tree.depth[node] == level):
            mine = np.flatnonzero(above[leaves, level] == parent)
            children = tree.children(parent)
            block = np.full((len(mine), widest), -np.inf, np.float32)
            node = nodes[parent]
            block[:, : len(children)] = matrix[mine][:, node.columns] @ node.weights.T + node.bias
            child = above[leaves[mine], level + 1]
            scores.append(block)
            truths.append(np.where(child < 0, -1, child - children.start))
            kind.append(kinds[mine])
        found.append(Scores(np.concatenate(scores), np.concatenate(truths), np.concatenate(kind)))
    return found


def lapses(levels: int) -> NDArray[np.float32]:
    """Return the lapse of each level and kind, of shape (levels, kinds): what a parent's children share in equal parts.

    The only level of a flat classification counts as the deepest.
    """
    above = [TOP_LAPSE, *[(LAPSE_BETWEEN,) * KINDS] * levels][: levels - 1]
    return np.array([*above, DEEPEST_LAPSE], np.float32)


def fit_temperatures(levels: list[Scores]) -> NDArray[np.float32]:
    """Return the temperatures (levels, kinds) that make the true children most probable (least log loss), with the lapse in it.

    An example that goes no deeper counts for all children alike.
    """
    found = np.ones((len(levels), KINDS), np.float32)
    lapse = lapses(len(levels))
    for level, all_scores in enumerate(levels):
        for kind in range(KINDS):
            mine = all_scores.kind == kind
            if mine.any():
                found[level, kind] = _fit_temperature(all_scores.scores[mine], all_scores.truth[mine], lapse[level, kind])
    return found


def _fit_temperature(scores: NDArray[np.float32], truth: NDArray[np.int32], lapse: float) -> float:
    real = np.isfinite(scores)
    width = real.sum(axis=1)
    settled = truth >= 0
    target = np.where(settled[:, None], np.arange(scores.shape[1]) == truth[:, None], real / width[:, None])
    finite = np.where(real, scores, 0)

    def loss(log_temperature: float) -> float:
        scaled = np.where(real, finite * np.exp(log_temperature), -np.inf)
        shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        shares = (1 - lapse) * shares / shares.sum(axis=1, keepdims=True) + lapse / width[:, None]
        return float(-(target * np.log(np.where(real, np.maximum(shares, 1e-30), 1.0))).sum())

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(COOLEST), np.log(HOTTEST)), method="bounded").x))


def settle(
    temperature: NDArray[np.float32],
    predict: Callable[[NDArray[np.float32]], tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int32]]],
) -> NDArray[np.float32]:
    """Return temperatures with which the probability of whole paths is best calibrated, level by level from the top.

    The least log loss at each parent by itself leaves paths a little too unsure: a wrong turn higher up is often unsure, too.
    So each level's temperatures are multiplied by the one of `FACTORS` that gives the least calibration error of the level's
    best category.

    Parameters
    ----------
    temperature
        Of shape (levels, kinds), as `fit_temperatures` has them.
    predict
        Gives for temperatures the confidence (n, levels), whether it is right (n, levels), and the kind (n,) of examples.
    """
    found = temperature.copy()
    for level in range(len(found)):
        errors = []
        for factor in FACTORS:
            tried = found.copy()
            tried[level] *= factor
            confidence, right, kind = predict(tried)
            mine = [kind == k for k in range(KINDS)]
            errors.append([expected_calibration_error(confidence[m, level], right[m, level]) for m in mine])
        found[level] *= np.array(FACTORS, np.float32)[np.argmin(errors, axis=0)]
    return found


def thresholds(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], kind: NDArray[np.int32], target: float
) -> NDArray[np.float64]:
    """Return, level by level from the top and for each kind, the lowest confidence at which codes are right often enough.

    The deepest level has one for all kinds, set by records with a title; above it each kind has its own, for kinds differ in how
    sure the coder can be at all, see `lapses`. A kind with fewer examples than `FEWEST` takes those of all together.

    Parameters
    ----------
    confidence, right
        Of shape (n, levels): out of fold, how sure the coder is of its best category at each level, and whether it is right.
    kind
        Of shape (n,): which kind of record each is.
    target
        The precision asked of the codes given at each level, counted over the records that no deeper level took.
    """
    deepest = confidence.shape[1] - 1
    found = np.ones((deepest + 1, KINDS))
    titled = _enough_or_all(kind != TASKS)
    found[deepest] = _threshold(confidence[titled, deepest], right[titled, deepest], target)
    for k in range(KINDS):
        left = _enough_or_all(kind == k) & (confidence[:, deepest] < found[deepest, k])
        for level in range(deepest - 1, -1, -1):
            found[level, k] = _threshold(confidence[left, level], right[left, level], target)
            left &= confidence[:, level] < found[level, k]
    return found


def _enough_or_all(wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return wanted if wanted.sum() >= FEWEST else np.ones_like(wanted)


def _threshold(confidence: NDArray[np.float64], right: NDArray[np.bool_], target: float) -> float:
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    precision = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    last_of_equals = np.append(falling[:-1] > falling[1:], True)
    good = np.flatnonzero((precision >= target) & last_of_equals[: len(order)])
    if not len(good):
        return 1.0
    return max(LOWEST_THRESHOLD, round(float(falling[good[-1]]), 6))  # as many decimals as the walk keeps


def join(parts: tuple[Scores, ...]) -> Scores:
    """Put the scores of several folds together."""
    return Scores(
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.kind for part in parts]),
    )


def right(best: NDArray[np.int32], leaves: NDArray[np.int32], tree: Tree) -> NDArray[np.bool_]:
    """Return, of shape (n, levels), whether the best node of each level is the true one's ancestor or itself."""
    return np.equal(best, ancestors(tree)[leaves, 1 : tree.levels + 1])


def expected_calibration_error(confidence: NDArray[np.float64], hit: NDArray[np.bool_], bins: int = 10) -> float:
    """Return the mean gap between confidence and accuracy over equal-width bins, weighted by their records."""
    place = np.minimum(bins - 1, (confidence * bins).astype(int))
    return float(np.abs(np.bincount(place, confidence - hit, minlength=bins)).sum() / max(1, len(hit)))


def metrics(
    confidence: NDArray[np.float64], hit: NDArray[np.bool_], kind: NDArray[np.int32], cuts: NDArray[np.float64]
) -> dict[str, list[dict[str, float]]]:
    """Describe out-of-fold predictions level by level, for each kind of record.

    Kinds are title only, tasks only, both, and all. Each level has `accuracy` and `ece` of its best category over all records,
    and `coded` and `precision` of the codes given at exactly this level by the thresholds `cuts` (levels, kinds).
    """
    found = {}
    for name, mine in (
        ("title", kind == TITLE),
        ("tasks", kind == TASKS),
        ("both", kind == BOTH),
        ("all", kind >= 0),
    ):
        sure, good, cut = confidence[mine], hit[mine], cuts[:, kind[mine]]
        left = np.ones(len(sure), np.bool_)
        rows = []
        for level in range(confidence.shape[1] - 1, -1, -1):
            given = left & (sure[:, level] >= cut[level])
            left &= ~given
            rows.append(
                {
                    "accuracy": round(float(good[:, level].mean()), 4) if len(good) else 0.0,
                    "ece": round(expected_calibration_error(sure[:, level], good[:, level]), 4),
                    "coded": round(float(given.mean()), 4) if len(good) else 0.0,
                    "precision": round(float(good[given, level].mean()), 4) if given.any() else 0.0,
                }
            )
        found[name] = rows[::-1]
    return found
