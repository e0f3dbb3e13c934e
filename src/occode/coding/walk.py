"""The walk down the tree with a beam, compiled: from the bytes of a text to its most probable codes.

`occode.coding.reference` says the same in numpy; a test holds the two equal.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from occode.coding.decide import NOTHING, decide
from occode.coding.entries import HEAD, descend, masks
from occode.coding.kernels import FEATURES_PER_BYTE, hash_ngrams, hash_text, kernel
from occode.coding.record import BOTH, TASKS, TITLE

#: How many paths a level keeps, and how much less probable than the best a kept path may be.
BEAM = 4
DROP = np.float32(0.05)
#: The same where more leaves are asked for than `FEW_LEAVES`.
WIDE_BEAM = 8
WIDE_DROP = np.float32(1e-3)
FEW_LEAVES = 3
_32, _LOW, _1 = np.uint64(32), np.uint64(0xFFFFFFFF), np.uint64(1)
_2, _8, _HEAD = np.uint64(2), np.uint64(8), np.uint64(HEAD)


class Walked(NamedTuple):
    """What `walk` finds for n records, over L levels and with K leaves; probabilities have six decimals.

    `node` and `chance` (n, L): the most probable node of each level and its probability; `code` and `confidence` (n,): the
    node that is the code, `NOTHING` where none is sure enough, and its probability; `leaf` and `leaf_chance` (n, K): the best
    leaves by falling probability, `NOTHING` where there are no more; `known` (n,): the share of the words, by squared idf, that the
    model knows, -1 where it knows no feature of the text at all: that is never coded.
    """

    node: NDArray[np.int32]
    chance: NDArray[np.float64]
    code: NDArray[np.int32]
    confidence: NDArray[np.float64]
    leaf: NDArray[np.int32]
    leaf_chance: NDArray[np.float64]
    known: NDArray[np.float32]


@kernel
def _look_up(table, floats, hashes, first, last, found, idfs):  # type: ignore[no-untyped-def]  # compiled: types are numba's
    """Write of ``hashes[first:last]`` where their entries are, 0 where there is none, and their idf.

    Step by step for all of them, so that the memory is asked for many at once.
    """
    mask = np.uint64(len(table) - 1)
    for i in range(first, last):
        found[i] = table[hashes[i] & mask]
    for i in range(first, last):
        value = hashes[i]
        seen, at = found[i], value & mask
        while (seen != 0) & (seen >> _32 != value >> _32):
            at = (at + _1) & mask
            seen = table[at]
        found[i] = seen & _LOW
    for i in range(first, last):
        idfs[i] = floats[found[i] >> _1]


@kernel
def _vectorise(table, halves, floats, unseen, plain, hashes, words, count, found, places, values):  # type: ignore[no-untyped-def]
    """Write where the known features' topmost blocks are and their values; return how many and the known share of the words."""
    _look_up(table, floats, hashes, np.uint64(0), count, found, values)
    familiar = strange = np.float32(0)
    every = count
    for i in range(count):
        if words[i]:
            familiar += values[i] * values[i]
            strange += np.float32(0) if found[i] else unseen * unseen
            if (found[i] == 0) | (halves[found[i] + _2] == 0):
                every = hash_ngrams(plain, words[i], hashes, every)
    _look_up(table, floats, hashes, count, every, found, values)
    known = np.uint64(0)
    square = np.float32(0)
    for i in range(every):
        places[known], values[known] = found[i] + _HEAD, values[i]
        square += values[i] * values[i]
        known += np.uint64(found[i] > 0)
    length = np.sqrt(square + strange)
    for i in range(known):
        values[i] /= length
    total = familiar + strange
    return np.int64(known), familiar / total if total > 0 else np.float32(0)


@kernel
def _score(weights, places, values, begin, end, width, scores):  # type: ignore[no-untyped-def]
    """Write the scores of the `width` children of a node with the blocks ``places[begin:end]``, in steps of each child's scale."""
    skip, lanes = np.uint64(masks(width)), np.uint64(width + 7) // _8 * _8
    for k in range(lanes):
        scores[k] = 0
    for i in range(begin, end):
        start, value = _2 * (places[i] + skip), values[i]
        for k in range(lanes):
            scores[k] += value * weights[start + k]


@kernel
def _share_out(chance, temperature, lapse, first, width, scale, bias, scores, nodes, chances, count):  # type: ignore[no-untyped-def]
    """Append the children of one parent, each with its part of the parent's probability, to `nodes` and `chances`."""
    best = np.float32(-1e30)
    for k in range(width):
        scores[k] = (scores[k] * scale[first + k] + bias[first + k]) * temperature
        best = max(best, scores[k])
    total = np.float32(0)
    for k in range(width):
        scores[k] = np.exp(scores[k] - best)
        total += scores[k]
    share, rest = chance * (1 - lapse) / total, chance * lapse / width
    for k in range(width):
        nodes[count + k], chances[count + k] = first + k, scores[k] * share + rest


@kernel
def _keep_best(nodes, chances, owners, count, beam, drop):  # type: ignore[no-untyped-def]
    """Move the `beam` most probable nodes to the front, by falling probability; return how many are kept."""
    kept = 0
    for place in range(min(beam, count)):
        best = place
        for i in range(place + 1, count):
            if (chances[i] > chances[best]) | ((chances[i] == chances[best]) & (nodes[i] < nodes[best])):
                best = i
        nodes[place], nodes[best] = nodes[best], nodes[place]
        chances[place], chances[best] = chances[best], chances[place]
        owners[place], owners[best] = owners[best], owners[place]
        kept += chances[place] >= drop * chances[0]
    return kept


@kernel
def _rounded(chance):  # type: ignore[no-untyped-def]
    """Return a probability with six decimals: more than it is good for, and short to write."""
    return np.rint(np.float64(chance) * 1e6) / 1e6


@numba.njit(cache=True, nogil=True)
def walk(  # type: ignore[no-untyped-def]
    source, bounds, table, entries, scale, bias, temperature, unseen, lapse, first_child, widest, thresholds, beam, drop,
    out_node, out_chance, out_known,
):  # fmt: skip
    """Code the records of `bounds` (see `occode.coding.kernels.pack`).

    Writes `Walked`, a row a record: `out_node` and `out_chance` (n, L + 1 + K) have the best of each level, the code, and
    the best leaves. `widest` is the most children of a node.
    """
    halves, floats, weights = entries.view(np.uint16), entries.view(np.float32), entries.view(np.int8)
    records = len(bounds) // 2
    longest = 0
    for i in range(records):
        longest = max(longest, bounds[2 * i + 2] - bounds[2 * i])
    room = FEATURES_PER_BYTE * longest + 8
    plain = np.empty(5 * longest + 8, np.uint8)
    hashes, words, found = np.empty(room, np.uint64), np.empty(room, np.uint64), np.empty(room, np.uint64)
    scores = np.empty(widest + 8, np.float32)
    most = beam * widest + 1
    nodes, chances, owners = np.empty(most, np.int64), np.empty(most, np.float32), np.empty(most, np.int64)
    held, held_chances = np.empty(beam, np.int64), np.empty(beam, np.float32)
    # of each path held, the blocks of its node and the values of their features: this level's, and the next one's behind them
    known = np.empty(2 * beam, np.int64)
    places, values = np.empty(2 * beam * room, np.uint64), np.empty(2 * beam * room, np.float32)
    levels = len(temperature)
    first_leaf = levels + 1
    leaves = out_node.shape[1] - first_leaf
    for record in range(records):
        start, middle, end = bounds[2 * record], bounds[2 * record + 1], bounds[2 * record + 2]
        count = hash_text(source, start, middle, end, plain, hashes, words)
        known[0], share = _vectorise(table, halves, floats, unseen, plain, hashes, words, count, found, places, values)
        out_known[record] = share if known[0] else -1
        kind = BOTH if start < middle < end else (TITLE if start < middle else TASKS)
        held[0], held_chances[0], paths, now = 0, 1, 1, 0
        for level in range(levels):
            warmth, doubt = temperature[level, kind], lapse[level, kind]
            count = 0
            for i in range(paths):
                first = first_child[held[i]]
                width = first_child[held[i] + 1] - first
                begin = (now + i) * room
                if width > 1:
                    _score(weights, places, values, begin, begin + known[now + i], width, scores)
                    _share_out(held_chances[i], warmth, doubt, first, width, scale, bias, scores, nodes, chances, count)
                elif width:
                    nodes[count], chances[count] = first, held_chances[i]
                for k in range(count, count + width):
                    owners[k] = i
                count += width
            if level == levels - 1:
                paths = _keep_best(nodes, chances, owners, count, max(1, leaves), np.float32(0))
            else:
                paths = _keep_best(nodes, chances, owners, count, beam, drop)
                for i in range(paths):
                    owner = held[owners[i]]
                    begin = (now + owners[i]) * room
                    known[beam - now + i] = descend(
                        halves, places, values, begin, begin + known[now + owners[i]],
                        first_child[owner + 1] - first_child[owner], nodes[i] - first_child[owner], (beam - now + i) * room,
                    )  # fmt: skip
                for i in range(paths):
                    held[i], held_chances[i] = nodes[i], chances[i]
                now = beam - now
            out_node[record, level], out_chance[record, level] = nodes[0], _rounded(chances[0])
        if out_known[record] < 0:
            out_node[record, levels:], out_chance[record, levels:] = NOTHING, 0
            continue
        out_node[record, levels], out_chance[record, levels] = decide(out_node[record], out_chance[record], thresholds, kind)
        for i in range(leaves):
            out_node[record, first_leaf + i] = nodes[i] if i < paths else NOTHING
            out_chance[record, first_leaf + i] = _rounded(chances[i]) if i < paths else 0
