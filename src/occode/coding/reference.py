"""The coder in numpy and plain Python: slow, readable, and what the compiled walk is tested against."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from occode.coding.entries import Branches, Entry, find, read_entry
from occode.coding.features import Feature, hash_feature, named_features
from occode.coding.model import Arrays
from occode.coding.record import kind_of
from occode.coding.tree import Tree


class Known(NamedTuple):
    """A feature of a record that the model knows, with its entry and its value: its idf by the length of the record."""

    feature: Feature
    entry: Entry
    value: float


def vector(arrays: Arrays, tree: Tree, record: tuple[str, str]) -> tuple[list[Known], float]:
    """Return the known features of a record, and the known share of its words, -1 with no feature."""
    found: list[tuple[Feature, Entry]] = []
    familiar = strange = 0.0
    for feature, entry in _looked_at(arrays, tree, record):
        if entry:
            found.append((feature, entry))
            familiar += entry.idf**2 if feature.kind == "word" else 0
        elif feature.kind == "word":
            strange += float(arrays.unseen[0]) ** 2
    if not found:
        return [], -1.0
    length = np.sqrt(sum(entry.idf**2 for _, entry in found) + strange)
    return [Known(feature, entry, entry.idf / length) for feature, entry in found], familiar / (familiar + strange or 1.0)


def _looked_at(arrays: Arrays, tree: Tree, record: tuple[str, str]) -> Iterator[tuple[Feature, Entry | None]]:
    """Yield the features of a record, all but the n-grams of common words, each with its entry if the model knows it."""
    branches = Branches.of(tree)
    skip = False
    for feature in named_features(*record):
        if feature.kind == "ngram" and skip:
            continue
        place = int(find(arrays.table, np.uint64(hash_feature(feature.kind, feature.text))))
        entry = read_entry(arrays.entries, place, branches) if place else None
        if feature.kind == "word":
            skip = entry is not None and entry.common
        yield feature, entry


def contributions(arrays: Arrays, tree: Tree, known: list[Known], parent: int) -> NDArray[np.float32]:
    """Return, of shape (features, children), what each feature adds to the score of each child of `parent`."""
    children = tree.children(parent)
    found = np.zeros((len(known), len(children)), np.float32)
    for i, (_, entry, value) in enumerate(known):
        if parent in entry.weights:
            found[i] = value * entry.weights[parent]
    return found * arrays.scale[children.start : children.stop]


def probabilities(arrays: Arrays, tree: Tree, record: tuple[str, str]) -> NDArray[np.float64]:
    """Return the probability of every node: the softmax among siblings, times the parent's."""
    known, _ = vector(arrays, tree, record)
    kind = kind_of(record)
    chances = np.ones(len(tree))
    for parent in range(len(tree)):
        children = tree.children(parent)
        nodes = slice(children.start, children.stop)
        if not children:
            continue
        scores = contributions(arrays, tree, known, parent).sum(axis=0) + arrays.bias[nodes]
        level = tree.depth[parent]
        chances[nodes] = chances[parent] * share_out(scores * arrays.temperature[level, kind], float(arrays.lapse[level, kind]))
    return chances


def share_out(scores: NDArray[np.floating], lapse: float) -> NDArray[np.float64]:
    """Return how siblings share out their parent's probability: the softmax of their scores, and each its part of the lapse."""
    found: NDArray[np.float64] = np.exp(scores.astype(np.float64) - scores.max())
    return np.asarray((1 - lapse) * found / found.sum() + lapse / len(scores))
