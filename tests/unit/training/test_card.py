"""The model card."""

from pathlib import Path

from occode.coding.model import Model
from occode.coding.registry import Registry
from occode.training.card import NAME, card
from occode.training.publish import publish
from tests.conftest import NOW


def test_a_card_tells_data_scores_thresholds_and_limits(toy: Registry) -> None:
    """All from the manifest: level by level, for each kind of text."""
    manifest = toy.coder("toy").model.manifest
    text = card(manifest)
    assert text.startswith(f"# Toy classification, model {manifest['modelId']}\n")
    for heading in ("## Data", "## Out-of-fold scores", "### Title only", "### Tasks only", "### Title and tasks", "## Thresholds"):
        assert f"\n{heading}\n" in text
    assert manifest["fingerprint"]["sources"]["toy"] in text
    assert "| job | {:.4f} | {:.4f} | {:.4f} |".format(*manifest["thresholds"][1]) in text
    assert "95.0% of the given codes" in text
    assert "## Limits of use" in text


def test_a_card_of_an_older_manifest_leaves_out_what_it_lacks() -> None:
    """Models trained before the levels had names still have a card."""
    about = {"modelId": "m", "modelType": "t", "inputFormat": ["x"], "topic": "a", "topicStandard": "A", "topicVersion": "1"}
    text = card({**about, "thresholds": [[0.5, 0.5, 0.5], [0.6, 0.7, 0.6]]})
    assert "| level 2 | 0.6000 | 0.7000 | 0.6000 |" in text
    assert "### Title only" not in text


def test_publishing_writes_the_card_beside_the_artefact(toy: Registry, tmp_path: Path) -> None:
    """The artefact is loaded as if it were not there."""
    model = toy.coder("toy").model
    registry = Registry(tmp_path, toy.catalogue)
    publish(model, registry, NOW)
    folder = registry.path("toy", model.model_id)
    assert (folder / NAME).read_text() == card(model.manifest)
    assert Model.load(folder).model_id == model.model_id
