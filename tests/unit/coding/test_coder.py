"""What the coder answers: depth, suggestions, limits."""

import numpy as np
import pytest

from occode import Coder
from occode.coding.decide import NOTHING, decide
from occode.coding.record import BOTH, TASKS, TITLE


def test_the_deepest_level_that_is_sure_enough_is_the_code() -> None:
    """Levels are tried from the bottom, each by the threshold of the record's kind; none gives no code."""
    node = np.array([10, 11, 12], np.int32)
    thresholds = np.array([[0.9, 0.4, 0.0], [0.8, 0.95, 0.0], [0.7, 0.7, 0.0]])
    assert decide(node, np.array([0.99, 0.9, 0.5]), thresholds, TITLE) == (11, 0.9)
    assert decide(node, np.array([0.99, 0.9, 0.5]), thresholds, TASKS) == (10, 0.99)
    assert decide(node, np.array([0.5, 0.5, 0.5]), thresholds, TITLE) == (NOTHING, 0)
    assert decide(node, np.array([0.5, 0.5, 0.5]), thresholds, BOTH) == (12, 0.5)


@pytest.mark.parametrize("topic", ["osca", "anzsco"])
def test_the_guides_example_is_coded_to_a_software_occupation(topic: str, request: pytest.FixtureRequest) -> None:
    """Guide section 7.1.7."""
    coder: Coder = request.getfixturevalue(topic)
    coding = coder.code("software developer", "writing code and unit tests", suggestions=3)
    assert coding.status == "successful"
    assert coding.result is not None
    group = {"osca": "2733", "anzsco": "2613"}[topic]
    assert coding.result.code.startswith(group)
    assert len(coding.candidates) == 2


@pytest.mark.parametrize(("text", "group"), [("teacher", "25"), ("engineer", "24"), ("doctor", "264"), ("labourer factory", "83")])
def test_a_title_that_names_a_group_is_coded_to_it(osca: Coder, text: str, group: str) -> None:
    """No deeper than it says, and to more than one digit: the thresholds between are within a title's reach."""
    result = osca.code(text).result
    assert result is not None
    assert result.code.startswith(group)
    assert len(result.code) < 6


@pytest.mark.parametrize("text", ["retiree", "homemaker", "", "zzz qqq", "123 456"])
def test_what_is_no_occupation_gets_no_code(osca: Coder, anzsco: Coder, text: str) -> None:
    """Guide section 4.2."""
    assert osca.code(text).result is None
    assert anzsco.code(text).result is None


@pytest.mark.parametrize(("text", "label"), [("prisoner", "Correctional Officer"), ("baby", "Nanny")])
def test_text_is_taken_to_be_about_a_job(osca: Coder, text: str, label: str) -> None:
    """Guide section 4.2: who works with prisoners, or with babies."""
    result = osca.code(text, min_confidence=0).result
    assert result is not None
    assert result.label == label


def test_a_threshold_of_zero_codes_to_the_deepest_level(osca: Coder) -> None:
    """However unsure."""
    result = osca.code("manager", min_confidence=0).result
    assert result is not None
    assert len(result.code) == 6


def test_suggestions_are_leaves_by_falling_confidence_without_repeats(osca: Coder) -> None:
    """Neither the result nor any other code comes twice."""
    for text in ("manager", "software developer", "nurse", "driver", "labourer"):
        coding = osca.code(text, suggestions=16)
        codes = [c.code for c in coding.candidates]
        result = [coding.result.code] if coding.result else []
        assert len({*codes, *result}) == len(codes) + len(result) <= 16
        assert all(len(code) == 6 for code in codes)
        confidences = [c.confidence for c in coding.candidates]
        assert confidences == sorted(confidences, reverse=True)


def test_no_suggestions_are_given_where_none_are_asked_for(osca: Coder) -> None:
    """Zero is a number of suggestions; none given means three, for a record without a code."""
    unsure = "something in an office or so"
    assert osca.code(unsure, min_confidence=1, suggestions=0).candidates == ()
    assert len(osca.code(unsure, min_confidence=1).candidates) == 3


def test_the_number_of_suggestions_has_bounds(osca: Coder) -> None:
    """Up to 16."""
    with pytest.raises(ValueError, match="0 to 16"):
        osca.code("nurse", suggestions=17)
