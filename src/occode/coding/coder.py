"""The door of the library: a coder turns text into codes with a loaded model."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from occode.classification import Catalogue, Classification
from occode.coding.decide import NOTHING, decide
from occode.coding.kernels import pack
from occode.coding.model import Model
from occode.coding.record import MOST_SUGGESTIONS, Candidate, Coding, Record
from occode.coding.tree import Tree
from occode.coding.walk import BEAM, DROP, FEW_LEAVES, WIDE_BEAM, WIDE_DROP, walk
from occode.places import default_data_dir

#: Suggestions to an unsuccessful record where the caller asks for no number (guide section 4.1).
DEFAULT_SUGGESTIONS = 3
#: Records that one thread takes at a time.
CHUNK = 4096


class Coder:
    """Codes text to one topic with one model; safe to share between threads.

    Parameters
    ----------
    model
        The loaded artefact.
    classification
        The standard that it codes to.
    """

    def __init__(self, model: Model, classification: Classification) -> None:
        self.model = model
        self.classification = classification
        self.tree = Tree.of(classification)
        self._labels = [classification.label(code) if code else "" for code in self.tree.codes]
        arrays = model.arrays
        #: What `occode.coding.walk.walk` takes between the records and the beam.
        self.flat = (
            arrays.table, arrays.entries, arrays.scale, arrays.bias, arrays.temperature, arrays.unseen[0], arrays.lapse[0],
            self.tree.first_child,
        )  # fmt: skip

    @classmethod
    def load(cls, topic: str, *, model: str | None = None, data_dir: Path | None = None) -> "Coder":
        """Load a trained model of `topic` (None: the latest) from the data folder (None: the default one).

        Raises
        ------
        TopicNotFound, NoModel, ModelNotFound, InvalidModel
        """
        from occode.coding.registry import Registry

        folder = data_dir or default_data_dir()
        return Registry(folder / "models", Catalogue(folder / "classifications")).coder(topic, model)

    def code(
        self, title: str = "", tasks: str = "", *, min_confidence: float | None = None, suggestions: int | None = None
    ) -> Coding:
        """Code one record.

        Parameters
        ----------
        title, tasks
            What the person wrote; either may be empty. Characters outside ASCII count as spaces.
        min_confidence
            Probability, 0 to 1, that a code must reach instead of the model's own thresholds; 0 always codes to the
            deepest level.
        suggestions
            How many codes to give, 0 to 16: with a result, the result and its alternatives; without, suggestions
            (None: the result alone, or three suggestions).
        """
        return self.code_many([Record(title, tasks)], min_confidence=min_confidence, suggestions=suggestions)[0]

    def code_many(
        self,
        records: Iterable[tuple[str, str]],
        *,
        min_confidence: float | None = None,
        suggestions: int | None = None,
        threads: int | None = None,
    ) -> list[Coding]:
        """Code many records (title, tasks) on `threads` threads (None: one a core); one `Coding` each, in order.

        Equal records are coded once; the answer is the one that `code` gives to each alone.
        """
        wanted = list(records)
        if suggestions is not None and not 0 <= suggestions <= MOST_SUGGESTIONS:
            raise ValueError(f"suggestions must be 0 to {MOST_SUGGESTIONS}")
        places = {record: i for i, record in enumerate(dict.fromkeys(wanted))}
        distinct = list(places)
        thresholds = self.model.thresholds if min_confidence is None else (min_confidence,) * self.tree.levels
        chunks = [distinct[i : i + CHUNK] for i in range(0, len(distinct), CHUNK)]

        def work(chunk: list[tuple[str, str]]) -> list[Coding]:
            return self._code_chunk(chunk, thresholds, suggestions)

        if len(chunks) <= 1 or threads == 1:
            coded = [coding for chunk in chunks for coding in work(chunk)]
        else:
            with ThreadPoolExecutor(threads or cpu_count()) as pool:
                coded = [coding for part in pool.map(work, chunks) for coding in part]
        if len(distinct) == len(wanted):
            return coded
        return [coded[places[record]] for record in wanted]

    def walk(
        self, records: Sequence[tuple[str, str]], leaves: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
        """Run the compiled walk; see `occode.coding.walk.walk` for the arrays that come back."""
        source, bounds = pack(list(records))
        n, levels = len(records), self.tree.levels
        node, chance = np.empty((n, levels), np.int32), np.empty((n, levels), np.float32)
        leaf, leaf_chance = np.empty((n, leaves), np.int32), np.empty((n, leaves), np.float32)
        known = np.empty(n, np.float32)
        if leaves > FEW_LEAVES:  # many leaves need a wide beam, but may not change the code
            walk(source, bounds, *self.flat, max(WIDE_BEAM, leaves), WIDE_DROP, node, chance, leaf, leaf_chance, known)
            few, few_chance = leaf[:, :1].copy(), leaf_chance[:, :1].copy()
        else:
            few, few_chance = leaf, leaf_chance
        walk(source, bounds, *self.flat, BEAM, DROP, node, chance, few, few_chance, known)
        return node, chance, leaf, leaf_chance, known

    def _code_chunk(self, records: list[tuple[str, str]], thresholds: tuple[float, ...], suggestions: int | None) -> list[Coding]:
        most = DEFAULT_SUGGESTIONS if suggestions is None else suggestions
        node, chance, leaf, leaf_chance, known = self.walk(records, max(1, most))
        _, best, confidence = decide(node, chance, np.array(thresholds, np.float32), known)
        codes, labels = self.tree.codes, self._labels
        found = [
            Coding(None) if code == NOTHING else Coding(Candidate(codes[code], labels[code], sure))
            for code, sure in zip(best.tolist(), _rounded(confidence), strict=True)
        ]
        alternatives = suggestions is not None and suggestions > 1
        for i in np.flatnonzero(known >= 0 if alternatives else (known >= 0) & (best == NOTHING)).tolist():
            result = found[i].result
            others = self._candidates(leaf[i], leaf_chance[i], int(best[i]), most - 1 if result else most)
            found[i] = Coding(result, others)
        return found

    def _candidates(self, leaf: NDArray[np.int32], chance: NDArray[np.float32], but: int, most: int) -> tuple[Candidate, ...]:
        codes, labels = self.tree.codes, self._labels
        pairs = zip(leaf.tolist(), _rounded(chance), strict=True)
        return tuple([Candidate(codes[node], labels[node], sure) for node, sure in pairs if node not in (NOTHING, but)][:most])


def _rounded(confidence: NDArray[np.float32]) -> list[float]:
    """Return probabilities with six decimals: more than they are good for, and short to write."""
    return confidence.astype(np.float64).round(6).tolist()  # type: ignore[no-any-return]  # numpy does not say of what
