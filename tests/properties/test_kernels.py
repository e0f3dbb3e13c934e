"""The compiled code does what its readable definition says, whatever the text."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from occode.classification import Category, Classification
from occode.coding.coder import Coder
from occode.coding.decide import NOTHING
from occode.coding.entries import Blocks, Branches, build_table, write_entries
from occode.coding.features import features
from occode.coding.kernels import hash_texts
from occode.coding.model import Arrays, Model
from occode.coding.record import KINDS
from occode.coding.reference import probabilities, vector
from occode.coding.tree import Tree

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
WORD_LIST = (
    "nurse", "senior", "driver", "of", "truck", "software", "aged", "care", "&", "manager's", "shop", "xqzzk", "teacher",
    "c++", "2ic", "farm", "for", "fors", "with",
)  # fmt: skip
WORDS = st.lists(st.sampled_from(WORD_LIST), max_size=7).map(" ".join)
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
    _compare(osca, record)


@given(record=RECORD, seed=st.integers(0, 1000), widths=st.lists(st.sampled_from([1, 2, 3, 16, 17, 33]), min_size=1, max_size=2))
@settings(deadline=None, max_examples=60)
def test_the_walk_goes_down_any_tree_as_the_reference_does(record: tuple[str, str], seed: int, widths: list[int]) -> None:
    """Nodes with one child, with more than a mask has bits, and made-up weights here and there."""
    _compare(_made_up(np.random.default_rng(seed), [*widths, 2]), record)


def _compare(coder: Coder, record: tuple[str, str]) -> None:
    walked = coder.walk([record], 3)
    expected = probabilities(coder.model.arrays, coder.tree, record)
    features_found, share = vector(coder.model.arrays, coder.tree, record)
    np.testing.assert_allclose(walked.known[0], share, atol=1e-5)
    if not features_found:
        assert walked.code[0] == NOTHING
        return
    for level in range(coder.tree.levels):
        chance = walked.chance[0, level]
        assert np.isclose(chance, expected[walked.node[0, level]], atol=1e-4)
        best = expected[coder.tree.depth == level + 1].max()
        if best > 0.3:
            assert np.isclose(best, chance, atol=1e-4)
    for leaf, chance in zip(walked.leaf[0], walked.leaf_chance[0], strict=True):
        if leaf != NOTHING:
            assert np.isclose(chance, expected[leaf], atol=1e-4)


def _made_up(chance: np.random.Generator, widths: list[int]) -> Coder:
    """Return a coder with chance weights for the features of `WORD_LIST`, over a tree with so many children at each level."""
    codes = [""]
    levels = [[""]]
    for width in widths:
        levels.append([f"{code}{chr(48 + child)}" for code in levels[-1] for child in range(width)])
        codes += levels[-1]
    categories = {code: Category(code, code) for code in codes[1:]}
    lengths = tuple(range(1, len(widths) + 1))
    classification = Classification("made-up", "Made up", "1", lengths, tuple(map(str, lengths)), None, categories)
    tree = Tree.of(classification)
    branches = Branches.of(tree)
    keys = np.array(sorted({key for word in WORD_LIST for key in features(word, "")}), np.uint64)
    parents = np.flatnonzero(branches.width > 1)
    parents = parents[np.argsort(branches.order[parents])]
    held = [parents[chance.random(len(parents)) < chance.choice([0, 0.1, 0.9])] for _ in keys]
    owners, blocks = np.repeat(np.arange(len(keys)), [len(nodes) for nodes in held]), np.concatenate(held)
    weights = chance.integers(-127, 128, branches.width[blocks].sum()).astype(np.int8)
    idf, common = chance.uniform(1, 9, len(keys)).astype(np.float32), chance.random(len(keys)) < 0.3
    entries, places = write_entries(idf, common, Blocks(owners, blocks, weights), branches)
    arrays = Arrays(
        table=build_table(keys, places),
        entries=entries,
        scale=chance.uniform(0, 0.05, len(tree)).astype(np.float32),
        bias=chance.normal(size=len(tree)).astype(np.float32),
        temperature=chance.uniform(0.5, 3, (tree.levels, 3)).astype(np.float32),
        unseen=np.array([9], np.float32),
        lapse=chance.uniform(0, 0.05, (tree.levels, 3)).astype(np.float32),
    )
    return Coder(Model({"thresholds": [[0.5] * KINDS] * tree.levels}, arrays), classification)


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
