"""Fitted SVMs to the flat arrays that the coder walks: weights quantised, laid out feature by feature."""

import numpy as np

from occode.coding.model import Arrays
from occode.coding.tree import Tree
from occode.coding.walk import build_table
from occode.training.fit import Node
from occode.training.vectorise import Vocabulary

#: Weights below this many of the 127 steps are noise: without them accuracy is the same and the model half as large.
SMALLEST = 10


def assemble(
    vocabulary: Vocabulary, nodes: dict[int, Node], tree: Tree, temperature: np.ndarray, smallest: int = SMALLEST
) -> Arrays:
    """Lay out the weights so that all of a feature's stand together, by parent.

    Each child's weights become 8-bit multiples of a step of its own; a feature whose weights under a parent are all below
    `smallest` steps takes no room there, and one without any is dropped.
    """
    scale, bias = np.zeros(len(tree), np.float32), np.zeros(len(tree), np.float32)
    columns, parents, widths, parts = [], [], [], []
    for parent in sorted(nodes):
        node, children = nodes[parent], tree.children(parent)
        step = np.abs(node.weights).max(axis=1, initial=0) / 127
        step[step == 0] = 1
        scale[children.start : children.stop] = step
        bias[children.start : children.stop] = node.bias
        rounded = np.rint(node.weights / step[:, None]).astype(np.int8).T
        kept = (np.abs(rounded) >= smallest).any(axis=1)
        columns.append(node.columns[kept])
        parents.append(np.full(int(kept.sum()), parent, np.uint16))
        widths.append(np.full(int(kept.sum()), len(children), np.int64))
        parts.append(rounded[kept])
    column, parent_of, width = np.concatenate(columns), np.concatenate(parents), np.concatenate(widths)
    order = np.lexsort((parent_of, column))
    source = np.cumsum(width) - width
    target = np.cumsum(width[order]) - width[order]
    flat = np.concatenate([part.ravel() for part in parts])
    take = np.repeat(source[order] - target, width[order]) + np.arange(len(flat))
    used, blocks = np.unique(column, return_counts=True)
    keys = vocabulary.keys[used]
    return Arrays(
        keys=keys,
        idf=vocabulary.idf[used],
        first_block=np.concatenate([[0], np.cumsum(blocks)]).astype(np.int32),
        block_parent=parent_of[order],
        block_weight=target.astype(np.uint32),
        weights=flat[take],
        scale=scale,
        bias=bias,
        table=build_table(keys),
        temperature=temperature.astype(np.float32),
        unseen=np.array([vocabulary.unseen], np.float32),
    )
