"""The figures of an evaluation: accuracy and coverage by level, calibration, confusion, and the same by groups of records."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from occode.classification import Classification
from occode.coding.record import BOTH, TASKS, TITLE
from occode.training.calibrate import expected_calibration_error
from occode.training.evaluate import Scored
from occode.training.fit import ancestors

BINS = 10
#: Points of a curve, and entries of a list of the worst.
POINTS, WORST = 200, 15
KINDS = (("title only", TITLE), ("tasks only", TASKS), ("title and tasks", BOTH))


@dataclass(frozen=True)
class LevelFigures:
    """One level, in shares of the records, 0 to 1; what has no record to be counted over is None.

    `top1`: the best candidate is right, cut to this level; `best`: the level's own most probable category is; `coded`: a code
    at least this deep is given; `precision`: of those, the share that is right at this level. `answered` counts the records
    whose answer is this deep: the others count as wrong.
    """

    digits: int
    name: str
    answered: int
    top1: float | None
    best: float | None
    coded: float | None
    precision: float | None


@dataclass(frozen=True)
class Group:
    """Some of the records: how they did by level, and the calibration error of the confidence of the codes given."""

    name: str
    records: int
    coded: int
    levels: tuple[LevelFigures, ...]
    ece: float | None


@dataclass(frozen=True)
class Point:
    """One point of a curve: coding this share of the records, the surest first, this share of the codes is right."""

    coverage: float
    precision: float


@dataclass(frozen=True)
class Bin:
    """The best categories of one level whose confidence lies in one tenth: how many, how sure, how many right."""

    records: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Pair:
    """Siblings taken one for the other: the right code, the best candidate, and how often."""

    truth: str
    truth_label: str
    said: str
    said_label: str
    records: int


@dataclass(frozen=True)
class UnitGroup:
    """A group above the deepest level: its records, the share in the right group, and those with the wrong code in it."""

    code: str
    label: str
    records: int
    accuracy: float
    confused: int
    deepest: float


@dataclass(frozen=True)
class Figures:
    """All figures; `curves` and `bins` one a level, `confusion` the top level's right codes by what was said, last none."""

    everything: Group
    kinds: tuple[Group, ...]
    majors: tuple[Group, ...]
    distinct: Group
    curves: tuple[tuple[Point, ...], ...]
    bins: tuple[tuple[Bin, ...], ...]
    pairs: tuple[Pair, ...]
    unit_groups: tuple[UnitGroup, ...]
    major_codes: tuple[str, ...]
    confusion: NDArray[np.int64]


def figures(scored: Scored, classification: Classification) -> Figures:
    """Work out all figures of scored records."""
    tree = scored.tree
    tops = tuple(tree.codes[node] for node in tree.children(0))
    top = ancestors(tree)[:, 1]
    truth = top[scored.truth] - 1
    said = np.where(scored.leaf < 0, len(tops), top[scored.leaf] - 1)
    confusion = np.bincount(truth * (len(tops) + 1) + said, minlength=len(tops) * (len(tops) + 1)).reshape(len(tops), -1)

    def group(name: str, used: NDArray[np.bool_]) -> Group:
        return _group(name, scored, used, classification)

    return Figures(
        everything=group("all records", np.ones(len(scored), np.bool_)),
        kinds=tuple(group(name, scored.kind == kind) for name, kind in KINDS),
        majors=tuple(group(f"{code} {classification.label(code)}", truth == i) for i, code in enumerate(tops)),
        distinct=group("each text once", scored.first),
        curves=tuple(_curve(scored.chance[:, level], scored.best_right[:, level]) for level in range(tree.levels)),
        bins=tuple(_bins(scored.chance[:, level], scored.best_right[:, level]) for level in range(tree.levels)),
        pairs=_pairs(scored, classification),
        unit_groups=_unit_groups(scored, classification),
        major_codes=tops,
        confusion=confusion,
    )


def _share(hits: NDArray[np.bool_]) -> float | None:
    return float(hits.mean()) if len(hits) else None


def _group(name: str, scored: Scored, used: NDArray[np.bool_], classification: Classification) -> Group:
    depth = scored.tree.depth[scored.given[used]] * (scored.given[used] >= 0)
    right, given_right = scored.leaf_right[used], scored.given_right[used]
    rows = []
    for level, digits in enumerate(classification.levels):
        deep = depth > level
        rows.append(
            LevelFigures(
                digits=digits,
                name=classification.level_names[level],
                answered=int(scored.reached[used, level].sum()),
                top1=_share(right[:, level]),
                best=_share(scored.best_right[used, level]),
                coded=_share(deep),
                precision=_share(given_right[deep, level]),
            )
        )
    coded = np.flatnonzero(depth > 0)
    sure, hit = scored.confidence[used][coded], given_right[coded, depth[coded] - 1]
    ece = expected_calibration_error(sure, hit, BINS) if len(coded) else None
    return Group(name, int(used.sum()), len(coded), tuple(rows), ece)


def _curve(chance: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[Point, ...]:
    """Return the points of a risk-coverage curve; records of equal confidence are coded together or not at all."""
    order = np.argsort(-chance, kind="stable")
    sorted_chance = chance[order]
    ends = np.flatnonzero(np.append(sorted_chance[1:] != sorted_chance[:-1], True))
    ends = ends[sorted_chance[ends] > 0]
    if len(ends) > POINTS:
        ends = ends[np.linspace(0, len(ends) - 1, POINTS).round().astype(int)]
    hits = np.cumsum(right[order])
    return tuple(Point((i + 1) / len(chance), float(hits[i] / (i + 1))) for i in ends.tolist())


def _bins(chance: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[Bin, ...]:
    place = np.minimum(BINS - 1, (chance * BINS).astype(int))
    counts = np.bincount(place, minlength=BINS)
    some = np.maximum(counts, 1)
    sure = np.bincount(place, chance, minlength=BINS) / some
    hit = np.bincount(place, right, minlength=BINS) / some
    return tuple(Bin(*found) for found in zip(counts.tolist(), sure.tolist(), hit.tolist(), strict=True))


def _confused(scored: Scored) -> NDArray[np.bool_]:
    """Return which records got a sibling of the right code: the deepest level is wrong, the one above it right."""
    levels = scored.tree.levels
    above = scored.leaf_right[:, -2] if levels > 1 else scored.leaf >= 0
    sibling: NDArray[np.bool_] = above & ~scored.leaf_right[:, -1]
    return sibling & np.equal(scored.tree.depth[scored.truth], levels)


def _pairs(scored: Scored, classification: Classification) -> tuple[Pair, ...]:
    mine = _confused(scored)
    counts = Counter(zip(scored.truth[mine].tolist(), scored.leaf[mine].tolist(), strict=True))
    worst = sorted(counts.items(), key=lambda found: (-found[1], found[0]))[:WORST]
    codes, label = scored.tree.codes, classification.label
    return tuple(Pair(codes[truth], label(codes[truth]), codes[said], label(codes[said]), count) for (truth, said), count in worst)


def _unit_groups(scored: Scored, classification: Classification) -> tuple[UnitGroup, ...]:
    """Return the groups above the deepest level with most records confused in them."""
    levels = scored.tree.levels
    if levels < 2:
        return ()
    parent = ancestors(scored.tree)[scored.truth, levels - 1]
    confused = np.bincount(parent[_confused(scored)], minlength=len(scored.tree))
    found = []
    for node in sorted(np.flatnonzero(confused).tolist(), key=lambda node: (-confused[node], node))[:WORST]:
        mine, code = parent == node, scored.tree.codes[node]
        accuracy, deepest = scored.leaf_right[mine, -2].mean(), scored.leaf_right[mine, -1].mean()
        label = classification.label(code)
        found.append(UnitGroup(code, label, int(mine.sum()), float(accuracy), int(confused[node]), float(deepest)))
    return tuple(found)
