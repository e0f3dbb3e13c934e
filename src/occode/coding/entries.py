"""The memory of a model: a hash table of features, and an entry a feature that holds all its weights in one piece.

An entry is a small tree of its own: of the classification's, those branches in which the feature has weights. It starts at a
multiple of four bytes with the feature's inverse document frequency (float32) and with a uint16 that is 1 where the feature
is a word whose n-grams are not looked at. The block of the topmost node with more than one child follows, and after it
those of the nodes below, depth first. The block of a node with c children:

======================  =================================================================================
uint16 (c + 15) // 16   a bit a child, the first child's the lowest: whether there is a block further down on its side
int8, c and to even     the weights, one a child: the SVM's weight in steps of the child's ``scale``
uint16                  of each child that has its bit set: how many 16-bit numbers from the start of this block to that
                        of the next one on the child's side. Nodes with one child have no block, and are passed over
======================  =================================================================================

So the walk never searches: where it goes down, it follows the offsets of those features that have any, and leaves the others
behind. `halves` and `floats` below are the entries as 16-bit and as 32-bit numbers, a place is counted in 16-bit numbers.
"""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from occode.coding.kernels import kernel
from occode.coding.tree import Tree

_32 = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_1, _2, _4, _56 = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(56)
_5555, _3333 = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333)
_0F0F, _0101 = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)
#: The table is at most this full.
FULLEST = 0.7
#: 16-bit numbers of an entry before its first block.
HEAD = 3
#: Bytes after the last entry: weights are read eight at a time.
SLACK = 8


@dataclass(frozen=True)
class Entry:
    """One entry, unpacked: `weights` (children,) by parent."""

    idf: float
    common: bool
    weights: dict[int, NDArray[np.int8]]


@dataclass(frozen=True)
class Blocks:
    """The weights of F features in B blocks, each those of one feature for the children of one parent.

    `feature` and `parent` (B,) say whose they are: sorted by feature and then by `Branches.order`, which `write_entries` relies
    on, and no parent with fewer than two children among them; `weights` are those of all blocks, one after the other.
    """

    feature: NDArray[np.int64]
    parent: NDArray[np.int64]
    weights: NDArray[np.int8]


@dataclass(frozen=True)
class Branches:
    """A tree's nodes with more than one child, by node: those that have blocks.

    Each array has shape (N,): `width`, the number of children; `above`, the nearest node further up that has more than one
    child, -1 where there is none; `turn`, on the side of which of its children this node is; `order`, the node's place in a
    walk depth first.
    """

    width: NDArray[np.int64]
    above: NDArray[np.int64]
    turn: NDArray[np.int64]
    order: NDArray[np.int64]

    @classmethod
    def of(cls, tree: Tree) -> "Branches":
        """Read the branches off a tree."""
        width = np.diff(tree.first_child).astype(np.int64)
        parent = tree.parent
        above, turn = np.full(len(tree), -1, np.int64), np.zeros(len(tree), np.int64)
        for node in range(1, len(tree)):  # a parent's number is below its children's
            up = int(parent[node])
            above[node], turn[node] = (up, node - tree.first_child[up]) if width[up] > 1 else (above[up], turn[up])
        order = np.argsort(np.argsort(np.array(tree.codes), kind="stable"), kind="stable")
        return cls(width, above, turn, order)

    @property
    def top(self) -> int:
        """The topmost node that has more than one child."""
        return int(np.flatnonzero((self.width > 1) & (self.above < 0))[0])


def write_entries(
    idf: NDArray[np.float32], common: NDArray[np.bool_], blocks: Blocks, branches: Branches
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the entries of F features and their places; no place is 0.

    Raises
    ------
    ValueError
        An entry is too long for its offsets: the tree has tens of thousands of nodes.
    """
    first = np.searchsorted(blocks.feature, np.arange(len(idf) + 1))
    size = branches.width[blocks.parent]
    source = np.cumsum(size) - size
    halves, place = _write(
        idf, common, first, blocks.parent, source, blocks.weights, branches.width, branches.above, branches.turn, branches.top
    )
    return halves.view(np.uint8), place


@numba.njit(cache=True, nogil=True)
def _write(idf, common, first, parent, source, weights, width, above, turn, top):  # type: ignore[no-untyped-def]  # compiled
    halves = np.zeros(1 << 16, np.uint16)
    place = np.empty(len(idf), np.int64)
    nodes = len(width)
    node, up, own = np.empty(nodes, np.int64), np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    start, below = np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    end = 2
    for f in range(len(idf)):
        count = _branch_out(first[f], first[f + 1], parent, above, top, node, up, own, below)
        place[f] = end
        end += HEAD
        for b in range(count):
            start[b] = end
            end += first_offset(width[node[b]]) + below[b]
        end += end % 2
        while end + SLACK // 2 > len(halves):
            larger = np.zeros(2 * len(halves), np.uint16)
            larger[: len(halves)] = halves
            halves = larger
        halves.view(np.float32)[place[f] // 2] = idf[f]
        halves[place[f] + 2] = common[f]
        below[:count] = 0
        for b in range(count):
            children = width[node[b]]
            target = 2 * (start[b] + masks(children))
            if own[b] >= 0:
                halves.view(np.int8)[target : target + children] = weights[source[own[b]] : source[own[b]] + children]
            if b:
                a, side = up[b], turn[node[b]]
                offset = start[b] - start[a]
                if offset > 0xFFFF:
                    raise ValueError("an entry is too long: the classification has too many categories")
                halves[start[a] + side // 16] |= np.uint16(1 << side % 16)
                halves[start[a] + first_offset(width[node[a]]) + below[a]] = offset
                below[a] += 1
    return halves[: end + SLACK // 2].copy(), place


@numba.njit(cache=True, nogil=True)
def _branch_out(begin, end, parent, above, top, node, up, own, below):  # type: ignore[no-untyped-def]
    """Write the nodes of an entry, depth first, those between them too; return how many there are.

    `up` becomes the place of the next node further up, `own` the block with its weights or -1, `below` its next nodes further down.
    """
    node[0], up[0], own[0], below[0] = top, -1, -1, 0
    count = 1
    path = np.empty(len(above), np.int64)
    for block in range(begin, end):
        depth = 0
        at = parent[block]
        last = count - 1  # where the path to the new node leaves that to the last one
        while True:
            place = last
            while place >= 0 and node[place] != at:
                place = up[place]
            if place >= 0:
                break
            path[depth] = at
            depth += 1
            at = above[at]
        for i in range(depth - 1, -1, -1):
            node[count], up[count], own[count], below[count] = path[i], place, -1, 0
            below[place] += 1
            place = count
            count += 1
        own[place] = block
    return count


@kernel
def masks(width):  # type: ignore[no-untyped-def]
    """Return how many 16-bit numbers have a bit for each of `width` children."""
    return (width + 15) // 16


@kernel
def first_offset(width):  # type: ignore[no-untyped-def]
    """Return where in the block of a node with `width` children the offsets start."""
    return masks(width) + (width + 1) // 2


@numba.njit(cache=True, nogil=True)
def build_table(keys: NDArray[np.uint64], places: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return a table of ``high half of the hash << 32 | place``, open, probed one by one, 0 where empty."""
    size = 16
    while FULLEST * size < len(keys):
        size *= 2
    table = np.zeros(size, np.uint64)
    mask = np.uint64(size - 1)
    for i in range(len(keys)):
        at = keys[i] & mask
        while table[at] != 0:
            at = (at + np.uint64(1)) & mask
        table[at] = (keys[i] >> _32) << _32 | np.uint64(places[i])
    return table


@kernel
def find(table, value):  # type: ignore[no-untyped-def]
    """Return the place of a hashed feature's entry, or 0."""
    mask = np.uint64(len(table) - 1)
    at = value & mask
    while table[at] != 0:
        if table[at] >> _32 == value >> _32:
            return table[at] & _LOW
        at = (at + np.uint64(1)) & mask
    return np.uint64(0)


@kernel
def descend(halves, places, values, begin, end, width, child, target):  # type: ignore[no-untyped-def]
    """Follow the blocks ``places[begin:end]`` of a node with `width` children to the side of `child`; return how many get there.

    Writes the places of the next blocks, and the values of their features, from `target` on, where there has to be room for all.
    """
    word, bit = np.uint64(child // 16), np.uint64(child % 16)
    offsets, lower = np.uint64(first_offset(width)), (_1 << bit) - _1
    kept = np.int64(0)
    for i in range(begin, end):
        if width == 1:  # its child's blocks are its own
            places[target + kept], values[target + kept] = places[i], values[i]
            kept += 1
            continue
        place = places[i]
        mask = np.uint64(halves[place + word])
        rank = _ones(mask & lower)
        for earlier in range(word):
            rank += _ones(np.uint64(halves[place + earlier]))
        places[target + kept], values[target + kept] = place + np.uint64(halves[place + offsets + rank]), values[i]
        kept += np.int64((mask >> bit) & _1)
    return kept


@kernel
def _ones(bits):  # type: ignore[no-untyped-def]
    """Count the ones of 64 bits, in the way that compilers know (Warren, Hacker's Delight, 2nd ed., section 5-1)."""
    bits = bits - ((bits >> _1) & _5555)
    bits = (bits & _3333) + ((bits >> _2) & _3333)
    return (((bits + (bits >> _4)) & _0F0F) * _0101) >> _56


def read_entry(entries: NDArray[np.uint8], place: int, branches: Branches) -> Entry:
    """Unpack the entry at `place`, in plain Python: what the walk's reading is tested against."""
    halves, weights = entries.view(np.uint16), entries.view(np.int8)
    found: dict[int, NDArray[np.int8]] = {}
    waiting = [(branches.top, place + HEAD)]
    while waiting:
        node, at = waiting.pop()
        width = int(branches.width[node])
        words = (width + 15) // 16
        mask = sum(int(halves[at + i]) << 16 * i for i in range(words))
        found[node] = weights[2 * (at + words) :][:width]
        offset = at + words + (width + 1) // 2
        for side in range(width):
            if mask >> side & 1:
                (further,) = np.flatnonzero((branches.above == node) & (branches.turn == side) & (branches.width > 1))
                waiting.append((int(further), at + int(halves[offset])))
                offset += 1
    return Entry(float(entries.view(np.float32)[place // 2]), bool(halves[place + 2]), found)
