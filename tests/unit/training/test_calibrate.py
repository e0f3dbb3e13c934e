"""Lapses and thresholds."""

import numpy as np
import pytest

from occode.coding.record import BOTH, KINDS, TASKS, TITLE
from occode.training.calibrate import DEEPEST_LAPSE, FEWEST, TOP_LAPSE, lapses, thresholds


@pytest.mark.parametrize("levels", [1, 2, 5])
def test_every_level_has_a_lapse_and_the_deepest_its_own(levels: int) -> None:
    """Whatever the depth of a classification; a flat one has the deepest level only."""
    found = lapses(levels)
    assert found.shape == (levels, KINDS)
    assert found[-1].tolist() == pytest.approx(DEEPEST_LAPSE)
    assert (found[:-1] < found[-1]).all()
    assert levels == 1 or found[0].tolist() == pytest.approx(TOP_LAPSE)


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


def _many(*rows: tuple[int, float, bool, float, bool]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return confidence, right and kind of each row (kind, confidence and right above, the same at the deepest), often enough."""
    kind, sure, right, deep, deep_right = (np.repeat(column, FEWEST) for column in zip(*rows, strict=True))
    return np.stack([sure, deep], axis=1), np.stack([right, deep_right], axis=1), kind.astype(np.int32)


def test_above_the_deepest_level_each_kind_has_its_threshold_and_a_rare_kind_that_of_all() -> None:
    """Titles that are right at 0.8 don't open the way to tasks that are wrong at 0.9."""
    rows = _many((TITLE, 0.8, True, 0.4, False), (TASKS, 0.95, True, 0.4, False), (TASKS, 0.9, False, 0.4, False))
    assert thresholds(*rows, 0.6).tolist() == [[0.8, 0.95, 0.8], [1, 1, 1]]
    assert thresholds(*rows, 0.5).tolist() == [[0.8, 0.9, 0.8], [1, 1, 1]]


def test_the_deepest_level_has_one_threshold_set_by_records_with_a_title() -> None:
    """However sure and right tasks by themselves are."""
    rows = _many((TITLE, 1, True, 0.9, True), (BOTH, 1, True, 0.8, False), (TASKS, 1, True, 0.6, True))
    assert thresholds(*rows, 0.65)[1].tolist() == [0.9, 0.9, 0.9]


def test_what_a_deeper_level_takes_is_not_counted_above_it() -> None:
    """The record that is right has its code already; the other is wrong at every level."""
    rows = _many((TITLE, 0.9, True, 0.8, True), (TITLE, 0.9, False, 0.3, False))
    assert thresholds(*rows, 0.5)[:, TITLE].tolist() == [1, 0.5]
