"""Examples to a sparse matrix: a vocabulary of hashed features, tf-idf, and rows of unit length."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from occode.coding.kernels import hash_texts


@dataclass(frozen=True)
class Vocabulary:
    """The features a model knows.

    `keys` are sorted 64-bit hashes; `idf` their inverse document frequencies, the largest of which, `unseen`, is what a
    word outside the vocabulary counts towards a text's length.
    """

    keys: NDArray[np.uint64]
    idf: NDArray[np.float32]
    unseen: float

    @classmethod
    def fit(cls, texts: list[tuple[str, str]], rarest_ngram: int = 2) -> "Vocabulary":
        """Count the features of `texts`; n-grams and pairs in fewer than `rarest_ngram` texts are left out."""
        hashes, words, starts = hash_texts(texts)
        rows = np.repeat(np.arange(len(texts), dtype=np.int64), np.diff(starts))
        keys, inverse = np.unique(hashes, return_inverse=True)
        pairs = np.unique(rows * len(keys) + inverse)
        counts = np.bincount(pairs % len(keys), minlength=len(keys))
        is_word = np.zeros(len(keys), np.bool_)
        is_word[inverse[words]] = True
        kept = is_word | (counts >= rarest_ngram)
        idf = (np.log(len(texts) / counts) + 1).astype(np.float32)
        return cls(keys[kept], idf[kept], float(np.log(len(texts)) + 1))

    def transform(self, texts: list[tuple[str, str]]) -> tuple[sp.csr_matrix, NDArray[np.float32]]:
        """Return the rows of `texts`, and of each the share of its words, by squared idf, that is known.

        A feature adds its idf each time it occurs. A row is divided by its length over all these occurrences, in which
        each unknown word counts ``unseen``: strange words push every score towards the intercepts.
        """
        hashes, words, starts = hash_texts(texts)
        rows = np.repeat(np.arange(len(texts), dtype=np.int32), np.diff(starts))
        columns = np.minimum(np.searchsorted(self.keys, hashes), max(0, len(self.keys) - 1))
        known = self.keys[columns] == hashes
        matrix = sp.csr_matrix(
            (np.ones(int(known.sum()), np.float32), (rows[known], columns[known])), shape=(len(texts), len(self.keys))
        )
        matrix.data *= self.idf[matrix.indices]
        squares = np.bincount(rows[known], self.idf[columns[known]] ** 2, minlength=len(texts))
        strange = np.bincount(rows[~known & words], minlength=len(texts)) * self.unseen**2
        familiar = np.bincount(rows[known & words], self.idf[columns[known & words]] ** 2, minlength=len(texts))
        length = np.sqrt(squares + strange)
        length[length == 0] = 1
        matrix.data /= np.repeat(length, np.diff(matrix.indptr)).astype(np.float32)
        matrix.sum_duplicates()
        total = familiar + strange
        return matrix, (familiar / np.where(total > 0, total, 1)).astype(np.float32)
