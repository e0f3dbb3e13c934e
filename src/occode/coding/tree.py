"""The classification as arrays: nodes numbered level by level, so that a parent's children stand together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from occode.classification import Classification


@dataclass(frozen=True)
class Tree:
    """The nodes of a classification; node 0 is the root.

    `codes` has a code a node (the root's is empty); the children of node i are the nodes
    ``first_child[i]`` to ``first_child[i + 1] - 1``; `depth` is 0 for the root, 1 for the top level, and so on.
    """

    codes: tuple[str, ...]
    first_child: NDArray[np.int32]
    depth: NDArray[np.int32]

    @classmethod
    def of(cls, classification: Classification) -> "Tree":
        """Number the nodes of `classification` level by level, by code within a level."""
        codes = ["", *sorted(classification.categories, key=lambda code: (len(code), code))]
        first = np.zeros(len(codes) + 1, np.int32)
        first[0] = 1
        for i, code in enumerate(codes):
            first[i + 1] = first[i] + len(classification.children.get(code, ()))
        depths = [0, *(classification.levels.index(len(code)) + 1 for code in codes[1:])]
        return cls(tuple(codes), first, np.array(depths, np.int32))

    def __len__(self) -> int:
        return len(self.codes)

    def children(self, node: int) -> range:
        """Return the children of a node."""
        return range(int(self.first_child[node]), int(self.first_child[node + 1]))

    @property
    def levels(self) -> int:
        """How many levels there are below the root."""
        return int(self.depth[-1])

    @property
    def parent(self) -> NDArray[np.int32]:
        """The parent of each node; the root is its own."""
        parents = np.zeros(len(self), np.int32)
        for node in range(len(self)):
            parents[self.first_child[node] : self.first_child[node + 1]] = node
        return parents
