"""Text to features, the readable definition: words, pairs of near words, openings and character 4-grams of words in both fields.

A feature is a 64-bit hash. The kernel in `occode.coding.kernels` computes the same hashes from bytes without making a
Python object; this module is what it is tested against.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from occode.coding.normalise import normalise, stem

MASK = (1 << 64) - 1
FNV_OFFSET = 0xCBF29CE484222325
FNV_PRIME = 0x100000001B3
PAIR = 0x9E3779B97F4A7C15
#: Words that stand in no pair: in "teacher of Japanese" the other two do. Compiled into kernels that numba keeps on disk: after a
#: change here, as of the salts, delete their cache (``__pycache__``).
FUNCTION_WORDS = ("a", "an", "and", "at", "by", "for", "from", "i", "in", "my", "of", "on", "or", "the", "to", "with")
#: How far apart the words of a pair may stand, function words not counted.
FARTHEST = 2
#: Characters of an n-gram, and of a word's opening.
NGRAM = 4
#: One salt a kind of feature. The fields share them: a word counts alike in the title and in the tasks.
SALTS = {"word": 0x243F6A8885A308D3, "pair": 0x13198A2E03707344, "opening": 0x082EFA98EC4E6C89, "ngram": 0xA4093822299F31D0}


class Feature(NamedTuple):
    """A feature by name: `kind` is a key of `SALTS`, `field` 0 for the title and 1 for the tasks."""

    kind: str
    field: int
    text: str


def mix(value: int) -> int:
    """Spread the bits of a 64-bit value (the finaliser of splitmix64, Steele et al. 2014)."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


def hash_word(word: str) -> int:
    """Return the 64-bit FNV-1a hash of a word."""
    value = FNV_OFFSET
    for byte in word.encode("ascii"):
        value = ((value ^ byte) * FNV_PRIME) & MASK
    return value


def named_features(title: str, tasks: str) -> Iterator[Feature]:
    """Yield every feature, with repeats; a word's own n-grams follow it, before the next word."""
    for field, text in enumerate((title, tasks)):
        words = normalise(text)
        for word in words:
            yield Feature("word", field, stem(word))
            if len(word) >= NGRAM:
                yield Feature("opening", field, word[:NGRAM])
            padded = f" {word} "
            if len(padded) > NGRAM:
                for i in range(len(padded) - NGRAM + 1):
                    yield Feature("ngram", field, padded[i : i + NGRAM])
        stems = [stem(word) for word in words if word not in FUNCTION_WORDS]
        for apart in range(1, FARTHEST + 1):
            for first, second in zip(stems, stems[apart:], strict=False):
                yield Feature("pair", field, f"{first} {second}")


def hash_feature(kind: str, text: str) -> int:
    """Return the 64-bit hash of one named feature; a pair has the same whichever of its words comes first."""
    if kind == "word":
        value = hash_word(text)
    elif kind == "pair":
        first, second = sorted(map(hash_word, text.split(" ")))
        value = (first * PAIR + second) & MASK
    else:
        value = int.from_bytes(text.encode("ascii"), "little")
    return mix(value ^ SALTS[kind])


def features(title: str, tasks: str) -> Counter[int]:
    """Return the features of a text, hashed, with how often each occurs."""
    return Counter(hash_feature(kind, text) for kind, _, text in named_features(title, tasks))
