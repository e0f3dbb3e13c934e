"""Training from end to end: lines in, a calibrated model out; the same input and code give the same bytes."""

import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from os import cpu_count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import occode
from occode.classification import Classification
from occode.coding.coder import Coder
from occode.coding.model import Arrays, Model
from occode.coding.record import KINDS, kind_of
from occode.coding.tree import Tree
from occode.training import calibrate
from occode.training.assemble import assemble
from occode.training.corpus import Line
from occode.training.examples import Examples, join, make_examples
from occode.training.fit import Node, fit
from occode.training.own import Records, own_examples
from occode.training.vectorise import Features, Vocabulary

MODEL_TYPE = "hsvm2"
INPUT_FORMAT = ["occp_text", "tasks_text"]
#: Names the space of model ids (RFC 9562 section 5.5).
NAMESPACE = uuid.UUID("6f2c8a52-6f0b-5c7e-9b1d-3f6f1c0a7d11")
#: What a change of makes another model: the packages whose arithmetic ends up in the arrays.
LIBRARIES = ("numpy", "scipy", "numba")
#: Modules that look at a model and make none: a change of theirs needs no new training.
LOOKERS = frozenset(["card.py", "evaluate.py", "figures.py", "plots.py", "report.py", "explain.py"])
#: As many natural examples as calibration scores out of fold; more would make training longer and no surer.
MOST_SCORED = 60_000
#: Examples of each fold by which the temperatures are settled: dozens of walks.
MOST_SETTLED = 10_000
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Options:
    """How to train.

    `target_precision` is the share of given codes that should be right, 0 to 1; `folds` of near-copies are held out in turn to
    calibrate; `seed` makes the chance choices.
    """

    target_precision: float = 0.95
    folds: int = 4
    seed: int = 0


@dataclass(frozen=True)
class Task:
    """One model to be trained: the classification, the lines, where they came from (name to SHA-256), and the options.

    `records` are the operator's own labelled rows; their SHA-256 is among the `sources`, too.
    """

    classification: Classification
    lines: list[Line]
    sources: dict[str, str]
    options: Options = field(default_factory=Options)
    records: Records | None = None

    @property
    def fingerprint(self) -> dict[str, Any]:
        """All that decides what the model will be."""
        return {
            "topic": self.classification.name,
            "classification": self.classification.digest,
            "sources": self.sources,
            "options": asdict(self.options),
            "code": code_hash(),
            "libraries": {name: version(name) for name in LIBRARIES},
        }

    @property
    def model_id(self) -> str:
        """The GUID of the model that this task makes, known before it is trained."""
        return str(uuid.uuid5(NAMESPACE, json.dumps(self.fingerprint, sort_keys=True)))


def code_hash() -> str:
    """Return the SHA-256 of the source of `occode.coding` and `occode.training`, but for what only looks at models."""
    total = hashlib.sha256()
    root = Path(occode.__file__).parent
    for folder in ("coding", "training"):
        for path in sorted(path for path in (root / folder).glob("*.py") if path.name not in LOOKERS):
            total.update(path.name.encode() + path.read_bytes())
    return total.hexdigest()


def train(task: Task, progress: Progress = lambda stage, done, total: None) -> Model:
    """Train, calibrate and describe a model.

    Parameters
    ----------
    task
        What to train.
    progress
        Called with a stage's name, the steps done and all its steps.
    """
    tree = Tree.of(task.classification)
    progress("features", 0, 1)
    examples = _examples(task)
    features = Features.of(examples.texts)
    progress("features", 1, 1)
    held_out = _out_of_fold(examples, features, tree, task, progress)
    vocabulary, nodes = _fit(examples, features, np.ones(len(examples.texts), np.bool_), tree, "training", progress)
    arrays = assemble(vocabulary, nodes, tree, held_out.temperature)
    manifest = {
        "modelId": task.model_id,
        "modelType": MODEL_TYPE,
        "inputFormat": INPUT_FORMAT,
        "topic": task.classification.name,
        "topicStandard": task.classification.full_name,
        "topicVersion": task.classification.version,
        "levelNames": list(task.classification.level_names),
        "fingerprint": task.fingerprint,
        "thresholds": held_out.thresholds.tolist(),
        "metrics": held_out.metrics,
        "sizes": _sizes(task)
        | {"examples": len(examples.texts), "features": int(np.count_nonzero(arrays.table)), "scored": held_out.scored},
    }
    return Model(manifest, arrays)


def _examples(task: Task) -> Examples:
    """Build the examples of the lines and of the records; with records, near-copies share a fold whatever their codes."""
    folds, records = task.options.folds, task.records
    found = make_examples(task.lines, folds=folds, seed=task.options.seed, by_code=records is None)
    return found if records is None else join(found, own_examples(records, folds))


def _sizes(task: Task) -> dict[str, int]:
    found = {"lines": len(task.lines)}
    if task.records is not None:
        found |= {"rows": task.records.tally.usable, "distinctRows": len(task.records)}
    return found


@dataclass(frozen=True)
class _HeldOut:
    temperature: NDArray[np.float32]
    thresholds: NDArray[np.float64]
    metrics: dict[str, Any]
    scored: int


def _held_out_rows(examples: Examples, options: Options) -> list[NDArray[np.int64]]:
    """Return the rows to score of each fold to hold out: as many folds as have enough natural examples, sampled by chance."""
    found: list[NDArray[np.int64]] = []
    for fold in range(options.folds):
        if sum(map(len, found)) < MOST_SCORED:
            found.append(np.flatnonzero((examples.folds == fold) & examples.natural))
    total = sum(map(len, found))
    if total <= MOST_SCORED:
        return found
    chosen = np.zeros(total, np.bool_)
    chosen[np.random.default_rng(options.seed).choice(total, MOST_SCORED, replace=False)] = True
    parts = np.split(chosen, np.cumsum([len(rows) for rows in found])[:-1])
    return [rows[part] for rows, part in zip(found, parts, strict=True)]


def _out_of_fold(examples: Examples, features: Features, tree: Tree, task: Task, progress: Progress) -> _HeldOut:
    """Fit with each fold held out in turn, and learn from its predictions how sure to be."""
    number = {code: i for i, code in enumerate(tree.codes)}
    leaves = np.array([number[code] for code in examples.codes], np.int32)
    kinds = np.array([kind_of(text) for text in examples.texts], np.int32)
    fitted: list[tuple[Arrays, NDArray[np.int64]]] = []
    parts: list[list[calibrate.Scores]] = []
    rows = _held_out_rows(examples, task.options)
    for fold, mine in enumerate(rows):
        stage = f"held out {fold + 1} of {len(rows)}"
        vocabulary, nodes = _fit(examples, features, examples.folds != fold, tree, stage, progress)
        matrix = vocabulary.transform(features, mine)
        parts.append(calibrate.path_scores(nodes, matrix, leaves[mine], kinds[mine], tree))
        fitted.append((assemble(vocabulary, nodes, tree, np.ones((tree.levels, KINDS))), mine))

    def predict(temperature: NDArray[np.float32], most: int) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int32]]:
        """Return the confidence, whether it is right, and the kind, of at most `most` examples of each fold."""
        found = []
        for arrays, mine in fitted:
            rows = mine[:: -(-len(mine) // most)]
            coder = Coder(
                Model({"thresholds": [[1.0] * KINDS] * tree.levels}, replace(arrays, temperature=temperature)), task.classification
            )
            walked = coder.walk([examples.texts[i] for i in rows], 1)
            found.append((walked.chance, calibrate.right(walked.node, leaves[rows], tree), kinds[rows]))
        confidence, right, kind = zip(*found, strict=True)
        return np.concatenate(confidence), np.concatenate(right), np.concatenate(kind)

    temperature = calibrate.fit_temperatures([calibrate.join(level) for level in zip(*parts, strict=True)])
    temperature = calibrate.settle(temperature, lambda tried: predict(tried, MOST_SETTLED))
    sure, hit, kind = predict(temperature, MOST_SCORED)
    cuts = calibrate.thresholds(sure, hit, kind, task.options.target_precision)
    return _HeldOut(temperature, cuts, calibrate.metrics(sure, hit, kind, cuts), len(sure))


def _fit(
    examples: Examples, features: Features, used: NDArray[np.bool_], tree: Tree, stage: str, progress: Progress
) -> tuple[Vocabulary, dict[int, Node]]:
    rows = np.flatnonzero(used)
    vocabulary = Vocabulary.fit(features, rows)
    matrix = vocabulary.transform(features, rows)
    parents = sum(len(tree.children(node)) > 1 for node in range(len(tree)))
    done = iter(range(1, parents + 1))
    nodes = fit(
        matrix,
        [examples.codes[i] for i in rows],
        examples.weights[rows],
        tree,
        threads=cpu_count() or 1,
        progress=lambda: progress(stage, next(done), parents),
    )
    return vocabulary, nodes
