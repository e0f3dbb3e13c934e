"""The coder in numpy and plain Python: slow, readable, and what the compiled walk is tested against."""

import numpy as np
from numpy.typing import NDArray

from occode.coding.features import hash_feature, named_features
from occode.coding.model import Arrays
from occode.coding.tree import Tree
from occode.coding.walk import BOTH, TASKS, TITLE


def vector(arrays: Arrays, record: tuple[str, str]) -> tuple[list[tuple[int, float]], float]:
    """Return the known features of a record as (row, value), and the known share of its words, -1 with no feature."""
    found: list[int] = []
    familiar = strange = 0.0
    unseen = float(arrays.unseen[0]) ** 2
    for kind, _, text in named_features(*record):
        value = np.uint64(hash_feature(kind, text))
        row = int(np.searchsorted(arrays.keys, value))
        if row < len(arrays.keys) and arrays.keys[row] == value:
            found.append(row)
            familiar += float(arrays.idf[row]) ** 2 if kind == "word" else 0
        elif kind == "word":
            strange += unseen
    if not found:
        return [], -1.0
    length = np.sqrt(sum(float(arrays.idf[row]) ** 2 for row in found) + strange)
    return [(row, float(arrays.idf[row]) / length) for row in found], familiar / (familiar + strange or 1.0)


def contributions(arrays: Arrays, tree: Tree, features: list[tuple[int, float]], parent: int) -> NDArray[np.float32]:
    """Return, of shape (features, children), what each feature adds to the score of each child of `parent`."""
    children = tree.children(parent)
    found = np.zeros((len(features), len(children)), np.float32)
    for i, (row, value) in enumerate(features):
        blocks = slice(arrays.first_block[row], arrays.first_block[row + 1])
        at = np.flatnonzero(arrays.block_parent[blocks] == parent)
        if len(at):
            start = arrays.block_weight[blocks][at[0]]
            found[i] = value * arrays.weights[start : start + len(children)]
    return found * arrays.scale[children.start : children.stop]


def probabilities(arrays: Arrays, tree: Tree, record: tuple[str, str]) -> NDArray[np.float64]:
    """Return the probability of every node: the softmax among siblings, times the parent's."""
    features, _ = vector(arrays, record)
    title, tasks = record
    kind = BOTH if title and tasks else (TITLE if title else TASKS)
    chances = np.ones(len(tree))
    for parent in range(len(tree)):
        children = tree.children(parent)
        nodes = slice(children.start, children.stop)
        if not children:
            continue
        scores = contributions(arrays, tree, features, parent).sum(axis=0) + arrays.bias[nodes]
        scores = scores * arrays.temperature[tree.depth[parent], kind]
        shares = np.exp(scores - scores.max())
        chances[nodes] = chances[parent] * shares / shares.sum()
    return chances
