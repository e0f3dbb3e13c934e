"""The corpus format: what is read, and what is refused."""

from pathlib import Path

import pytest

from occode.classification import Catalogue
from occode.training.corpus import Corpus, CorpusNotFound, InvalidCorpus, Line
from occode.training.sources import corpus_folder

OSCA = Catalogue().classification("osca")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("'273333': {titles: [ab]}", "3 to 100 characters"),
        ("'273333': {titles: ['caf\u00e9 hand']}", "printable ASCII"),
        ("'273333': {titles: [coder, Coder]}", "stands twice"),
        ("'999999': {titles: [thing]}", "no code of osca"),
        ("'273333': {title: [thing]}", "neither titles nor tasks"),
        ("'273333': {titles: [", "while parsing"),
    ],
)
def test_a_fault_is_told_with_its_file(tmp_path: Path, content: str, fault: str) -> None:
    """An editor finds the line by the message."""
    (tmp_path / "2733.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(InvalidCorpus, match=fault):
        Corpus.load(tmp_path, OSCA)


def test_an_empty_folder_is_no_corpus(tmp_path: Path) -> None:
    """The error says how to name another."""
    with pytest.raises(CorpusNotFound, match="--corpus"):
        Corpus.load(tmp_path, OSCA)


def test_a_text_under_two_codes_is_reported(tmp_path: Path) -> None:
    """However it is spelt."""
    (tmp_path / "a.yaml").write_text("'273333': {titles: [App Builder]}\n'273332': {titles: [app-builder]}")
    assert list(Corpus.load(tmp_path, OSCA).clashes().values()) == [{"273333", "273332"}]


def test_the_shipped_corpus_is_sound() -> None:
    """It loads, names no text twice, and has titles and tasks for every occupation."""
    corpus = Corpus.load(corpus_folder(Catalogue(), "osca"), OSCA)
    assert corpus.clashes() == {}
    covered = {(line.code, line.field) for line in corpus.lines}
    assert {(leaf, field) for leaf in OSCA.leaves for field in ("titles", "tasks")} <= covered


def test_two_spellings_of_a_text_are_one() -> None:
    """Case, punctuation and apostrophes do not make another text."""
    assert Line("Driver's Mate", "titles", "1").key == Line("drivers-mate", "titles", "2").key
