"""The operator's own labelled rows as training data."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from occode.coding.coder import Coder
from occode.coding.model import ARRAYS, MANIFEST
from occode.coding.registry import Registry
from occode.training import train as training
from occode.training.corpus import Line
from occode.training.examples import make_examples
from occode.training.labelled import Labelled, UnknownCode
from occode.training.own import NothingToTrainOn, Records, own_examples, read_records
from occode.training.sources import task_for
from occode.training.train import Options, Task, train

ROWS = [
    Labelled("wood oven person", "makes bread", "11"),
    Labelled("wood oven person", "makes bread", "11"),
    Labelled("wood oven person", "makes bread", "12"),
    Labelled("tram person", "", "22"),
    Labelled("tram person, senior", "", "21"),
    Labelled("caf\u00e9 person", "", "1"),
]


def _read(toy: Registry, rows: list[Labelled]) -> Records:
    return read_records([("rows", rows)], toy.catalogue.topic("toy"))


def _task(toy: Registry, rows: list[Labelled]) -> Task:
    return task_for(toy.catalogue, "toy", options=Options(folds=2), records=_read(toy, rows))


def test_equal_rows_become_one_with_their_weights_added(toy: Registry) -> None:
    """Equal in text and code; the text is folded to ASCII first."""
    found = _read(toy, ROWS)
    assert found.texts[:3] == [("cafe person", ""), ("tram person", ""), ("tram person, senior", "")]
    assert found.codes == ["1", "22", "21", "11", "12"]
    assert found.weights.tolist() == [1, 1, 1, 2, 1]
    assert found.tally.usable == 6


def test_a_row_with_several_codes_counts_for_each_in_equal_parts(toy: Registry) -> None:
    """Its weight is shared out."""
    found = _read(toy, [Labelled("tram person", "", "21|22", 3.0)])
    assert list(zip(found.codes, found.weights.tolist(), strict=True)) == [("21", 1.5), ("22", 1.5)]


def test_rows_outside_the_limits_or_without_a_code_are_left_out_and_counted(toy: Registry) -> None:
    """Between 3 and 100 characters over both fields."""
    rows = [Labelled("ab", "", "11"), Labelled("a" * 101, "", "11"), Labelled("abc", "", ""), Labelled("a" * 50, "b" * 50, "11")]
    found = _read(toy, rows)
    assert (len(found), found.tally.unfit, found.tally.unanswered) == (1, 2, 1)
    with pytest.raises(NothingToTrainOn):
        _read(toy, rows[:3])


def test_an_unknown_code_names_its_row(toy: Registry) -> None:
    """So that it can be found and mended."""
    with pytest.raises(UnknownCode, match="Row 3 of rows has the code 13"):
        _read(toy, [*ROWS[:2], Labelled("cook", "", "13")])


def test_the_digest_tells_content_and_weight_but_not_order(toy: Registry) -> None:
    """The same rows in another order or several files train the same model; other weights do not."""
    classification = toy.catalogue.topic("toy")
    split = read_records([("b", ROWS[3:]), ("a", ROWS[:3][::-1])], classification)
    assert split.digest == _read(toy, ROWS).digest
    assert _read(toy, [row._replace(weight=2.0) for row in ROWS]).digest != split.digest
    assert _read(toy, ROWS[1:]).digest != split.digest


def test_near_copies_share_a_fold_whatever_their_codes(toy: Registry) -> None:
    """Among the rows, and between them and the corpus: a text that stands under two codes is held out of both at once."""
    own = own_examples(_read(toy, ROWS), 97)
    corpus = make_examples([Line("persons, tram", "titles", "12")], folds=97, misspelt=0, by_code=False)
    folds: dict[str, set[int]] = defaultdict(set)
    for (title, _), fold in [*zip(own.texts, own.folds, strict=True), *zip(corpus.texts, corpus.folds, strict=True)]:
        folds["tram" if "tram" in title else title].add(int(fold))
    assert {title: len(found) for title, found in folds.items()} == {"cafe person": 1, "tram": 1, "wood oven person": 1}
    assert own.natural.all()


def test_two_trainings_on_the_same_rows_give_the_same_bytes(toy: Registry, tmp_path: Path) -> None:
    """With own data as without."""
    for name, rows in (("one", ROWS), ("two", ROWS[::-1])):
        train(_task(toy, rows)).save(tmp_path / name)
    for file in (ARRAYS, MANIFEST):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_the_model_learns_from_the_rows_and_says_that_it_did(toy: Registry) -> None:
    """Words that the corpus has not lead to the code of the rows; the manifest has their hash and their number."""
    task = _task(toy, [Labelled("zeppelin pilot", "", "22", 5.0)])
    model = train(task)
    code = Coder(model, task.classification).code("zeppelin pilot", min_confidence=0).result
    assert code is not None
    assert code.code == "22"
    assert task.records is not None
    assert model.manifest["fingerprint"]["sources"]["records"] == task.records.digest
    assert model.manifest["sizes"]["rows"] == 1
    assert model.model_id != task_for(toy.catalogue, "toy", options=Options(folds=2)).model_id


def test_calibration_scores_no_more_than_it_needs(toy: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folds are held out until there are enough natural examples; of those a sample is scored, the same each time."""
    monkeypatch.setattr(training, "MOST_SCORED", 10)
    stages: list[str] = []
    first = train(_task(toy, ROWS), lambda stage, done, total: stages.append(stage))
    assert first.manifest["sizes"]["scored"] == 10
    assert set(stages) == {"features", "held out 1 of 1", "training"}
    assert train(_task(toy, ROWS)).manifest == first.manifest


def test_without_rows_the_task_is_as_it_was(toy: Registry) -> None:
    """No hash among the sources, no rows in the manifest."""
    task = task_for(toy.catalogue, "toy", options=Options(folds=2))
    assert task.records is None
    assert list(task.sources) == ["toy"]
    assert "rows" not in train(task).manifest["sizes"]
    assert replace(task, records=_read(toy, ROWS)).lines == task.lines
    assert np.isfinite(train(task).arrays.temperature).all()
