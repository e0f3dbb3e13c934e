"""How deep to code: the deepest level whose probability reaches its threshold (guide section 4.1); compiled."""

import numba
import numpy as np
from numpy.typing import NDArray

#: The level of a record that is not coded, and the node of no category.
UNSUCCESSFUL = NOTHING = -1


def decide(
    node: NDArray[np.int32], chance: NDArray[np.float32], thresholds: NDArray[np.float32], known: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Decide how deep each of n records is coded.

    Parameters
    ----------
    node, chance
        Of shape (n, levels): the best category of each level, from the top, and its probability.
    thresholds
        Of shape (levels,): what each must reach.
    known
        Of shape (n,): the share of the text's words that the model knows; below zero the text has no known feature and is
        never coded.

    Returns
    -------
    level, best, confidence
        Of shape (n,): the level, 0 the top, or `UNSUCCESSFUL`; its category, or `NOTHING`; its probability, or 0.
    """
    n = len(known)
    level, best, confidence = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.float32)
    _decide(node, chance, thresholds, known, level, best, confidence)
    return level, best, confidence


@numba.njit(cache=True, nogil=True)
def _decide(node, chance, thresholds, known, level, best, confidence):  # type: ignore[no-untyped-def]
    for i in range(len(known)):
        level[i], best[i], confidence[i] = UNSUCCESSFUL, NOTHING, 0
        if known[i] < 0:
            continue
        for at in range(len(thresholds) - 1, -1, -1):
            if chance[i, at] >= thresholds[at]:
                level[i], best[i], confidence[i] = at, node[i, at], chance[i, at]
                break
