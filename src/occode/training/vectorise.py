"""Examples to a sparse matrix: a vocabulary of hashed features, tf-idf, and rows of unit length."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from occode.coding.kernels import hash_texts


@dataclass(frozen=True)
class Features:
    """The features of n texts, hashed once for all folds.

    `keys` are the distinct hashes, sorted; `place` has one element an occurrence, its index in `keys`; the occurrences of
    text i are ``starts[i]`` to ``starts[i + 1] - 1``; `is_word` marks the keys that are single words.
    """

    keys: NDArray[np.uint64]
    place: NDArray[np.int32]
    starts: NDArray[np.int64]
    is_word: NDArray[np.bool_]

    @classmethod
    def of(cls, texts: list[tuple[str, str]]) -> "Features":
        """Hash the features of `texts`."""
        hashes, words, starts = hash_texts(texts)
        keys, place = np.unique(hashes, return_inverse=True)
        is_word = np.zeros(len(keys), np.bool_)
        is_word[place[words]] = True
        return cls(keys, place.astype(np.int32), starts, is_word)

    def take(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the occurrences of some texts: the row of each, counted from 0, and its place."""
        sizes = np.diff(self.starts)[rows]
        row = np.repeat(np.arange(len(rows), dtype=np.int32), sizes)
        within = np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return row, self.place[np.repeat(self.starts[rows], sizes) + within]


@dataclass(frozen=True)
class Vocabulary:
    """The features that a model knows.

    `keys` are sorted 64-bit hashes; `idf` their inverse document frequencies; `column` of each of the `Features` its place
    in `keys`, -1 where it is left out; `unseen` is what a word outside the vocabulary counts towards a text's length.
    """

    keys: NDArray[np.uint64]
    idf: NDArray[np.float32]
    column: NDArray[np.int32]
    unseen: float

    @classmethod
    def fit(cls, features: Features, rows: NDArray[np.int64], rarest_ngram: int = 2) -> "Vocabulary":
        """Count the features of some texts; n-grams and pairs in fewer than `rarest_ngram` of them are left out."""
        row, place = features.take(rows)
        once = np.unique(row.astype(np.int64) * len(features.keys) + place) % len(features.keys)
        counts = np.bincount(once, minlength=len(features.keys))
        kept = (counts >= rarest_ngram) | (features.is_word & (counts > 0))
        column = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
        idf = (np.log(len(rows) / counts[kept]) + 1).astype(np.float32)
        return cls(features.keys[kept], idf, column, float(np.log(len(rows)) + 1))

    def transform(self, features: Features, rows: NDArray[np.int64]) -> sp.csr_matrix:
        """Return the rows of some texts, of shape (rows, vocabulary).

        A feature adds its idf each time it occurs. A row is divided by its length over all these occurrences, in which
        each unknown word counts ``unseen``: strange words push every score towards the intercepts.
        """
        row, place = features.take(rows)
        column = self.column[place]
        known = column >= 0
        strange = np.bincount(row[~known & features.is_word[place]], minlength=len(rows)) * self.unseen**2
        row, column = row[known], column[known]
        value = self.idf[column]
        length = np.sqrt(np.bincount(row, value**2, minlength=len(rows)) + strange)
        length[length == 0] = 1
        found = sp.csr_matrix(((value / length[row]).astype(np.float32), (row, column)), shape=(len(rows), len(self.keys)))
        found.sum_duplicates()
        return found
