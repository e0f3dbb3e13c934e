"""One linear SVM per parent node over its children."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from occode.coding.tree import Tree
from occode.training.svm import fit_one

#: The SVMs' penalty: larger fits the corpus closer.
PENALTY = 2.0


@dataclass(frozen=True)
class Node:
    """The SVMs of one parent: `weights` of shape (children, columns) over `columns` of the vocabulary."""

    columns: NDArray[np.int32]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


def fit(
    matrix: sp.csr_matrix,
    codes: list[str],
    weights: NDArray[np.float32],
    tree: Tree,
    *,
    threads: int = 2,
    progress: Callable[[], None] = lambda: None,
) -> dict[int, Node]:
    """Fit every parent with more than one child; parents run in parallel and the result does not depend on it.

    A row belongs to a parent when its code is the parent or below. Rows of the parent itself, which go no deeper,
    are negative for every child: there the scores come out low and alike, and the coder backs off.

    Returns
    -------
    dict
        The fitted `Node` of each parent by its number in `tree`.
    """
    row_nodes = {code: i for i, code in enumerate(tree.codes)}
    leaves = np.array([row_nodes[code] for code in codes], np.int32)
    above = ancestors(tree)
    parents = [node for node in range(len(tree)) if len(tree.children(node)) > 1]

    def work(parent: int) -> tuple[int, Node]:
        depth = int(tree.depth[parent])
        mine = np.flatnonzero(above[leaves, depth] == parent)
        child = above[leaves[mine], depth + 1]
        node = _fit_node(matrix[mine], child, weights[mine], tree.children(parent))
        progress()
        return parent, node

    with ThreadPoolExecutor(threads) as pool:
        return dict(pool.map(work, parents))


def ancestors(tree: Tree) -> NDArray[np.int32]:
    """Return, of shape (nodes, levels + 2), each node's ancestor at each depth; -1 below the node itself."""
    parent = tree.parent
    found = np.full((len(tree), tree.levels + 2), -1, np.int32)
    for node in range(len(tree)):
        found[node] = found[parent[node]] if node else -1
        found[node, tree.depth[node]] = node
    return found


def _fit_node(rows: sp.csr_matrix, child: NDArray[np.int32], weights: NDArray[np.float32], children: range) -> Node:
    columns, inverse = np.unique(rows.indices, return_inverse=True)
    narrow = inverse.astype(np.int32)
    cost = PENALTY * weights.astype(np.float64)
    fitted = np.zeros((len(children), len(columns)), np.float32)
    bias = np.full(len(children), -1, np.float32)
    for i, node in enumerate(children):
        truth = child == node
        if truth.all():
            bias[i] = 1
        elif truth.any():
            fitted[i], bias[i] = fit_one(rows.indptr, narrow, rows.data, len(columns), truth, cost)
    return Node(columns.astype(np.int32), fitted, bias)
