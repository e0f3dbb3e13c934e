"""The peers: scikit-learn by hand, hiclass and fastText, each over the same tree and the same lines."""

import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Protocol

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion
from sklearn.svm import LinearSVC

from occode.coding.record import Record
from occode.training.corpus import Line

LEVELS = (1, 2, 3, 4, 6)


class Peer(Protocol):
    """Something that codes."""

    name: str

    def predict(self, records: list[Record]) -> list[str]:
        """Return a 6-digit code for each record."""


def joined(record: Record) -> str:
    """Return both fields as one text, which is what the peers take."""
    return f"{record.title} {record.tasks}".strip()


def _vectoriser() -> FeatureUnion:
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32)
    fragments = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, dtype=np.float32)
    return FeatureUnion([("words", words), ("fragments", fragments)])


class ByHand:
    """A TfidfVectorizer and a LinearSVC a parent, walked greedily, without any confidence: what one would write first."""

    name = "scikit-learn: TfidfVectorizer + LinearSVC per parent, greedy"

    def __init__(self, lines: list[Line]) -> None:
        deep = [line for line in lines if len(line.code) == 6]
        self.vectoriser = _vectoriser()
        matrix = self.vectoriser.fit_transform([line.text for line in deep])
        rows: dict[str, list[int]] = defaultdict(list)
        for row, line in enumerate(deep):
            for length in (0, *LEVELS[:-1]):
                rows[line.code[:length]].append(row)
        self.models: dict[str, LinearSVC | str] = {}
        for parent, mine in rows.items():
            below = LEVELS[0] if not parent else LEVELS[LEVELS.index(len(parent)) + 1]
            children = [deep[row].code[:below] for row in mine]
            one = len(set(children)) == 1
            self.models[parent] = children[0] if one else LinearSVC(C=2.0, dual=True).fit(matrix[mine], children)

    def predict(self, records: list[Record]) -> list[str]:
        """Walk all records down together, a parent at a time."""
        matrix = self.vectoriser.transform([joined(record) for record in records])
        codes = np.full(len(records), "", dtype="<U6")
        for _ in LEVELS:
            for parent in np.unique(codes):
                mine = np.flatnonzero(codes == parent)
                model = self.models[str(parent)]
                codes[mine] = model if isinstance(model, str) else model.predict(matrix[mine])
        return [str(code) for code in codes]


class ByHandWithBeam:
    """The same SVMs with what this project answers, too: a probability at each level, by a beam over the tree."""

    name = "scikit-learn: the same, with confidence and a beam of 8"

    def __init__(self, greedy: ByHand, beam: int = 8, temperature: float = 3.0) -> None:
        self._greedy, self._beam, self._temperature = greedy, beam, temperature

    def predict(self, records: list[Record]) -> list[str]:
        """Keep the best paths of each record; a parent at a time for all records that hold it."""
        matrix = self._greedy.vectoriser.transform([joined(record) for record in records])
        owner, codes, chance = np.arange(len(records)), np.full(len(records), "", dtype="<U6"), np.ones(len(records))
        for _ in LEVELS:
            parts = [self._children(matrix, owner, codes, chance, parent) for parent in np.unique(codes)]
            owner, codes, chance = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
            order = np.lexsort((-chance, owner))
            owner, codes, chance = owner[order], codes[order], chance[order]
            rank = np.arange(len(owner)) - np.searchsorted(owner, owner)
            owner, codes, chance = owner[rank < self._beam], codes[rank < self._beam], chance[rank < self._beam]
        first = np.searchsorted(owner, np.arange(len(records)))
        return [str(code) for code in codes[first]]

    def _children(
        self, matrix: csr_matrix, owner: np.ndarray, codes: np.ndarray, chance: np.ndarray, parent: str
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        mine = np.flatnonzero(codes == parent)
        model = self._greedy.models[str(parent)]
        if isinstance(model, str):
            return owner[mine], np.full(len(mine), model), chance[mine]
        scores = model.decision_function(matrix[owner[mine]])
        scores = np.stack([-scores, scores], axis=1) if scores.ndim == 1 else scores
        shares = softmax(self._temperature * scores, axis=1) * chance[mine][:, None]
        width = len(model.classes_)
        return np.repeat(owner[mine], width), np.tile(model.classes_, len(mine)), shares.ravel()


class HiClass:
    """hiclass' local classifier per parent node, with the same vectoriser and SVM."""

    name = "hiclass: LocalClassifierPerParentNode(LinearSVC)"

    def __init__(self, lines: list[Line]) -> None:
        from hiclass import LocalClassifierPerParentNode

        deep = [line for line in lines if len(line.code) == 6]
        self._vectoriser = _vectoriser()
        matrix = self._vectoriser.fit_transform([line.text for line in deep])
        paths = np.array([[line.code[:length] for length in LEVELS] for line in deep])
        self._model = LocalClassifierPerParentNode(local_classifier=LinearSVC(C=2.0, dual=True)).fit(matrix, paths)

    def predict(self, records: list[Record]) -> list[str]:
        """Vectorise, then ask hiclass."""
        found = self._model.predict(self._vectoriser.transform([joined(record) for record in records]))
        return [str(path[-1]) for path in found]


class FastText:
    """fastText's supervised classifier, flat over the occupations, with character n-grams."""

    name = "fastText: supervised, word pairs and 4-grams"

    def __init__(self, lines: list[Line]) -> None:
        import fasttext

        deep = [line for line in lines if len(line.code) == 6]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "lines.txt")
            path.write_text("".join(f"__label__{line.code} {line.text.lower()}\n" for line in deep))
            self._model = fasttext.train_supervised(
                str(path),
                dim=100,
                epoch=25,
                lr=0.5,
                wordNgrams=2,
                minn=4,
                maxn=4,
                bucket=500_000,
                loss="softmax",
                verbose=0,
                thread=2,
            )

    def predict(self, records: list[Record]) -> list[str]:
        """Ask for the best label."""
        labels, _ = self._model.predict([joined(record).lower() for record in records])
        return [label[0].removeprefix("__label__") for label in labels]
