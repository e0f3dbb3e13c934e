"""A classification is data: another one is a folder of files."""

from pathlib import Path

from occode.classification import Catalogue
from occode.coding.registry import Registry
from occode.training.publish import publish
from occode.training.sources import task_for
from occode.training.train import Options, train
from tests.conftest import NOW, write_toy


def test_a_folder_of_files_adds_a_topic_that_is_trained_and_coded_to(toy: Registry) -> None:
    """No code knows the topic ``toy``; it codes all the same."""
    coding = toy.coder("toy").code("taxi driver", min_confidence=0)
    assert coding.result is not None
    assert (coding.result.code, coding.result.label) == ("21", "Taxi Driver")


def test_a_topic_without_a_corpus_borrows_one_through_a_correspondence(tmp_path: Path) -> None:
    """ISCO-08 becomes a topic by its files, trained on another classification's corpus."""
    write_toy(tmp_path)
    other = tmp_path / "other"
    write_toy(tmp_path, "other", corpus="toy")
    categories = (other / "categories.csv").read_text()
    (other / "categories.csv").write_text(categories.replace("\n1", "\n8").replace("\n2", "\n9"))
    (tmp_path / "correspondences").mkdir()
    rows = ["11,81", "12,82", "21,91", "22,92"]
    links = ["source,target,part_of_target,part_of_source", *(f"{row},," for row in rows)]
    (tmp_path / "correspondences" / "toy-other.csv").write_text("\n".join(links) + "\n")
    registry = Registry(tmp_path / "models", Catalogue(tmp_path))
    task = task_for(registry.catalogue, "other", options=Options(folds=2))
    publish(train(task), registry, NOW)
    result = registry.coder("other").code("baker", "bake bread", min_confidence=0).result
    assert result is not None
    assert result.code == "81"
