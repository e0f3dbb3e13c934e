"""How deep to code: the deepest level whose probability reaches its threshold (guide section 4.1)."""

from collections.abc import Sequence

#: What `decide` returns where no level is sure enough.
UNSUCCESSFUL = -1


def decide(chances: Sequence[float], thresholds: Sequence[float], known: float) -> int:
    """Return the level, 0 the top, to code to, or `UNSUCCESSFUL`.

    Parameters
    ----------
    chances
        The probability of the best category of each level, from the top.
    thresholds
        What each must reach.
    known
        The share of the text's words that the model knows; below zero the text has no known feature and is never coded.
    """
    if known < 0:
        return UNSUCCESSFUL
    for level in range(len(chances) - 1, -1, -1):
        if chances[level] >= thresholds[level]:
            return level
    return UNSUCCESSFUL
