"""The door of the library: a coder turns text into codes with a loaded model."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from occode.classification import Catalogue, Classification
from occode.coding.decide import NOTHING
from occode.coding.kernels import pack
from occode.coding.model import Model
from occode.coding.record import MOST_SUGGESTIONS, Candidate, Coding, Record
from occode.coding.tree import Tree
from occode.coding.walk import BEAM, DROP, FEW_LEAVES, WIDE_BEAM, WIDE_DROP, Walked, walk
from occode.places import default_data_dir

#: Suggestions to an unsuccessful record where the caller asks for no number (guide section 4.1).
DEFAULT_SUGGESTIONS = 3
#: Records that one thread takes at a time.
CHUNK = 4096
UNCODED = Coding(None)


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
        self._thresholds = np.array(model.thresholds, np.float64)
        # what the walk takes between the records and the thresholds
        self._flat = (
            arrays.table, arrays.entries, arrays.scale, arrays.bias, arrays.temperature, arrays.unseen[0], arrays.lapse,
            self.tree.first_child, int(np.diff(self.tree.first_child).max()),
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
        if len(wanted) == 1:
            return self._code_chunk(wanted, min_confidence, suggestions)
        places = {record: i for i, record in enumerate(dict.fromkeys(wanted))}
        distinct = list(places)
        chunks = [distinct[i : i + CHUNK] for i in range(0, len(distinct), CHUNK)]

        def work(chunk: list[tuple[str, str]]) -> list[Coding]:
            return self._code_chunk(chunk, min_confidence, suggestions)

        if len(chunks) <= 1 or threads == 1:
            coded = [coding for chunk in chunks for coding in work(chunk)]
        else:
            with ThreadPoolExecutor(threads or cpu_count()) as pool:
                coded = [coding for part in pool.map(work, chunks) for coding in part]
        if len(distinct) == len(wanted):
            return coded
        return [coded[places[record]] for record in wanted]

    def walk(self, records: Sequence[tuple[str, str]], leaves: int, min_confidence: float | None = None) -> Walked:
        """Find each level's best, the code by `min_confidence` (None: the model's thresholds), and `leaves` leaves of n records."""
        packed = pack(records)
        cuts = self._thresholds if min_confidence is None else np.full_like(self._thresholds, min_confidence)
        if leaves <= FEW_LEAVES:
            return self._walk(packed, cuts, leaves, BEAM, DROP)
        # many leaves need a wide beam, but may not change the code
        wide = self._walk(packed, cuts, leaves, max(WIDE_BEAM, leaves), WIDE_DROP)
        return self._walk(packed, cuts, 1, BEAM, DROP)._replace(leaf=wide.leaf, leaf_chance=wide.leaf_chance)

    def _walk(
        self,
        packed: tuple[NDArray[np.uint8], NDArray[np.int64]],
        cuts: NDArray[np.float64],
        leaves: int,
        beam: int,
        drop: np.float32,
    ) -> Walked:
        n, levels = len(packed[1]) // 2, self.tree.levels
        nodes, chances = np.empty((n, levels + 1 + leaves), np.int32), np.empty((n, levels + 1 + leaves))
        known = np.empty(n, np.float32)
        walk(*packed, *self._flat, cuts, beam, drop, nodes, chances, known)
        at_levels, code, best = slice(levels), levels, slice(levels + 1, None)
        return Walked(
            nodes[:, at_levels], chances[:, at_levels], nodes[:, code], chances[:, code], nodes[:, best], chances[:, best], known
        )

    def _code_chunk(self, records: list[tuple[str, str]], min_confidence: float | None, suggestions: int | None) -> list[Coding]:
        most = DEFAULT_SUGGESTIONS if suggestions is None else suggestions
        walked = self.walk(records, max(1, most), min_confidence)
        codes, labels = self.tree.codes, self._labels
        found, uncoded = [], []
        for i, (code, sure) in enumerate(zip(walked.code.tolist(), walked.confidence.tolist(), strict=True)):
            if code == NOTHING:
                uncoded.append(i)
                found.append(UNCODED)
            else:
                found.append(Coding(Candidate(codes[code], labels[code], sure)))
        for i in range(len(records)) if suggestions is not None and suggestions > 1 else uncoded:
            result = found[i].result
            leaves = zip(walked.leaf[i].tolist(), walked.leaf_chance[i].tolist(), strict=True)
            others = [Candidate(codes[leaf], labels[leaf], sure) for leaf, sure in leaves if leaf not in (NOTHING, walked.code[i])]
            found[i] = Coding(result, tuple(others[: most - 1 if result else most]))
        return found
