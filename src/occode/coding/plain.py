"""Text from the world's files into the characters that the coder takes."""

import unicodedata

_LIKE = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2013": "-",
        "\u2014": "-",
        "\u2026": "...",
        "\u00df": "ss",
        "\u00e6": "ae",
        "\u00f8": "o",
    }
)


def fold(text: str) -> str:
    """Return `text` in printable ASCII: accents dropped, curly quotes and long dashes made plain, white space made single spaces.

    A character that has no such likeness becomes a space.
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    plain = unicodedata.normalize("NFKD", text.translate(_LIKE))
    kept = (c if c.isascii() and c.isprintable() else ("" if unicodedata.combining(c) else " ") for c in plain)
    return " ".join("".join(kept).split())
