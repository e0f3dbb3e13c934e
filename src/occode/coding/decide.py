"""How deep to code: the deepest level whose probability reaches its threshold (guide section 4.1)."""

import numpy as np
from numpy.typing import NDArray

#: The level of a record that is not coded.
UNSUCCESSFUL = -1


def decide(chance: NDArray[np.float32], thresholds: tuple[float, ...], known: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return of each record the level, 0 the top, to code to, or `UNSUCCESSFUL`.

    Parameters
    ----------
    chance
        Of shape (n, levels): the probability of the best category of each level, from the top.
    thresholds
        What each must reach, level by level.
    known
        Of shape (n,): the share of the text's words that the model knows; below zero the text has no known feature and is
        never coded.
    """
    sure = (chance >= np.array(thresholds, np.float32)) & (known >= 0)[:, None]
    deepest = chance.shape[1] - 1 - np.argmax(sure[:, ::-1], axis=1)
    return np.where(sure.any(axis=1), deepest, UNSUCCESSFUL)
