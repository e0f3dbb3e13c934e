"""Slips of the keyboard, made by rule: what a hurried person types instead of a word."""

from random import Random

_VOWELS = "aeiou"
#: Letters beside each other on a keyboard, and sounds that are often confused.
_NEIGHBOURS = {
    "a": "sqe", "b": "vn", "c": "xks", "d": "sf", "e": "rwi", "f": "dg", "g": "fhj", "h": "gj", "i": "uoey", "j": "hk",
    "k": "jlc", "l": "k", "m": "n", "n": "mb", "o": "ipu", "p": "o", "q": "wa", "r": "et", "s": "adc", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tui", "z": "xs",
}  # fmt: skip


def misspell(text: str, chance: Random) -> str:
    """Return `text` with one slip: a letter dropped, doubled, swapped, mistaken, or two words joined.

    Words of up to three letters are left alone; a text without a longer word comes back as it was.
    """
    words = text.split(" ")
    long = [i for i, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    if not long:
        return text
    at = chance.choice(long)
    if at + 1 < len(words) and chance.random() < 0.15:
        return " ".join([*words[:at], words[at] + words[at + 1], *words[at + 2 :]])
    words[at] = _slip(words[at], chance)
    return " ".join(words)


def _slip(word: str, chance: Random) -> str:
    i = chance.randrange(1, len(word) - 1)
    kind = chance.randrange(5)
    if kind == 0:
        return word[:i] + word[i + 1 :]
    if kind == 1:
        return word[:i] + word[i] + word[i:]
    if kind == 2:
        return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    if kind == 3:
        return word[:i] + chance.choice(_NEIGHBOURS.get(word[i].lower(), word[i])) + word[i + 1 :]
    vowels = [j for j in range(1, len(word)) if word[j] in _VOWELS]
    if not vowels:
        return word[:i] + word[i + 1 :]
    j = chance.choice(vowels)
    return word[:j] + chance.choice(_VOWELS) + word[j + 1 :]
