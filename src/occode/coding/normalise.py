"""What every text goes through first: one plain form for spellings that mean the same."""

import re

_WORD = re.compile(r"[a-z0-9+#]+")


def normalise(text: str) -> list[str]:
    """Split a text into lower-case words of letters, digits, ``+`` and ``#``.

    Apostrophes vanish (``driver's`` is ``drivers``), ``&`` becomes ``and``, all else separates. The kernel in
    `occode.coding.kernels` does the same on bytes; a property test holds the two equal.
    """
    return _WORD.findall(text.lower().replace("'", "").replace("&", " and "))


def stem(word: str) -> str:
    """Drop a plural's final ``s``: not from words of up to three letters, nor from ``-ss``, ``-us`` and ``-is``."""
    if len(word) > 3 and word[-1] == "s" and word[-2] not in "sui":
        return word[:-1]
    return word
