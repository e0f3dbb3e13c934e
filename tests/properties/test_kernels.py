"""The compiled code does what its readable definition says, whatever the text."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from occode.coding.coder import Coder
from occode.coding.decide import NOTHING
from occode.coding.features import features
from occode.coding.kernels import hash_texts
from occode.coding.reference import probabilities, vector

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
WORDS = st.lists(
    st.sampled_from(
        [
            "nurse",
            "senior",
            "driver",
            "of",
            "truck",
            "software",
            "aged",
            "care",
            "&",
            "manager's",
            "shop",
            "xqzzk",
            "teacher",
            "c++",
            "2ic",
            "farm",
        ]
    ),
    max_size=7,
).map(" ".join)
RECORD = st.tuples(TEXT | WORDS, TEXT | WORDS)


@given(st.lists(RECORD, max_size=8))
@settings(deadline=None)
def test_the_kernel_hashes_the_features_of_the_definition(records: list[tuple[str, str]]) -> None:
    """Same features, same numbers of them, for every printable text."""
    hashes, kinds, starts = hash_texts(records)
    assert len(kinds) == len(hashes)
    for i, record in enumerate(records):
        assert Counter(hashes[starts[i] : starts[i + 1]].tolist()) == features(*record)


@given(record=RECORD)
@settings(deadline=None, max_examples=60)
def test_the_walk_finds_the_probabilities_of_the_reference(record: tuple[str, str], osca: Coder) -> None:
    """The best category of each level, and its probability, are the reference's wherever the beam cannot have lost it."""
    walked = osca.walk([record], 3)
    expected = probabilities(osca.model.arrays, osca.tree, record)
    features_found, share = vector(osca.model.arrays, osca.tree, record)
    np.testing.assert_allclose(walked.known[0], share, atol=1e-5)
    if not features_found:
        assert walked.code[0] == NOTHING
        return
    for level in range(osca.tree.levels):
        chance = walked.chance[0, level]
        assert np.isclose(chance, expected[walked.node[0, level]], atol=1e-4)
        best = expected[osca.tree.depth == level + 1].max()
        if best > 0.3:
            assert np.isclose(best, chance, atol=1e-4)
    for leaf, chance in zip(walked.leaf[0], walked.leaf_chance[0], strict=True):
        if leaf != NOTHING:
            assert np.isclose(chance, expected[leaf], atol=1e-4)


@given(record=RECORD)
@settings(deadline=None, max_examples=40)
def test_siblings_share_out_their_parents_probability(record: tuple[str, str], osca: Coder) -> None:
    """The children's probabilities sum to their parent's, so a deeper code is never more probable than the one above."""
    chances = probabilities(osca.model.arrays, osca.tree, record)
    for parent in range(len(osca.tree)):
        children = osca.tree.children(parent)
        if children:
            assert np.isclose(chances[children.start : children.stop].sum(), chances[parent], atol=1e-9)
    assert (np.diff(osca.walk([record], 1).chance[0]) <= 0).all()


@given(st.lists(RECORD, max_size=30))
@settings(deadline=None, max_examples=20)
def test_many_records_are_coded_as_each_alone(osca: Coder, records: list[tuple[str, str]]) -> None:
    """Batches, threads and repeats change nothing."""
    repeated = records * 2
    assert osca.code_many(repeated, suggestions=3, threads=2) == [osca.code(*r, suggestions=3) for r in repeated]
