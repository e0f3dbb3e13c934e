"""The memory of a model: what is written is found again, and nothing else."""

import numpy as np
import pytest

from occode.coding.entries import Blocks, build_table, find, find_weights, read_entry, write_entries

WIDTHS = np.array([3, 2, 1, 4, 2, 5, 2, 3, 2, 2], np.int64)
#: The parents for which each of four features has weights: 8 and 0, 4 and 0 meet in the same slot.
PARENTS = [[], [3], [0, 4, 8], [0, 1, 3, 4, 5, 8, 9]]


def _blocks() -> Blocks:
    feature = np.array([f for f, parents in enumerate(PARENTS) for _ in parents], np.int64)
    parent = np.array([p for parents in PARENTS for p in parents], np.uint16)
    width = WIDTHS[parent]
    return Blocks(feature, parent, width, np.arange(width.sum()).astype(np.int8))


def test_an_entry_holds_what_was_written() -> None:
    """Idf, mark and weights of every parent; of a feature without weights, the mark alone."""
    idf, common = np.array([1.5, 2.5, 3.5, 4.5], np.float32), np.array([True, False, False, True])
    entries, places = write_entries(idf, common, _blocks())
    weight = 0
    for f, parents in enumerate(PARENTS):
        entry = read_entry(entries, int(places[f]), WIDTHS)
        assert (entry.idf, entry.common) == (idf[f], common[f])
        assert sorted(entry.weights) == parents
        for parent in parents:
            assert entry.weights[parent].tolist() == list(range(weight, weight + WIDTHS[parent]))
            weight += WIDTHS[parent]


@pytest.mark.parametrize("f", range(4))
def test_the_walk_finds_a_parents_weights_and_misses_those_that_are_not_there(f: int) -> None:
    """The same as the unpacked entry says."""
    entries, places = write_entries(np.ones(4, np.float32), np.zeros(4, np.bool_), _blocks())
    entry = read_entry(entries, int(places[f]), WIDTHS)
    for parent in range(len(WIDTHS)):
        start = find_weights(entries.view(np.uint16), places[f], parent)
        assert (start >= 0) == (parent in entry.weights)
        if start >= 0:
            assert entries.view(np.int8)[start] == entry.weights[parent][0]


def test_a_feature_is_found_by_its_hash() -> None:
    """Also among others that want the same place in the table; an unknown one is not."""
    keys = np.array([(i << 40) + 5 for i in range(1, 12)], np.uint64)
    table = build_table(keys, np.arange(1, 12))
    assert [find(table, key) for key in keys] == list(range(1, 12))
    assert find(table, np.uint64((99 << 40) + 5)) == 0
    assert find(table, np.uint64(6)) == 0
