"""What pruning and the beam cost and gain: accuracy against records a second against megabytes, as a table and a plot."""

from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from benchmarks.data import many, texts
from benchmarks.timing import on_one_core
from occode.classification import Catalogue
from occode.coding.coder import Coder
from occode.coding.kernels import pack
from occode.coding.model import Arrays, Model
from occode.coding.record import KINDS, Record
from occode.coding.tree import Tree
from occode.training.assemble import SMALLEST, assemble
from occode.training.examples import make_examples
from occode.training.fit import fit
from occode.training.vectorise import Features, Vocabulary

BEAMS = ((1, 0.5), (2, 0.2), (3, 0.135), (4, 0.05), (8, 0.01), (8, 0.001))
PRUNINGS = (1, 5, 10, 16, 24)
CHOSEN = (SMALLEST, 4, 0.05)
PLOT = Path("docs/explanation/frontier.png")
SPEED = 20_000


class Spot(NamedTuple):
    """One choice and what it gives."""

    smallest: int
    beam: int
    drop: float
    megabytes: float
    rate: float
    right: tuple[float, ...]


def run(console: Console) -> None:
    """Measure every combination, print the table and draw the plot."""
    data, plenty = texts(), many(SPEED)
    classification = Catalogue().topic("osca")
    tree = Tree.of(classification)
    examples = make_examples(data.lines)
    features, rows = Features.of(examples.texts), np.arange(len(examples.texts))
    vocabulary = Vocabulary.fit(features, rows)
    nodes = fit(vocabulary.transform(features, rows), examples.codes, examples.weights, tree)
    temperature = np.full((tree.levels, 3), 3.0, np.float32)
    on_one_core()
    spots = []
    for smallest in PRUNINGS:
        arrays = assemble(vocabulary, nodes, tree, temperature, smallest)
        coder = Coder(Model({"thresholds": [[1.0] * KINDS] * tree.levels}, arrays), classification)
        spots += [_measure(coder, arrays, smallest, beam, drop, data.records, data.codes, plenty) for beam, drop in BEAMS]
    table = Table("smallest step", "beam", "drop", "MB", "records/s", *(f"right at {n}" for n in classification.levels))
    for spot in spots:
        cells = (str(spot.smallest), str(spot.beam), f"{spot.drop:g}", f"{spot.megabytes:.1f}", f"{spot.rate:,.0f}")
        table.add_row(*cells, *(f"{share:.3f}" for share in spot.right), style="bold" if spot[:3] == CHOSEN else "")
    console.print(table)
    _plot(spots)


def _measure(
    coder: Coder, arrays: Arrays, smallest: int, beam: int, drop: float, held: list[Record], codes: list[str], plenty: list[Record]
) -> Spot:
    _walk(coder, plenty[:100], beam, drop)
    times = []
    for _ in range(3):
        started = perf_counter()
        _walk(coder, plenty, beam, drop)
        times.append(perf_counter() - started)
    said = [coder.tree.codes[leaf] for leaf in _walk(coder, held, beam, drop)]
    levels = coder.classification.levels
    right = tuple(sum(a[:n] == b[:n] for a, b in zip(said, codes, strict=True)) / len(codes) for n in levels)
    megabytes = sum(getattr(arrays, name).nbytes for name in arrays.__dataclass_fields__) / 1e6
    return Spot(smallest, beam, drop, megabytes, len(plenty) / min(times), right)


def _walk(coder: Coder, records: list[Record], beam: int, drop: float) -> list[int]:
    thresholds = np.ones((coder.tree.levels, KINDS))
    walked = coder._walk(pack(records), thresholds, 1, beam, np.float32(drop))  # a coder's users need no say in its beam
    return [int(found) for found in walked.leaf[:, 0]]


def _plot(spots: list[Spot]) -> None:
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    axes = figure.subplots()
    for smallest in PRUNINGS:
        mine = [spot for spot in spots if spot.smallest == smallest]
        label = f"{smallest} ({mine[0].megabytes:.0f} MB)"
        axes.plot([spot.rate / 1000 for spot in mine], [100 * spot.right[-1] for spot in mine], "o-", markersize=4, label=label)
    chosen = next(spot for spot in spots if spot[:3] == CHOSEN)
    axes.plot(chosen.rate / 1000, 100 * chosen.right[-1], "o", markersize=13, fillstyle="none", color="black")
    axes.set_xlabel("thousand records a second, one core, from bytes to the beam's codes")
    axes.set_ylabel("right at 6 digits, %")
    axes.set_title("From left to right: ever narrower beams; the circle: the choice", loc="left", fontsize=11)
    axes.legend(title="smallest step kept (size)", frameon=False, fontsize=9)
    axes.grid(color="#e4e8ec", linewidth=0.7)
    axes.spines[["top", "right"]].set_visible(False)
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PLOT, dpi=130, metadata={"Software": None})
