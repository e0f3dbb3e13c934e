"""The memory of a model: a hash table of features, and an entry a feature that holds all its weights in one piece.

An entry starts at a multiple of four bytes:

======================  =================================================================================
float32                 the feature's inverse document frequency
uint16                  how many blocks there are: one a parent node for which the feature has weights
uint16                  1 where the feature is a word whose n-grams are not looked at, else 0
uint16, uint16          of each block, by ascending parent: the parent, and where its weights start
int8                    the weights of all blocks, one a child: the SVM's weight in steps of the child's ``scale``
======================  =================================================================================

One record in memory a feature instead of one in each of several arrays: the walk waits for memory, not for arithmetic.
"""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

_32 = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
#: The table is at most this full.
FULLEST = 0.7
#: Bytes of an entry before its blocks, and of a block.
HEAD, BLOCK = 8, 4


@dataclass(frozen=True)
class Entry:
    """One entry, unpacked: `weights` (children,) by parent."""

    idf: float
    common: bool
    weights: dict[int, NDArray[np.int8]]


@dataclass(frozen=True)
class Blocks:
    """The weights of F features in B blocks, by feature and then by parent.

    `feature` and `parent` (B,) say whose they are, `width` (B,) how many children the parent has, `weights` are those of all
    blocks, one after the other.
    """

    feature: NDArray[np.int64]
    parent: NDArray[np.uint16]
    width: NDArray[np.int64]
    weights: NDArray[np.int8]


def write_entries(
    idf: NDArray[np.float32], common: NDArray[np.bool_], blocks: Blocks
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the entries of F features and their places, counted in four bytes; the first place is 1."""
    count = np.bincount(blocks.feature, minlength=len(idf))
    room = np.bincount(blocks.feature, blocks.width, minlength=len(idf)).astype(np.int64)
    size = (HEAD + BLOCK * count + room + 3) // 4
    place = 1 + np.cumsum(size) - size
    found = np.zeros(4 * int(1 + size.sum()), np.uint8)
    found.view(np.float32)[place] = idf
    halves = found.view(np.uint16)
    halves[2 * place + 2], halves[2 * place + 3] = count, common
    first = np.cumsum(count) - count
    start = np.cumsum(blocks.width) - blocks.width
    within = start - np.repeat((np.cumsum(room) - room), count)
    at = 2 * place[blocks.feature] + HEAD // 2 + 2 * (np.arange(len(blocks.feature)) - np.repeat(first, count))
    halves[at], halves[at + 1] = blocks.parent, within
    target = 4 * place[blocks.feature] + HEAD + BLOCK * np.repeat(count, count) + within
    found.view(np.int8)[np.repeat(target - start, blocks.width) + np.arange(len(blocks.weights))] = blocks.weights
    return found, place


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


@numba.njit(cache=True, nogil=True)
def find(table, value):  # type: ignore[no-untyped-def]  # compiled: types are numba's
    """Return the place of a hashed feature's entry, or 0."""
    mask = np.uint64(len(table) - 1)
    at = value & mask
    while table[at] != 0:
        if table[at] >> _32 == value >> _32:
            return np.int64(table[at] & _LOW)
        at = (at + np.uint64(1)) & mask
    return np.int64(0)


def read_entry(entries: NDArray[np.uint8], place: int, widths: NDArray[np.int64]) -> Entry:
    """Unpack the entry at `place`; `widths` are the numbers of children of all nodes."""
    halves = entries.view(np.uint16)
    count, common = int(halves[2 * place + 2]), bool(halves[2 * place + 3])
    pairs = halves[2 * place + HEAD // 2 :][: 2 * count].reshape(count, 2)
    weights = entries.view(np.int8)[4 * place + HEAD + BLOCK * count :]
    found = {int(parent): weights[start : start + widths[parent]] for parent, start in pairs.astype(np.int64)}
    return Entry(float(entries.view(np.float32)[place]), common, found)
