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
_30, _27, _31 = np.uint64(30), np.uint64(27), np.uint64(31)
_8, _16, _24 = np.uint64(8), np.uint64(16), np.uint64(24)
#: Compiles a function that makes no array. Without `_nrt`, arrays' references would be counted at every call, a sixth of the time.
kernel = numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)  # type: ignore[call-overload]
#: What a hash is of: a word, an n-gram of the word before it, or anything else.
WORD, NGRAM, OTHER = np.uint8(0), np.uint8(1), np.uint8(2)
#: A text of n bytes has at most n words, n pairs, n openings and n + 2 * words 4-grams: never more features than this many a byte.
FEATURES_PER_BYTE = 6


@kernel
def _mix(value):  # type: ignore[no-untyped-def]  # compiled: types are numba's
    value = (value ^ (value >> _30)) * _M1
    value = (value ^ (value >> _27)) * _M2
    return value ^ (value >> _31)


@kernel
def _normalise(source, start, end, out):  # type: ignore[no-untyped-def]
    """Write the normalised text, each word between single spaces, to `out`; return its length."""
    size = 0
    out[size] = 32
    size += 1
    for i in range(start, end):
        c = source[i]
        if 65 <= c <= 90:
            c += 32
        if (97 <= c <= 122) or (48 <= c <= 57) or c == 43 or c == 35:
            out[size] = c
            size += 1
        elif c == 38:
            if out[size - 1] != 32:
                out[size] = 32
                size += 1
            out[size], out[size + 1], out[size + 2], out[size + 3] = 97, 110, 100, 32
            size += 4
        elif c != 39 and out[size - 1] != 32:
            out[size] = 32
            size += 1
    if out[size - 1] != 32:
        out[size] = 32
        size += 1
    return size


@kernel
def _four(plain, at):  # type: ignore[no-untyped-def]
    """Return four characters as one number."""
    return np.uint64(plain[at]) | np.uint64(plain[at + 1]) << _8 | np.uint64(plain[at + 2]) << _16 | np.uint64(plain[at + 3]) << _24


@kernel
def _hash_field(plain, size, hashes, count, kinds):  # type: ignore[no-untyped-def]
    """Append the features of one normalised field to `hashes`, and what each is to `kinds`."""
    previous = np.uint64(0)
    start = 1
    while start < size:
        end = start
        while plain[end] != 32:
            end += 1
        stop = end
        if end - start > 3 and plain[end - 1] == 115:
            before = plain[end - 2]
            if before != 115 and before != 117 and before != 105:
                stop = end - 1
        value = _FNV_OFFSET
        for i in range(start, stop):
            value = (value ^ np.uint64(plain[i])) * _FNV_PRIME
        hashes[count], kinds[count] = _mix(value ^ _WORD), WORD
        count += 1
        if end - start > 2:
            for i in range(start - 1, end - 2):
                hashes[count], kinds[count] = _mix(_four(plain, i) ^ _NGRAM), NGRAM
                count += 1
        if end - start > 3:
            hashes[count], kinds[count] = _mix(_four(plain, start) ^ _OPENING), OTHER
            count += 1
        if start > 1:
            low, high = min(previous, value), max(previous, value)
            hashes[count], kinds[count] = _mix((low * _PAIR + high) ^ _PAIR_OF_WORDS), OTHER
            count += 1
        previous = value
        start = end + 1
    return count


@kernel
def hash_text(source, start, middle, end, plain, hashes, kinds):  # type: ignore[no-untyped-def]
    """Hash one record whose title is ``source[start:middle]`` and tasks ``source[middle:end]``; return the count."""
    size = _normalise(source, start, middle, plain)
    count = _hash_field(plain, size, hashes, 0, kinds)
    size = _normalise(source, middle, end, plain)
    return _hash_field(plain, size, hashes, count, kinds)


@numba.njit(cache=True, nogil=True)
def _hash_texts(source, bounds, hashes, kinds, starts):  # type: ignore[no-untyped-def]
    longest = 0
    for i in range(len(bounds) // 2):
        longest = max(longest, bounds[2 * i + 2] - bounds[2 * i])
    plain = np.empty(4 * longest + 8, np.uint8)
    total = 0
    for i in range(len(bounds) // 2):
        total += hash_text(source, bounds[2 * i], bounds[2 * i + 1], bounds[2 * i + 2], plain, hashes[total:], kinds[total:])
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
