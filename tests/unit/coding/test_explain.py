"""Explanations: true to the coder, level by level, in words."""

import numpy as np
import pytest

from occode.coding.coder import Coder
from occode.coding.explain import explain
from occode.coding.record import TextTooShort, kind_of
from occode.coding.reference import probabilities
from occode.coding.registry import Registry

RECORDS = [("school bus driver", ""), ("cook", "fry food"), ("", "bake bread")]


@pytest.fixture(scope="module")
def coder(toy: Registry) -> Coder:
    """The coder of the small classification."""
    return toy.coder("toy")


@pytest.mark.parametrize("record", RECORDS)
def test_the_steps_lead_to_the_best_candidate_with_its_confidence(coder: Coder, record: tuple[str, str]) -> None:
    """One step a level; the last is the code that the coder gives at a threshold of 0."""
    steps = explain(coder, *record)
    best = coder.code(*record, min_confidence=0).result
    assert best is not None
    assert [len(step.chosen.code) for step in steps] == list(coder.classification.levels)
    assert (steps[-1].chosen.code, steps[-1].chosen.label) == (best.code, best.label)
    assert steps[-1].chosen.confidence == pytest.approx(best.confidence, rel=1e-4)


@pytest.mark.parametrize("record", RECORDS)
def test_the_evidence_adds_up_to_the_odds(coder: Coder, record: tuple[str, str]) -> None:
    """What the features add, and what holds without any text, is the logarithm of chosen to runner-up, the lapse apart."""
    parent, lapses = 1.0, coder.model.arrays.lapse[:, kind_of(record)]
    for step, lapse in zip(explain(coder, *record), lapses, strict=True):
        odds = sum(found.weight for found in step.evidence) + step.prior
        for found, sign in ((step.chosen, 1), (step.runner_up, -1)):
            assert found is not None
            share = (1 - lapse) / (1 + np.exp(-sign * odds)) + lapse / 2  # each of these parents has two children
            assert found.confidence == pytest.approx(parent * share, abs=1e-4)
        parent = step.chosen.confidence


def test_the_runner_up_is_the_best_of_the_siblings(coder: Coder) -> None:
    """Among the children of the same parent."""
    chances = dict(zip(coder.tree.codes, probabilities(coder.model.arrays, coder.tree, RECORDS[0]), strict=True))
    for step in explain(coder, *RECORDS[0]):
        parent = coder.classification.parent(step.chosen.code)
        siblings = [code for code in coder.classification.children[parent] if code != step.chosen.code]
        assert step.runner_up is not None
        assert step.runner_up.code == max(siblings, key=chances.__getitem__)


def test_the_strongest_word_is_the_one_that_tells(coder: Coder) -> None:
    """A bus driver is known by the bus; each feature stands once, the greatest first."""
    evidence = explain(coder, "bus driver")[-1].evidence
    words = {found.text: found.weight for found in evidence if found.kind == "word"}
    assert words["bus"] > 0
    assert words["bus"] > abs(words.get("driver", 0))
    assert len({(found.kind, found.field, found.text) for found in evidence}) == len(evidence)
    assert [abs(found.weight) for found in evidence] == sorted((abs(found.weight) for found in evidence), reverse=True)


def test_words_are_told_apart_by_their_field(coder: Coder) -> None:
    """A word of the tasks is no word of the title."""
    fields = {found.field for found in explain(coder, "cook", "fry food")[-1].evidence}
    assert fields == {"title", "tasks"}


def test_a_text_of_strange_words_has_no_steps(coder: Coder) -> None:
    """Nothing led anywhere."""
    assert explain(coder, "qqq zzz") == []


def test_a_text_outside_the_limits_is_an_error(coder: Coder) -> None:
    """As in coding over the API."""
    with pytest.raises(TextTooShort):
        explain(coder, "x")
