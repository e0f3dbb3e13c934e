"""Training: repeatable, calibrated, registered."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from occode.coding.model import ARRAYS, FORMAT, MANIFEST
from occode.coding.registry import ModelNotFound, Registry
from occode.training.corpus import Line
from occode.training.examples import STRANGE, TITLE_WEIGHT, fold_of, make_examples
from occode.training.publish import make_latest, publish, set_state
from occode.training.sources import task_for
from occode.training.train import Options, Task, train
from tests.conftest import NOW


def _task(toy: Registry) -> Task:
    return task_for(toy.catalogue, "toy", options=Options(folds=2))


def test_two_trainings_on_the_same_input_give_the_same_bytes(toy: Registry, tmp_path: Path) -> None:
    """Threads and chance leave no trace."""
    for name in ("one", "two"):
        train(_task(toy)).save(tmp_path / name)
    for file in (ARRAYS, MANIFEST):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_the_id_of_a_model_follows_its_input(toy: Registry) -> None:
    """Other options or other text make another model; the id is known before training."""
    task = _task(toy)
    assert train(task).model_id == task.model_id == _task(toy).model_id
    assert replace(task, options=Options(folds=3)).model_id != task.model_id
    assert replace(task, sources={"toy": "other"}).model_id != task.model_id


def test_progress_runs_from_nothing_to_everything(toy: Registry) -> None:
    """Each stage ends at its last step."""
    seen: list[tuple[str, int, int]] = []
    train(_task(toy), lambda *step: seen.append(step))
    last = {stage: (done, total) for stage, done, total in seen}
    assert all(done == total for done, total in last.values())
    assert "training" in last


def test_versions_count_up_and_models_come_and_go(toy: Registry, tmp_path: Path) -> None:
    """Publish, retire, publish again, choose the latest."""
    registry = Registry(tmp_path, toy.catalogue)
    first = publish(train(_task(toy)), registry, NOW)
    second = publish(train(replace(_task(toy), options=Options(folds=2, seed=1))), registry, NOW)
    assert (first.version, second.version) == (1, 2)
    assert registry.latest("toy") == second
    make_latest(registry, "toy", first.model_id)
    assert registry.latest("toy") == first
    set_state(registry, "toy", first.model_id, "retired")
    assert registry.latest("toy") == second
    with pytest.raises(ModelNotFound):
        registry.find("toy", first.model_id)
    assert publish(train(_task(toy)), registry, NOW) == first
    assert len(registry.releases("toy").releases) == 2


def test_models_of_an_older_format_are_retired(toy: Registry, tmp_path: Path) -> None:
    """They could not be loaded: a new model takes them out of use, and the rest of the list stays."""
    registry = Registry(tmp_path, toy.catalogue)
    old = publish(train(_task(toy)), registry, NOW)
    manifest = registry.path("toy", old.model_id) / MANIFEST
    manifest.write_text(manifest.read_text().replace(f'"format": {FORMAT}', '"format": 0'))
    new = publish(train(replace(_task(toy), options=Options(folds=2, seed=1))), registry, NOW)
    assert registry.releases("toy").live() == [new]
    assert [release.version for release in registry.releases("toy").releases] == [1, 2]


def test_near_copies_are_never_on_both_sides_of_a_fold() -> None:
    """Word order, plurals and rank do not make another line."""
    texts = ["bus driver", "driver, bus", "senior bus drivers", "trainee bus driver"]
    assert len({fold_of(Line(text, "titles", "22"), 5) for text in texts}) == 1


def test_some_words_are_held_out_whole() -> None:
    """Lines with such a word as their rarest share a fold under whatever code; near-copies always do."""
    counts = Counter({f"word{i}": 1 for i in range(200)} | {"driver": 999})
    whole = 0
    for i in range(200):
        texts = [Line(f"word{i} driver", "titles", "22"), Line(f"senior driver, word{i}", "titles", "22")]
        texts.append(Line(f"word{i} driver", "titles", "21"))
        folds = [fold_of(line, 50, counts) for line in texts]
        assert folds[0] == folds[1]
        whole += folds[0] == folds[2]
    assert abs(whole - 2 * STRANGE) < 30


def test_examples_of_a_line_stay_in_its_fold() -> None:
    """A misspelt copy or a pair with tasks is as near a copy as can be."""
    lines = [Line(f"bus driver number {i}", "titles", "22") for i in range(40)] + [Line("drive the bus", "tasks", "22")]
    examples = make_examples(lines, folds=4, misspelt=1.0)
    folds: dict[str, set[int]] = {}
    for (title, _), fold in zip(examples.texts, examples.folds, strict=True):
        if title and "number" in title and title in {line.text for line in lines}:
            folds.setdefault(title, set()).add(int(fold))
    assert all(len(found) == 1 for found in folds.values())
    assert np.isin(examples.weights, [0.5, 1.0, TITLE_WEIGHT]).all()


def test_out_of_fold_precision_meets_its_target_on_the_shipped_models(registry: Registry) -> None:
    """Where the coder gives a code at a level, it is right about as often as was asked."""
    for topic in ("osca", "anzsco"):
        manifest = registry.coder(topic).model.manifest
        target = manifest["fingerprint"]["options"]["target_precision"]
        for level in manifest["metrics"]["title"]:
            assert level["precision"] == 0 or level["precision"] >= target - 0.03
