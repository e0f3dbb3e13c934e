"""The memory of a model: a hash table of features, and an entry a feature that holds all its weights in one piece.

An entry starts at a multiple of four bytes:

======================  =================================================================================
float32                 the feature's inverse document frequency
uint16                  how many slots there are, a power of two
uint16                  1 where the feature is a word whose n-grams are not looked at, else 0
uint16, uint16          of each slot: a parent node for which the feature has weights, and where they start;
                        `EMPTY` where there is none. A parent is in slot ``parent % slots`` or in the next ones
int8                    the weights, one a child of a parent: the SVM's weight in steps of the child's ``scale``
======================  =================================================================================

`halves` and `floats` below are the entries as 16-bit and as 32-bit numbers; a node's number is below 65,535.
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
#: Bytes of an entry before its slots, and of a slot.
HEAD, SLOT = 8, 4
#: The parent of a slot without one.
EMPTY = np.uint16(0xFFFF)
#: Slots are at most this full, so that a parent that is not there is soon missed.
FULLEST_SLOTS = 0.75


@dataclass(frozen=True)
class Entry:
    """One entry, unpacked: `weights` (children,) by parent."""

    idf: float
    common: bool
    weights: dict[int, NDArray[np.int8]]


@dataclass(frozen=True)
class Blocks:
    """The weights of F features in B blocks, each those of one feature for the children of one parent, by feature.

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
    slots = 2 ** np.ceil(np.log2(np.maximum(1, count / FULLEST_SLOTS))).astype(np.int64)
    room = np.bincount(blocks.feature, blocks.width, minlength=len(idf)).astype(np.int64)
    size = (HEAD + SLOT * slots + room + 3) // 4
    place = 1 + np.cumsum(size) - size
    found = np.zeros(4 * int(1 + size.sum()), np.uint8)
    found.view(np.float32)[place] = idf
    halves = found.view(np.uint16)
    halves[2 * place + 2], halves[2 * place + 3] = slots, common
    _fill(halves, found.view(np.int8), place, slots, blocks.feature, blocks.parent, blocks.width, blocks.weights)
    return found, place


@numba.njit(cache=True, nogil=True)
def _fill(halves, bytes_, place, slots, feature, parent, width, weights):  # type: ignore[no-untyped-def]  # compiled: types are numba's
    """Write the slots and the weights of all entries."""
    for f in range(len(place)):
        first = 2 * place[f] + HEAD // 2
        for slot in range(slots[f]):
            halves[first + 2 * slot] = EMPTY
    start = source = 0
    for b in range(len(feature)):
        f = feature[b]
        if b == 0 or feature[b - 1] != f:
            start = 0
        first = 2 * place[f] + HEAD // 2
        slot = np.int64(parent[b]) & (slots[f] - 1)
        while halves[first + 2 * slot] != EMPTY:
            slot = (slot + 1) & (slots[f] - 1)
        halves[first + 2 * slot], halves[first + 2 * slot + 1] = parent[b], start
        target = 2 * first + SLOT * slots[f] + start
        bytes_[target : target + width[b]] = weights[source : source + width[b]]
        start += width[b]
        source += width[b]


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
def find(table, value):  # type: ignore[no-untyped-def]
    """Return the place of a hashed feature's entry, or 0."""
    mask = np.uint64(len(table) - 1)
    at = value & mask
    while table[at] != 0:
        if table[at] >> _32 == value >> _32:
            return np.int64(table[at] & _LOW)
        at = (at + np.uint64(1)) & mask
    return np.int64(0)


@numba.njit(cache=True, nogil=True, inline="always")
def find_weights(halves, place, parent):  # type: ignore[no-untyped-def]
    """Return where the weights of the entry at `place` for the children of `parent` start, or -1."""
    slots = np.int64(halves[2 * place + 2])
    first = 2 * place + HEAD // 2
    slot = parent & (slots - 1)
    while halves[first + 2 * slot] != parent:
        if halves[first + 2 * slot] == EMPTY:
            return np.int64(-1)
        slot = (slot + 1) & (slots - 1)
    return 2 * first + SLOT * slots + np.int64(halves[first + 2 * slot + 1])


def read_entry(entries: NDArray[np.uint8], place: int, widths: NDArray[np.int64]) -> Entry:
    """Unpack the entry at `place`; `widths` are the numbers of children of all nodes."""
    halves = entries.view(np.uint16)
    slots, common = int(halves[2 * place + 2]), bool(halves[2 * place + 3])
    pairs = halves[2 * place + HEAD // 2 :][: 2 * slots].reshape(slots, 2)
    weights = entries.view(np.int8)[4 * place + HEAD + SLOT * slots :]
    found = {parent: weights[start : start + widths[parent]] for parent, start in pairs.tolist() if parent != EMPTY}
    return Entry(float(entries.view(np.float32)[place]), common, found)
