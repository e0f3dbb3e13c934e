"""How deep to code: the deepest level whose probability reaches its threshold (guide section 4.1); compiled."""

from occode.coding.kernels import kernel

#: The node of a record that is not coded.
NOTHING = -1


@kernel
def decide(node, chance, thresholds, kind):  # type: ignore[no-untyped-def]  # compiled: types are numba's
    """Return the code of one record, and its probability.

    Parameters
    ----------
    node, chance
        Of shape (levels or more,): the best category of each level, from the top, and its probability, 0 to 1.
    thresholds
        Of shape (levels, kinds): what each level must reach, by the kind of record.
    kind
        The record's, see `occode.coding.record`.

    Returns
    -------
    node, chance
        The category and its probability; `NOTHING` and 0 where no level is sure enough.
    """
    for level in range(len(thresholds) - 1, -1, -1):
        if chance[level] >= thresholds[level, kind]:
            return node[level], chance[level]
    return NOTHING, 0.0
