"""The artefact: written without pickle, read by map, checked by hash."""

import json
import shutil
from pathlib import Path

import pytest

from occode.coding.model import ARRAYS, MANIFEST, InvalidModel, Model
from occode.coding.registry import ModelNotFound, ModelOfOtherTopic, NoModel, Registry


@pytest.fixture
def folder(toy: Registry, tmp_path: Path) -> Path:
    """A copy of the small model's artefact."""
    return shutil.copytree(toy.path("toy", toy.latest("toy").model_id), tmp_path / "model")


def test_a_saved_model_is_loaded_as_it_was(folder: Path, tmp_path: Path) -> None:
    """All arrays come back, and saving them again gives the same bytes."""
    model = Model.load(folder)
    model.save(tmp_path / "again")
    for name in (ARRAYS, MANIFEST):
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_the_arrays_are_mapped_and_not_writable(folder: Path) -> None:
    """So that processes share them and nobody changes them."""
    arrays = Model.load(folder).arrays
    assert not arrays.entries.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        arrays.entries[0] = 1


def test_damaged_arrays_are_refused(folder: Path) -> None:
    """One flipped byte is noticed."""
    content = bytearray((folder / ARRAYS).read_bytes())
    content[-1] ^= 1
    (folder / ARRAYS).write_bytes(content)
    with pytest.raises(InvalidModel, match="damaged"):
        Model.load(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"format": 99}'])
def test_a_damaged_manifest_is_refused(folder: Path, content: str) -> None:
    """Whatever is wrong with it."""
    (folder / MANIFEST).write_text(content)
    with pytest.raises(InvalidModel, match="train it again"):
        Model.load(folder)


def test_a_missing_file_is_refused(folder: Path) -> None:
    """The error names the folder."""
    (folder / ARRAYS).unlink()
    with pytest.raises(InvalidModel, match=str(folder)):
        Model.load(folder)


def test_nothing_in_an_artefact_is_a_pickle(folder: Path) -> None:
    """Flat arrays, JSON, and a card to read."""
    assert {path.name for path in folder.iterdir()} == {ARRAYS, MANIFEST, "card.md"}
    header = int.from_bytes((folder / ARRAYS).read_bytes()[:8], "little")
    assert json.loads((folder / ARRAYS).read_bytes()[8 : 8 + header])


def test_the_registry_says_which_model_is_missing_and_how_to_get_one(tmp_path: Path, toy: Registry) -> None:
    """A person can act on the message."""
    with pytest.raises(NoModel, match="occode train --topic toy"):
        Registry(tmp_path, toy.catalogue).coder("toy")
    with pytest.raises(ModelNotFound):
        toy.coder("toy", "00000000-0000-0000-0000-000000000000")
    with pytest.raises(ModelOfOtherTopic):
        toy.find("osca", toy.latest("toy").model_id)
