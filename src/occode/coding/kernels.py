"""Compiled text features: from the bytes of many texts to their hashed features (numba, nogil, cached on disk)."""

from collections.abc import Sequence
from itertools import accumulate, chain

import numba
import numpy as np
from numpy.typing import NDArray

from occode.coding import features as definition

_FNV_OFFSET = np.uint64(definition.FNV_OFFSET)
_FNV_PRIME = np.uint64(definition.FNV_PRIME)
_PAIR = np.uint64(definition.PAIR)
_WORD, _PAIR_OF_WORDS, _OPENING, _NGRAM = (np.uint64(definition.SALTS[kind]) for kind in ("word", "pair", "opening", "ngram"))
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_1, _2, _3 = np.uint64(1), np.uint64(2), np.uint64(3)
_30, _27, _31 = np.uint64(30), np.uint64(27), np.uint64(31)
_8, _16, _24 = np.uint64(8), np.uint64(16), np.uint64(24)
#: Compiles a function that makes no array. With numba's own run time (`_nrt`), the references of arrays would be counted at every
#: call, which took a fifth of the walk's time.
kernel = numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)  # type: ignore[call-overload]
_FUNCTION_WORDS = np.array([definition.hash_word(word) for word in definition.FUNCTION_WORDS], np.uint64)
_LONGEST_FUNCTION_WORD = max(map(len, definition.FUNCTION_WORDS))
#: What a hash is of: a word, an n-gram of the word before it, or anything else.
WORD, NGRAM, OTHER = np.uint8(0), np.uint8(1), np.uint8(2)
#: A word of n letters has at most n + 3 features (itself, two pairs, its opening, n - 1 n-grams), the one of a lone "&" six.
FEATURES_PER_BYTE = 6


@kernel
def _mix(value):  # type: ignore[no-untyped-def]  # compiled: types are numba's
    value = (value ^ (value >> _30)) * _M1
    value = (value ^ (value >> _27)) * _M2
    return value ^ (value >> _31)


#: What each byte of a text becomes: a character of a word, a space, or 0: nothing. An ampersand is seen to by itself.
_AMPERSAND = np.uint8(38)
_PLAIN = np.full(256, 32, np.uint8)
_PLAIN[[*b"abcdefghijklmnopqrstuvwxyz0123456789+#&"]] = [*b"abcdefghijklmnopqrstuvwxyz0123456789+#&"]
_PLAIN[[*b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"]] = [*b"abcdefghijklmnopqrstuvwxyz"]
_PLAIN[ord("'")] = 0


@kernel
def _normalise(source, start, end, plain, size):  # type: ignore[no-untyped-def]
    """Write the normalised text, each word between single spaces, to `plain` from `size` on; return where it ends."""
    plain[size] = 32
    size += _1
    for i in range(np.uint64(start), np.uint64(end)):
        c = _PLAIN[source[i]]
        if c == _AMPERSAND:
            for letter in (32, 97, 110, 100, 32):
                plain[size] = letter
                size += np.uint64((letter != 32) | (plain[size - _1] != 32))
        else:
            plain[size] = c
            size += np.uint64((c != 0) & ((c != 32) | (plain[size - _1] != 32)))
    plain[size] = 32
    return size + np.uint64(plain[size - _1] != 32)


@kernel
def _four(plain, at):  # type: ignore[no-untyped-def]
    """Return four characters as one number."""
    return (
        np.uint64(plain[at]) | np.uint64(plain[at + _1]) << _8 | np.uint64(plain[at + _2]) << _16 | np.uint64(plain[at + _3]) << _24
    )


@kernel
def _pair(one, other):  # type: ignore[no-untyped-def]
    return _mix((min(one, other) * _PAIR + max(one, other)) ^ _PAIR_OF_WORDS)


@kernel
def _is_function_word(value):  # type: ignore[no-untyped-def]
    found = False
    for word in _FUNCTION_WORDS:
        found |= word == value
    return found


@kernel
def _hash_words(plain, start, size, hashes, words, count):  # type: ignore[no-untyped-def]
    """Append the features of one normalised field, all but the n-grams, to `hashes`; to `words` where each word starts, else 0."""
    before_previous = previous = content = np.uint64(0)
    start += _1
    while start < size:
        value = before = last = np.uint64(0)
        whole = _FNV_OFFSET
        end = start
        while plain[end] != 32:  # `whole` is the hash of the word, `value` that without its last letter
            before, last, value = last, np.uint64(plain[end]), whole
            whole = (whole ^ last) * _FNV_PRIME
            end += _1
        stem = (end - start > 3) & (last == 115) & (before != 115) & (before != 117) & (before != 105)
        value = value if stem else whole
        hashes[count], words[count] = _mix(value ^ _WORD), start
        count += _1
        if end - start > 3:
            hashes[count], words[count] = _mix(_four(plain, start) ^ _OPENING), 0
            count += _1
        if end - start > _LONGEST_FUNCTION_WORD or not _is_function_word(whole):
            if content >= _1:
                hashes[count], words[count] = _pair(previous, value), 0
                count += _1
            if content >= _2:
                hashes[count], words[count] = _pair(before_previous, value), 0
                count += _1
            before_previous, previous = previous, value
            content += _1
        start = end + _1
    return count


@kernel
def hash_ngrams(plain, start, hashes, count):  # type: ignore[no-untyped-def]
    """Append the n-grams of the word that starts at `start` to `hashes`; return the new count. Shorter words than 3 have none."""
    at = start - _1
    if plain[start + _1] == 32 or plain[start + _2] == 32:
        return count
    while plain[at + _2] != 32:
        hashes[count] = _mix(_four(plain, at) ^ _NGRAM)
        count += _1
        at += _1
    return count


@kernel
def hash_text(source, start, middle, end, plain, hashes, words):  # type: ignore[no-untyped-def]
    """Hash one record whose title is ``source[start:middle]`` and tasks ``source[middle:end]``, all but the n-grams of its words.

    Writes the normalised text to `plain`, and to `words` where in it the word starts, 0 where a feature is no word; returns
    how many features there are.
    """
    size = _normalise(source, start, middle, plain, np.uint64(0))
    count = _hash_words(plain, np.uint64(0), size, hashes, words, np.uint64(0))
    return _hash_words(plain, size, _normalise(source, middle, end, plain, size), hashes, words, count)


@numba.njit(cache=True, nogil=True)
def _hash_texts(source, bounds, hashes, kinds, starts):  # type: ignore[no-untyped-def]
    longest = 0
    for i in range(len(bounds) // 2):
        longest = max(longest, bounds[2 * i + 2] - bounds[2 * i])
    plain = np.empty(5 * longest + 8, np.uint8)
    found, words = np.empty(FEATURES_PER_BYTE * longest + 8, np.uint64), np.empty(FEATURES_PER_BYTE * longest + 8, np.uint64)
    total = np.uint64(0)
    for i in range(len(bounds) // 2):
        count = hash_text(source, bounds[2 * i], bounds[2 * i + 1], bounds[2 * i + 2], plain, found, words)
        for j in range(count):
            hashes[total], kinds[total] = found[j], WORD if words[j] else OTHER
            total += _1
            if words[j]:
                last = hash_ngrams(plain, words[j], hashes, total)
                kinds[total:last] = NGRAM
                total = last
        starts[i + 1] = total
    return total


def pack(texts: Sequence[tuple[str, str]]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Join records into one buffer of bytes and the ``2 * n + 1`` bounds of their fields."""
    fields = list(chain.from_iterable(texts))
    source = np.frombuffer("".join(fields).encode("ascii", "replace"), np.uint8)
    return source, np.fromiter(accumulate(map(len, fields), initial=0), np.int64, len(fields) + 1)


def hash_texts(texts: list[tuple[str, str]]) -> tuple[NDArray[np.uint64], NDArray[np.uint8], NDArray[np.int64]]:
    """Hash the features of records (title, tasks).

    Returns
    -------
    hashes
        The features of all records, one after the other, with repeats; a word's n-grams directly follow it.
    kinds
        Whether each is a `WORD`, an `NGRAM` or `OTHER`.
    starts
        Of shape (n + 1,): record i has ``hashes[starts[i]:starts[i + 1]]``.
    """
    source, bounds = pack(texts)
    room = FEATURES_PER_BYTE * len(source) + 8 * len(texts) + 8
    hashes, kinds = np.empty(room, np.uint64), np.empty(room, np.uint8)
    starts = np.zeros(len(texts) + 1, np.int64)
    total = _hash_texts(source, bounds, hashes, kinds, starts)
    return hashes[:total], kinds[:total], starts
