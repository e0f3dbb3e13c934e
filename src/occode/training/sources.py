"""Where a topic's training lines come from: its corpus and the standard's own titles, or another topic's through links."""

from pathlib import Path

import occode
from occode.classification import Catalogue, Classification
from occode.training.corpus import Corpus, CorpusNotFound, Line
from occode.training.examples import official_lines
from occode.training.train import Options, Task
from occode.training.translate import translate


def shipped_corpus(topic: str) -> Path:
    """Return the corpus folder of a topic: in the installed package, else beside the source."""
    package = Path(occode.__file__).parent
    installed = package / "training" / "corpus_files" / topic
    return installed if installed.exists() else package.parent.parent / "corpus" / topic


def task_for(catalogue: Catalogue, topic: str, corpus: Path | None = None, options: Options | None = None) -> Task:
    """Gather what a topic is trained on.

    Parameters
    ----------
    catalogue
        The classifications.
    topic
        What to train; where it has no corpus of its own, its ``topic.json`` names the one that it borrows.
    corpus
        A folder instead of the topic's own corpus.
    options
        How to train.

    Raises
    ------
    TopicNotFound, CorpusNotFound, InvalidCorpus
    """
    classification = catalogue.topic(topic)
    own, digests = _own(classification, corpus)
    lines = [*official_lines(classification), *own]
    lender = classification.corpus
    if lender and lender != topic and corpus is None:
        source = catalogue.classification(lender)
        lent = Corpus.load(shipped_corpus(lender), source)
        links = catalogue.correspondence(lender, topic)
        lines = [*lines, *translate([*official_lines(source), *lent.lines], source, classification, links, lines)]
        digests[lender] = lent.digest
    return Task(classification, lines, digests, options or Options())


def _own(classification: Classification, folder: Path | None) -> tuple[list[Line], dict[str, str]]:
    try:
        found = Corpus.load(folder or shipped_corpus(classification.name), classification)
    except CorpusNotFound:
        if folder is not None or classification.corpus == classification.name:
            raise
        return [], {}
    return found.lines, {classification.name: found.digest}
