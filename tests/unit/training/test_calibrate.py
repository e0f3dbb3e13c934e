"""Lapses and thresholds."""

import numpy as np
import pytest

from occode.training.calibrate import DEEPEST_LAPSE, KINDS, lapses, thresholds


@pytest.mark.parametrize("levels", [1, 2, 5])
def test_every_level_has_a_lapse_and_the_deepest_its_own(levels: int) -> None:
    """Whatever the depth of a classification; a flat one has the deepest level only."""
    found = lapses(levels)
    assert found.shape == (levels, KINDS)
    assert found[-1].tolist() == pytest.approx(DEEPEST_LAPSE)
    assert (found[:-1] < found[-1]).all()


def test_a_threshold_takes_all_of_equal_confidence_or_none() -> None:
    """Three records at 0.9, one of them wrong, can't be parted: the threshold stays above them."""
    confidence = np.array([[0.95], [0.9], [0.9], [0.9]])
    right = np.array([[True], [True], [True], [False]])
    assert thresholds(confidence, right, 0.95) == (0.95,)
    assert thresholds(confidence, right, 0.75) == (0.9,)


def test_a_level_that_never_is_right_enough_is_closed() -> None:
    """No confidence reaches a threshold of 1 that no record has shown to be earned."""
    assert thresholds(np.array([[0.9], [0.8]]), np.zeros((2, 1), np.bool_), 0.95) == (1.0,)
