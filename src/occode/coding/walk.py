"""The walk down the tree with a beam, compiled: from the hashes of a text to its most probable codes.

`occode.coding.reference` says the same in numpy; a test holds the two equal.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from occode.coding.kernels import FEATURES_PER_BYTE, hash_text

_32 = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
#: How many paths a level keeps, and how much less probable than the best a kept path may be.
BEAM = 4
DROP = np.float32(0.05)
#: The same where more leaves are asked for than `FEW_LEAVES`.
WIDE_BEAM = 8
WIDE_DROP = np.float32(1e-3)
FEW_LEAVES = 3
TITLE, TASKS, BOTH = 0, 1, 2


@numba.njit(cache=True, nogil=True)
def build_table(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return a table, at most half full, of ``high half of the hash << 32 | row + 1``; 0 is an empty place."""
    size = 16
    while size < 2 * len(keys):
        size *= 2
    table = np.zeros(size, np.uint64)
    mask = np.uint64(size - 1)
    for row in range(len(keys)):
        place = keys[row] & mask
        while table[place] != 0:
            place = (place + np.uint64(1)) & mask
        table[place] = (keys[row] >> _32) << _32 | np.uint64(row + 1)
    return table


@numba.njit(cache=True, nogil=True, inline="always")
def _find(table, value):  # type: ignore[no-untyped-def]  # compiled: types are numba's
    """Return the row of a hashed feature, or -1."""
    mask = np.uint64(len(table) - 1)
    place = value & mask
    while table[place] != 0:
        if table[place] >> _32 == value >> _32:
            return np.int64(table[place] & _LOW) - 1
        place = (place + np.uint64(1)) & mask
    return np.int64(-1)


@numba.njit(cache=True, nogil=True)
def _vectorise(table, idf, unseen, hashes, words, count, rows, values):  # type: ignore[no-untyped-def]
    """Write the known features' rows and values; return how many there are and the known share of the words."""
    known = 0
    square = np.float32(0)
    familiar = np.float32(0)
    strange = np.float32(0)
    for i in range(count):
        row = _find(table, hashes[i])
        if row >= 0:
            rows[known] = row
            values[known] = idf[row]
            known += 1
            square += idf[row] * idf[row]
            if words[i]:
                familiar += idf[row] * idf[row]
        elif words[i]:
            strange += unseen * unseen
    if known:
        length = np.sqrt(square + strange)
        for i in range(known):
            values[i] /= length
    total = familiar + strange
    return known, familiar / total if total > 0 else np.float32(0)


@numba.njit(cache=True, nogil=True)
def _expand(  # type: ignore[no-untyped-def]
    parent, chance, temperature, first_child, first_block, block_parent, block_weight, weights, scale, bias,
    rows, values, cursors, known, scores, nodes, chances, count,
):  # fmt: skip
    """Append the children of one parent, each with its probability, to `nodes` and `chances`; return the count."""
    first, last = first_child[parent], first_child[parent + 1]
    width = last - first
    if width == 1:
        nodes[count], chances[count] = first, chance
        return count + 1
    for k in range(width):
        scores[k] = 0
    for i in range(known):
        end = first_block[rows[i] + 1]
        at = cursors[i]
        while at < end and block_parent[at] < parent:
            at += 1
        cursors[i] = at
        if at < end and block_parent[at] == parent:
            start = block_weight[at]
            for k in range(width):
                scores[k] += values[i] * weights[start + k]
    best = np.float32(-1e30)
    for k in range(width):
        scores[k] = (scores[k] * scale[first + k] + bias[first + k]) * temperature
        best = max(best, scores[k])
    total = np.float32(0)
    for k in range(width):
        scores[k] = np.exp(scores[k] - best)
        total += scores[k]
    for k in range(width):
        nodes[count], chances[count] = first + k, chance * scores[k] / total
        count += 1
    return count


@numba.njit(cache=True, nogil=True)
def _keep_best(nodes, chances, count, beam, drop):  # type: ignore[no-untyped-def]
    """Move the `beam` most probable nodes to the front, by falling probability; return how many are kept."""
    kept = 0
    while kept < beam and kept < count:
        best = kept
        for i in range(kept + 1, count):
            if chances[i] > chances[best] or (chances[i] == chances[best] and nodes[i] < nodes[best]):
                best = i
        if kept and chances[best] < drop * chances[0]:
            break
        nodes[kept], nodes[best] = nodes[best], nodes[kept]
        chances[kept], chances[best] = chances[best], chances[kept]
        kept += 1
    return kept


@numba.njit(cache=True, nogil=True)
def _sort_by_node(nodes, chances, count):  # type: ignore[no-untyped-def]
    for i in range(1, count):
        node, chance = nodes[i], chances[i]
        j = i - 1
        while j >= 0 and nodes[j] > node:
            nodes[j + 1], chances[j + 1] = nodes[j], chances[j]
            j -= 1
        nodes[j + 1], chances[j + 1] = node, chance


@numba.njit(cache=True, nogil=True)
def walk(  # type: ignore[no-untyped-def]
    source, bounds, table, idf, first_block, block_parent, block_weight, weights, scale, bias, temperature, unseen,
    first_child, beam, drop, out_node, out_chance, out_leaf, out_leaf_chance, out_known,
):  # fmt: skip
    """Code the records of `bounds` (see `occode.coding.kernels.pack`).

    Writes, a record: `out_node` and `out_chance` (n, L), the most probable node of each level and its
    probability; `out_leaf` and `out_leaf_chance` (n, K), the best leaves by falling probability, -1 where there are no more;
    `out_known`, the share of the words, by squared idf, that the model knows, -1 where it knows no feature at all.
    """
    records = len(bounds) // 2
    longest = 0
    for i in range(records):
        longest = max(longest, bounds[2 * i + 2] - bounds[2 * i])
    room = FEATURES_PER_BYTE * longest + 8
    plain = np.empty(4 * longest + 8, np.uint8)
    hashes, words = np.empty(room, np.uint64), np.empty(room, np.bool_)
    rows, values, cursors = np.empty(room, np.int64), np.empty(room, np.float32), np.empty(room, np.int64)
    widest = 0
    for node in range(len(first_child) - 1):
        widest = max(widest, first_child[node + 1] - first_child[node])
    scores = np.empty(widest, np.float32)
    nodes, chances = np.empty(beam * widest + 1, np.int64), np.empty(beam * widest + 1, np.float32)
    held, held_chances = np.empty(beam, np.int64), np.empty(beam, np.float32)
    levels = len(temperature)
    for record in range(records):
        start, middle, end = bounds[2 * record], bounds[2 * record + 1], bounds[2 * record + 2]
        count = hash_text(source, start, middle, end, plain, hashes, words)
        known, share = _vectorise(table, idf, unseen, hashes, words, count, rows, values)
        out_known[record] = share if known else -1
        kind = BOTH if start < middle < end else (TITLE if start < middle else TASKS)
        for i in range(known):
            cursors[i] = first_block[rows[i]]
        held[0], held_chances[0], width = 0, 1, 1
        for level in range(levels):
            _sort_by_node(held, held_chances, width)
            count = 0
            for i in range(width):
                count = _expand(
                    held[i], held_chances[i], temperature[level, kind], first_child, first_block, block_parent,
                    block_weight, weights, scale, bias, rows, values, cursors, known, scores, nodes, chances, count,
                )  # fmt: skip
            if level < levels - 1:
                width = _keep_best(nodes, chances, count, beam, drop)
                held[:width] = nodes[:width]
                held_chances[:width] = chances[:width]
            else:
                wanted = out_leaf.shape[1]
                width = _keep_best(nodes, chances, count, wanted, np.float32(0))
                for i in range(wanted):
                    out_leaf[record, i] = nodes[i] if i < width else -1
                    out_leaf_chance[record, i] = chances[i] if i < width else 0
            out_node[record, level], out_chance[record, level] = nodes[0], chances[0]
