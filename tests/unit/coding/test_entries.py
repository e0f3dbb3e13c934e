"""The memory of a model: what is written is found again, and nothing else."""

import numpy as np
import pytest

from occode.coding.entries import HEAD, Blocks, Branches, build_table, descend, find, read_entry, write_entries
from occode.coding.tree import Tree

#: A tree with a lonely child (1, then 11), a node with more children than one mask has bits (2), and leaves at two depths.
CODES = (
    "",
    "1",
    "2",
    "3",
    "11",
    *(f"2{letter}" for letter in "abcdefghijklmnopqrs"),
    "31",
    "32",
    "111",
    "112",
    "2ra",
    "2rb",
    "2rc",
)
#: The nodes for which each of four features has weights.
WEIGHTED = [[], ["2r"], ["", "11", "3"], ["", "11", "2", "2r", "3"]]


def _tree() -> Tree:
    children = [sum(len(c) == len(code) + 1 and c.startswith(code) for c in CODES) for code in CODES]
    return Tree(CODES, np.cumsum([1, *children]).astype(np.int32), np.array([len(code) for code in CODES], np.int32))


def _blocks(branches: Branches) -> Blocks:
    feature = np.array([f for f, codes in enumerate(WEIGHTED) for _ in codes], np.int64)
    parent = np.array([CODES.index(code) for codes in WEIGHTED for code in codes], np.int64)
    return Blocks(feature, parent, np.arange(1, branches.width[parent].sum() + 1).astype(np.int8))


def test_an_entry_holds_what_was_written() -> None:
    """Idf, mark and weights of every parent, and nothing but zeros between them."""
    branches = Branches.of(_tree())
    idf, common = np.array([1.5, 2.5, 3.5, 4.5], np.float32), np.array([True, False, False, True])
    entries, places = write_entries(idf, common, _blocks(branches), branches)
    weight = 1
    for f, codes in enumerate(WEIGHTED):
        entry = read_entry(entries, int(places[f]), branches)
        assert (entry.idf, entry.common) == (idf[f], common[f])
        assert {CODES[parent] for parent, weights in entry.weights.items() if weights.any()} == set(codes)
        for code in codes:
            width = int(branches.width[CODES.index(code)])
            assert entry.weights[CODES.index(code)].tolist() == list(range(weight, weight + width))
            weight += width


@pytest.mark.parametrize("f", range(4))
def test_the_walk_follows_a_feature_only_to_where_it_has_weights(f: int) -> None:
    """From the top, side by side: the same blocks as the unpacked entry has, and no others."""
    tree = _tree()
    branches = Branches.of(tree)
    entries, places = write_entries(np.ones(4, np.float32), np.zeros(4, np.bool_), _blocks(branches), branches)
    found = read_entry(entries, int(places[f]), branches).weights
    reached, waiting = set(), [(0, int(places[f]) + HEAD)]
    while waiting:
        node, place = waiting.pop()
        reached |= {node} if branches.width[node] > 1 else set()
        for side, child in enumerate(tree.children(node)):
            at = np.array([place, 0], np.uint64)
            if descend(entries.view(np.uint16), at, np.ones(2, np.float32), 0, 1, len(tree.children(node)), side, 1):
                waiting += [(child, int(at[1]))] if branches.width[child] else []
    assert reached == set(found)


def test_a_feature_is_found_by_its_hash() -> None:
    """Also among others that want the same place in the table; an unknown one is not."""
    keys = np.array([(i << 40) + 5 for i in range(1, 12)], np.uint64)
    table = build_table(keys, np.arange(1, 12))
    assert [find(table, key) for key in keys] == list(range(1, 12))
    assert find(table, np.uint64((99 << 40) + 5)) == 0
    assert find(table, np.uint64(6)) == 0
