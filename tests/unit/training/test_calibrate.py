"""Lapses and thresholds."""

import numpy as np
import pytest

from occode.coding.record import BOTH, KINDS, TASKS, TITLE
from occode.training.calibrate import DEEPEST_LAPSE, lapses, thresholds


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
    titles = np.full(4, TITLE, np.int32)
    assert thresholds(confidence, right, titles, 0.95)[0, TITLE] == 0.95
    assert thresholds(confidence, right, titles, 0.75)[0, TITLE] == 0.9


def test_a_level_that_never_is_right_enough_is_closed() -> None:
    """No confidence reaches a threshold of 1 that no record has shown to be earned."""
    found = thresholds(np.array([[0.9], [0.8]]), np.zeros((2, 1), np.bool_), np.full(2, TITLE, np.int32), 0.95)
    assert found[0, TITLE] == 1


def test_above_the_deepest_level_each_kind_has_its_threshold_and_an_unknown_kind_that_of_all() -> None:
    """Titles that are right at 0.8 don't open the way to tasks that are wrong at 0.9."""
    above, right = np.array([0.8, 0.8, 0.95, 0.9]), np.array([True, True, True, False])
    confidence, hit = np.stack([above, above / 2], axis=1), np.stack([right, np.zeros(4, np.bool_)], axis=1)
    kind = np.array([TITLE, TITLE, TASKS, TASKS], np.int32)
    assert thresholds(confidence, hit, kind, 0.7).tolist() == [[0.8, 0.95, 0.8], [1, 1, 1]]


def test_the_deepest_level_has_one_threshold_set_by_records_with_a_title() -> None:
    """However sure and right tasks by themselves are."""
    confidence, right = np.array([[0.9], [0.8], [0.6]]), np.array([[True], [False], [True]])
    kind = np.array([TITLE, BOTH, TASKS], np.int32)
    assert thresholds(confidence, right, kind, 0.7).tolist() == [[0.9, 0.9, 0.9]]
