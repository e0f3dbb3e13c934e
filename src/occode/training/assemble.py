"""Fitted SVMs to the arrays that the coder walks: weights quantised, all of a feature in one entry."""

import numpy as np

from occode.coding.entries import Blocks, Branches, build_table, write_entries
from occode.coding.model import Arrays
from occode.coding.tree import Tree
from occode.training.calibrate import lapses
from occode.training.fit import Node
from occode.training.vectorise import Vocabulary

#: Weights below this many of the 127 steps are noise: without them accuracy is the same and the model half as large.
SMALLEST = 10


def assemble(
    vocabulary: Vocabulary, nodes: dict[int, Node], tree: Tree, temperature: np.ndarray, smallest: int = SMALLEST
) -> Arrays:
    """Lay out the weights so that all of a feature's stand together, by parent, the most frequent features first.

    Each child's weights become 8-bit multiples of a step of its own; a feature whose weights under a parent are all below
    `smallest` steps takes no room there, and one without any is dropped, unless it is a word whose n-grams are not looked at.
    """
    branches = Branches.of(tree)
    scale, bias = np.zeros(len(tree), np.float32), np.zeros(len(tree), np.float32)
    columns, parents, parts = [], [], []
    for parent in sorted(nodes):
        node, children = nodes[parent], tree.children(parent)
        step = np.abs(node.weights).max(axis=1, initial=0) / 127
        step[step == 0] = 1
        scale[children.start : children.stop] = step
        bias[children.start : children.stop] = node.bias
        rounded = np.rint(node.weights / step[:, None]).astype(np.int8).T
        kept = (np.abs(rounded) >= smallest).any(axis=1)
        columns.append(node.columns[kept])
        parents.append(np.full(int(kept.sum()), parent, np.int64))
        parts.append(rounded[kept])
    used = vocabulary.common.copy()
    for column in columns:
        used[column] = True
    kept_columns = np.flatnonzero(used)
    kept_columns = kept_columns[np.argsort(vocabulary.idf[kept_columns], kind="stable")]
    rank = np.zeros(len(used), np.int64)
    rank[kept_columns] = np.arange(len(kept_columns))
    blocks = _in_order(rank[np.concatenate(columns)], np.concatenate(parents), parts, branches)
    entries, places = write_entries(vocabulary.idf[kept_columns], vocabulary.common[kept_columns], blocks, branches)
    return Arrays(
        table=build_table(vocabulary.keys[kept_columns], places),
        entries=entries,
        scale=scale,
        bias=bias,
        temperature=temperature.astype(np.float32),
        unseen=np.array([vocabulary.unseen], np.float32),
        lapse=lapses(tree.levels),
    )


def _in_order(feature: np.ndarray, parent: np.ndarray, parts: list[np.ndarray], branches: Branches) -> Blocks:
    """Sort blocks, given parent by parent as arrays of shape (blocks, children), by feature and depth first."""
    width = np.concatenate([np.full(len(part), part.shape[1], np.int64) for part in parts])
    order = np.lexsort((branches.order[parent], feature))
    source = np.cumsum(width) - width
    target = np.cumsum(width[order]) - width[order]
    flat = np.concatenate([part.ravel() for part in parts])
    take = np.repeat(source[order] - target, width[order]) + np.arange(len(flat))
    return Blocks(feature[order], parent[order], flat[take])
