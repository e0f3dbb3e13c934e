"""One linear SVM per parent node over its children."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from occode.coding.tree import Tree
from occode.training.svm import fit_one

#: The SVMs' penalty: larger fits the corpus closer, smaller does better on titles unlike it (docs/decisions, 26).
PENALTY = 1.0


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
    found: dict[int, Node] = {}
    with ThreadPoolExecutor(threads) as pool:
        for depth in range(tree.levels):
            parents = [node for node in range(len(tree)) if tree.depth[node] == depth and len(tree.children(node)) > 1]
            problems = list(pool.map(lambda parent: _problem(matrix, weights, leaves, above, tree, parent), parents))
            tasks = [(problem, child) for problem in problems for child in problem.children]
            solved = dict(zip(tasks, pool.map(_solve, tasks), strict=True))
            for parent, problem in zip(parents, problems, strict=True):
                found[parent] = _node(problem, [solved[problem, child] for child in problem.children])
                progress()
    return found


@dataclass(frozen=True, eq=False)
class _Problem:
    """The rows of one parent, over the columns that they use; `child` is each row's child, -1 where it goes no deeper."""

    columns: NDArray[np.int32]
    starts: NDArray[np.int32]
    places: NDArray[np.int32]
    values: NDArray[np.float32]
    cost: NDArray[np.float64]
    child: NDArray[np.int32]
    children: range


def _problem(
    matrix: sp.csr_matrix,
    weights: NDArray[np.float32],
    leaves: NDArray[np.int32],
    above: NDArray[np.int32],
    tree: Tree,
    parent: int,
) -> _Problem:
    depth = int(tree.depth[parent])
    mine = np.flatnonzero(above[leaves, depth] == parent)
    rows = matrix[mine]
    columns, places = _by_frequency(rows.indices, matrix.shape[1])
    cost = PENALTY * weights[mine].astype(np.float64)
    child = above[leaves[mine], depth + 1]
    return _Problem(columns, rows.indptr, places, rows.data, cost, child, tree.children(parent))


def _by_frequency(indices: NDArray[np.int32], width: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the columns in use, the most frequent first, so that their weights share the cache, and the place of each index."""
    used: NDArray[np.integer]
    if len(indices) < width:
        used, counts = np.unique(indices, return_counts=True)
    else:
        every = np.bincount(indices, minlength=width)
        used = np.flatnonzero(every)
        counts = every[used]
    columns = used[np.argsort(-counts, kind="stable")].astype(np.int32)
    rank = np.empty(width, np.int32)
    rank[columns] = np.arange(len(columns), dtype=np.int32)
    return columns, rank[indices]


def _solve(task: tuple[_Problem, int]) -> tuple[NDArray[np.float32], float]:
    problem, child = task
    truth = problem.child == child
    if truth.all() or not truth.any():
        return np.zeros(len(problem.columns), np.float32), 1.0 if truth.any() else -1.0
    return fit_one(problem.starts, problem.places, problem.values, len(problem.columns), truth, problem.cost)


def _node(problem: _Problem, solved: list[tuple[NDArray[np.float32], float]]) -> Node:
    weights, bias = zip(*solved, strict=True)
    return Node(problem.columns, np.stack(weights), np.array(bias, np.float32))


def ancestors(tree: Tree) -> NDArray[np.int32]:
    """Return, of shape (nodes, levels + 2), each node's ancestor at each depth; -1 below the node itself."""
    parent = tree.parent
    found = np.full((len(tree), tree.levels + 2), -1, np.int32)
    for node in range(len(tree)):
        found[node] = found[parent[node]] if node else -1
        found[node, tree.depth[node]] = node
    return found
