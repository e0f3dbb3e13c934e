"""Features and vocabulary: what is counted, what is left out."""

import numpy as np

from occode.coding.features import features, hash_feature
from occode.coding.kernels import NGRAM, OTHER, WORD, hash_texts
from occode.training.vectorise import Features, Vocabulary

TEXTS = [("welder", ""), ("welder mig", ""), ("", "welders weld"), ("boiler maker", "")]


def _known(vocabulary: Vocabulary, kind: str, text: str) -> bool:
    return np.uint64(hash_feature(kind, text)) in vocabulary.keys


def test_a_common_word_leaves_its_ngrams_out() -> None:
    """Of the counts, and of the rows; other words keep theirs, and every word its opening."""
    found = Features.of(TEXTS)
    rows = np.arange(len(TEXTS))
    every, few = Vocabulary.fit(found, rows, common=100), Vocabulary.fit(found, rows, common=3)
    assert every.common.sum() == 0
    assert few.keys[few.common].tolist() == [hash_feature("word", "welder")]
    assert _known(every, "ngram", "elde")
    assert not _known(few, "ngram", "elde")
    assert _known(few, "opening", "weld")
    assert few.transform(found, rows)[0].nnz == 2  # the word and its opening
    assert every.transform(found, rows)[0].nnz > 2


def test_a_row_has_unit_length() -> None:
    """Where no feature repeats and no word is unknown."""
    found = Features.of(TEXTS)
    rows = np.arange(len(TEXTS))
    matrix = Vocabulary.fit(found, rows).transform(found, rows)
    np.testing.assert_allclose(np.sqrt(matrix.multiply(matrix).sum(axis=1))[0], 1, atol=1e-6)


def test_a_pair_is_the_same_in_any_order() -> None:
    """So that "cleaner, hotel" is as near to "hotel cleaner" as can be."""
    assert hash_feature("pair", "hotel cleaner") == hash_feature("pair", "cleaner hotel")
    assert features("hotel cleaner", "") == features("cleaner hotel", "")


def test_short_words_have_no_opening_and_their_ngrams_follow_them() -> None:
    """A word, then its n-grams, then what is neither: the order on which leaving n-grams out relies."""
    _, kinds, _ = hash_texts([("cab", ""), ("taxi cab", "")])
    assert kinds.tolist() == [WORD, NGRAM, NGRAM, WORD, NGRAM, NGRAM, NGRAM, OTHER, WORD, NGRAM, NGRAM, OTHER]
