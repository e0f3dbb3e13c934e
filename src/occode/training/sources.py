"""Where a topic's training lines come from: its corpus and the standard's own titles, or another topic's through links."""

from pathlib import Path

import occode
from occode.classification import Catalogue, Classification
from occode.training.corpus import Corpus, CorpusNotFound, Line
from occode.training.examples import official_lines
from occode.training.own import Records
from occode.training.train import Options, Task
from occode.training.translate import translate


def corpus_folder(catalogue: Catalogue, topic: str) -> Path:
    """Return a topic's corpus: ``corpus`` in its own folder, else the one shipped with the package or beside its source."""
    package = Path(occode.__file__).parent
    places = [catalogue.folder(topic) / "corpus", package / "training" / "corpus_files" / topic]
    return next((place for place in places if place.exists()), package.parent.parent / "corpus" / topic)


#: The name of the operator's own data among a model's sources.
RECORDS = "records"


def task_for(
    catalogue: Catalogue,
    topic: str,
    corpus: Path | None = None,
    options: Options | None = None,
    records: Records | None = None,
) -> Task:
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
    records
        The operator's own labelled rows, beside the corpus.

    Raises
    ------
    TopicNotFound, CorpusNotFound, InvalidCorpus
    """
    classification = catalogue.topic(topic)
    own, digests = _own(catalogue, classification, corpus)
    lines = [*official_lines(classification), *own]
    lender = classification.corpus
    if lender and lender != topic and corpus is None:
        source = catalogue.classification(lender)
        lent = Corpus.load(corpus_folder(catalogue, lender), source)
        links = catalogue.correspondence(lender, topic)
        lines = [*lines, *translate([*official_lines(source), *lent.lines], source, classification, links, lines)]
        digests[lender] = lent.digest
    if records is not None:
        digests[RECORDS] = records.digest
    return Task(classification, lines, digests, options or Options(), records)


def _own(catalogue: Catalogue, classification: Classification, folder: Path | None) -> tuple[list[Line], dict[str, str]]:
    try:
        found = Corpus.load(folder or corpus_folder(catalogue, classification.name), classification)
    except CorpusNotFound:
        if folder is not None or classification.corpus == classification.name:
            raise
        return [], {}
    return found.lines, {classification.name: found.digest}
