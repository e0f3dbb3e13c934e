"""Examples to a sparse matrix: a vocabulary of hashed features, tf-idf, and rows of unit length; compiled."""

from dataclasses import dataclass

import numba
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from occode.coding.kernels import NGRAM, WORD, hash_texts

#: Other features than words must be in this many texts.
RAREST = 2
#: A word in this many texts tells all by itself: its n-grams are not looked at.
COMMON = 100


@dataclass(frozen=True)
class Features:
    """The features of n texts, hashed once for all folds.

    `keys` are the distinct hashes, sorted; `place` has one element an occurrence, its index in `keys`, and `kind` what it
    is (see `occode.coding.kernels`); the occurrences of text i are ``starts[i]`` to ``starts[i + 1] - 1``.
    """

    keys: NDArray[np.uint64]
    place: NDArray[np.int32]
    kind: NDArray[np.uint8]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, texts: list[tuple[str, str]]) -> "Features":
        """Hash the features of `texts`."""
        hashes, kinds, starts = hash_texts(texts)
        keys, place = _distinct(hashes)
        order = np.argsort(keys)
        rank = np.empty(len(keys), np.int32)
        rank[order] = np.arange(len(keys), dtype=np.int32)
        return cls(keys[order], rank[place], kinds.copy(), starts)


@dataclass(frozen=True)
class Vocabulary:
    """The features that a model knows.

    `keys` are sorted 64-bit hashes; `idf` their inverse document frequencies; `common` marks the words whose n-grams are
    not looked at; `column` of each of the `Features` its place in `keys`, -1 where it is left out; `unseen` is what a word
    outside the vocabulary counts towards a text's length.
    """

    keys: NDArray[np.uint64]
    idf: NDArray[np.float32]
    common: NDArray[np.bool_]
    column: NDArray[np.int32]
    unseen: float

    @classmethod
    def fit(cls, features: Features, rows: NDArray[np.int64], common: int = COMMON) -> "Vocabulary":
        """Count the features of some texts; words in `common` of them or more leave out their n-grams."""
        counts, is_word = _count(features.place, features.kind, features.starts, rows, len(features.keys), common)
        kept = (counts >= RAREST) | (is_word & (counts > 0))
        column = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
        idf = (np.log(len(rows) / counts[kept]) + 1).astype(np.float32)
        return cls(features.keys[kept], idf, (is_word & (counts >= common))[kept], column, float(np.log(len(rows)) + 1))

    def transform(self, features: Features, rows: NDArray[np.int64]) -> sp.csr_matrix:
        """Return the rows of some texts, of shape (rows, vocabulary).

        A feature adds its idf each time it occurs. A row is divided by its length over all these occurrences, in which
        each unknown word counts ``unseen``: strange words push every score towards the intercepts.
        """
        most = int(np.diff(features.starts)[rows].sum())
        columns, values = np.empty(most, np.int32), np.empty(most, np.float32)
        starts = np.zeros(len(rows) + 1, np.int64)
        unseen = np.float32(self.unseen)
        used = _weigh(
            features.place,
            features.kind,
            features.starts,
            rows,
            self.column,
            self.idf,
            self.common,
            unseen,
            columns,
            values,
            starts,
        )
        found = sp.csr_matrix((values[:used].copy(), columns[:used].copy(), starts), shape=(len(rows), len(self.keys)))
        found.sum_duplicates()
        return found


@numba.njit(cache=True, nogil=True)
def _distinct(hashes):  # type: ignore[no-untyped-def]  # compiled: types are numba's
    """Return the distinct hashes in order of their first occurrence, and the place of each hash among them."""
    size = 1 << 16
    table = np.full(size, -1, np.int32)
    keys = np.empty(size, np.uint64)
    place = np.empty(len(hashes), np.int32)
    count = 0
    for i in range(len(hashes)):
        if 2 * count >= size:
            size *= 2
            larger = np.empty(size, np.uint64)
            larger[:count] = keys[:count]
            keys = larger
            table = np.full(size, -1, np.int32)
            for j in range(count):
                table[_slot(table, keys, keys[j])] = j
        at = _slot(table, keys, hashes[i])
        if table[at] < 0:
            table[at] = count
            keys[count] = hashes[i]
            count += 1
        place[i] = table[at]
    return keys[:count].copy(), place


@numba.njit(cache=True, nogil=True)
def _slot(table, keys, value):  # type: ignore[no-untyped-def]
    """Return where a hash stands in an open hash table, or the empty place where it would."""
    mask = np.uint64(len(table) - 1)
    at = value & mask
    while table[at] >= 0 and keys[table[at]] != value:
        at = (at + np.uint64(1)) & mask
    return at


@numba.njit(cache=True, nogil=True)
def _count(place, kind, starts, rows, width, least):  # type: ignore[no-untyped-def]
    """Return in how many of the rows each feature occurs, n-grams of words in at least `least` left out, and which are words."""
    counts = np.zeros(width, np.int64)
    last = np.full(width, -1, np.int64)
    is_word = np.zeros(width, np.bool_)
    for pass_ in range(2):
        for i in range(len(rows)):
            skip = False
            for at in range(starts[rows[i]], starts[rows[i] + 1]):
                feature = place[at]
                if kind[at] == WORD:
                    is_word[feature] = True
                    skip = pass_ == 1 and counts[feature] >= least
                if (kind[at] == WORD) == (pass_ == 0) and not (kind[at] == NGRAM and skip) and last[feature] != i:
                    last[feature] = i
                    counts[feature] += 1
    return counts, is_word


@numba.njit(cache=True, nogil=True)
def _weigh(place, kind, starts, rows, column, idf, common, unseen, columns, values, ends):  # type: ignore[no-untyped-def]
    """Write the rows of `Vocabulary.transform`, repeats not yet added up; return how many elements they have."""
    used = 0
    for i in range(len(rows)):
        first, square, skip = used, np.float32(0), False
        for at in range(starts[rows[i]], starts[rows[i] + 1]):
            feature = column[place[at]]
            if kind[at] == WORD:
                skip = feature >= 0 and common[feature]
                if feature < 0:
                    square += unseen * unseen
            if feature >= 0 and not (kind[at] == NGRAM and skip):
                columns[used], values[used] = feature, idf[feature]
                square += idf[feature] * idf[feature]
                used += 1
        if square > 0:
            for at in range(first, used):
                values[at] /= np.sqrt(square)
        ends[i + 1] = used
    return used
