"""The walk down the tree with a beam, compiled: from the hashes of a text to its most probable codes.

`occode.coding.reference` says the same in numpy; a test holds the two equal.
"""

import numba
import numpy as np

from occode.coding.entries import find, find_weights
from occode.coding.kernels import FEATURES_PER_BYTE, NGRAM, WORD, hash_text

#: How many paths a level keeps, and how much less probable than the best a kept path may be.
BEAM = 4
DROP = np.float32(0.05)
#: The same where more leaves are asked for than `FEW_LEAVES`.
WIDE_BEAM = 8
WIDE_DROP = np.float32(1e-3)
FEW_LEAVES = 3
TITLE, TASKS, BOTH = 0, 1, 2


@numba.njit(cache=True, nogil=True)
def _vectorise(table, halves, floats, unseen, hashes, kinds, count, places, values):  # type: ignore[no-untyped-def]  # compiled
    """Write the known features' places and values; return how many there are and the known share of the words."""
    known = 0
    square = np.float32(0)
    familiar = np.float32(0)
    strange = np.float32(0)
    skip = False
    for i in range(count):
        kind = kinds[i]
        if kind == NGRAM and skip:
            continue
        place = find(table, hashes[i])
        if kind == WORD:
            skip = place > 0 and halves[2 * place + 3] > 0
        if place > 0:
            idf = floats[place]
            places[known], values[known] = place, idf
            known += 1
            square += idf * idf
            if kind == WORD:
                familiar += idf * idf
        elif kind == WORD:
            strange += unseen * unseen
    if known:
        length = np.sqrt(square + strange)
        for i in range(known):
            values[i] /= length
    total = familiar + strange
    return known, familiar / total if total > 0 else np.float32(0)


@numba.njit(cache=True, nogil=True)
def _expand(  # type: ignore[no-untyped-def]
    parent, chance, temperature, lapse, first_child, halves, weights, scale, bias,
    places, values, known, scores, nodes, chances, count,
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
        start = find_weights(halves, places[i], parent)
        if start >= 0:
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
    share, rest = chance * (1 - lapse) / total, chance * lapse / width
    for k in range(width):
        nodes[count], chances[count] = first + k, scores[k] * share + rest
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
def walk(  # type: ignore[no-untyped-def]
    source, bounds, table, halves, floats, weights, scale, bias, temperature, unseen, lapse, first_child, beam,
    drop, out_node, out_chance, out_leaf, out_leaf_chance, out_known,
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
    hashes, kinds = np.empty(room, np.uint64), np.empty(room, np.uint8)
    places, values = np.empty(room, np.int64), np.empty(room, np.float32)
    widest = 0
    for node in range(len(first_child) - 1):
        widest = max(widest, first_child[node + 1] - first_child[node])
    scores = np.empty(widest, np.float32)
    nodes, chances = np.empty(beam * widest + 1, np.int64), np.empty(beam * widest + 1, np.float32)
    held, held_chances = np.empty(beam, np.int64), np.empty(beam, np.float32)
    levels = len(temperature)
    for record in range(records):
        start, middle, end = bounds[2 * record], bounds[2 * record + 1], bounds[2 * record + 2]
        count = hash_text(source, start, middle, end, plain, hashes, kinds)
        known, share = _vectorise(table, halves, floats, unseen, hashes, kinds, count, places, values)
        out_known[record] = share if known else -1
        kind = BOTH if start < middle < end else (TITLE if start < middle else TASKS)
        held[0], held_chances[0], width = 0, 1, 1
        for level in range(levels):
            count = 0
            for i in range(width):
                count = _expand(
                    held[i], held_chances[i], temperature[level, kind], lapse, first_child, halves, weights, scale, bias,
                    places, values, known, scores, nodes, chances, count,
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
