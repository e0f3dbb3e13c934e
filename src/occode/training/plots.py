"""The plots of an evaluation as PNG files: precision against coverage, reliability, confusion."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from occode.training.figures import WORST, Bin, Figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: The plots by their file names, in the order of the report.
RISK_COVERAGE, RELIABILITY, CONFUSION = "risk-coverage.png", "reliability.png", "confusion.png"
COLOURS = ("#7a4fa3", "#2f6db5", "#1f9e89", "#d9902f", "#c23b4e", "#5f6b76", "#8c6d46", "#3d3d3d")
GREY = "#9aa5b1"
#: A tenth with fewer records is drawn hollow: its share of right ones says little.
FEW = 20
#: Labels of the confusion plot are cut to this many characters.
LONGEST_LABEL = 30


def plot(found: Figures, folder: Path) -> list[Path]:
    """Write the three plots into `folder`, which exists, and return their paths."""
    plots = {RISK_COVERAGE: _risk_coverage(found), RELIABILITY: _reliability(found), CONFUSION: _confusion(found)}
    for name, figure in plots.items():
        figure.savefig(folder / name, dpi=150, metadata={"Software": None})
    return [folder / name for name in plots]


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _tidy(axes: "Axes", title: str, x: str, y: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e4e8ec", linewidth=0.7)
    axes.set_axisbelow(True)


def _percent(axis: Any) -> None:
    from matplotlib.ticker import PercentFormatter

    axis.set_major_formatter(PercentFormatter(1, decimals=0))


def _risk_coverage(found: Figures) -> "Figure":
    figure = _figure(8, 5)
    axes = figure.subplots()
    lowest = 1.0
    for i, (curve, level) in enumerate(zip(found.curves, found.everything.levels, strict=True)):
        colour = COLOURS[i % len(COLOURS)]
        axes.plot([p.coverage for p in curve], [p.precision for p in curve], color=colour, label=f"{level.digits} {level.name}")
        if level.coded and level.precision is not None:
            axes.plot(level.coded, level.precision, "o", color=colour)
        lowest = min([lowest, *(p.precision for p in curve if p.coverage >= 0.02)])
    _tidy(axes, "Precision against coverage", "share of the records coded, the surest first", "share of the codes right")
    axes.set_xlim(0, 1.02)
    axes.set_ylim(max(0, lowest - 0.05), 1.01)
    _percent(axes.xaxis)
    _percent(axes.yaxis)
    axes.legend(title="digits and level; the dot: the codes given", frameon=False, fontsize=9, title_fontsize=9)
    return figure


def _reliability(found: Figures) -> "Figure":
    count = len(found.bins)
    figure = _figure(2.5 * count + 0.6, 2.9)
    for i, (level, bins) in enumerate(zip(found.everything.levels, found.bins, strict=True)):
        axes = figure.add_subplot(1, count, i + 1, aspect="equal")
        _diagonal(axes, bins, COLOURS[i % len(COLOURS)])
        _tidy(axes, f"{level.digits} {level.name}", "confidence", "share right" if i == 0 else "")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        _percent(axes.xaxis)
        _percent(axes.yaxis)
    return figure


def _diagonal(axes: "Axes", bins: tuple[Bin, ...], colour: str) -> None:
    shares = np.array([one.records for one in bins]) / max(1, sum(one.records for one in bins))
    axes.bar((np.arange(len(bins)) + 0.5) / len(bins), shares, width=0.95 / len(bins), color="#dfe5eb")
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
    many = [one for one in bins if one.records >= FEW]
    few = [one for one in bins if 0 < one.records < FEW]
    axes.plot([b.confidence for b in many], [b.accuracy for b in many], "o-", color=colour, markersize=4)
    axes.plot([b.confidence for b in few], [b.accuracy for b in few], "o", color=colour, markersize=4, fillstyle="none")


def _confusion(found: Figures) -> "Figure":
    figure = _figure(13, 5)
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.1])
    _heat(left, found)
    pairs = found.pairs[::-1]
    names = [f"{_cut(pair.truth_label)} \u2192 {_cut(pair.said_label)}" for pair in pairs]
    right.barh(range(len(pairs)), [pair.records for pair in pairs], color=COLOURS[4])
    right.set_yticks(range(len(pairs)), names, fontsize=7.5)
    right.set_ylim(len(pairs) - WORST - 0.5, len(pairs) - 0.5)
    _tidy(right, "Siblings taken one for the other", "records", "")
    right.grid(axis="y", visible=False)
    right.xaxis.get_major_locator().set_params(integer=True)
    return figure


def _heat(axes: "Axes", found: Figures) -> None:
    counts = found.confusion
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    said = [*found.major_codes, "none"]
    axes.set_xticks(range(len(said)), said)
    axes.set_yticks(range(len(found.major_codes)), found.major_codes)
    for (row, column), share in np.ndenumerate(shares):
        if share >= 0.005:
            colour = "white" if share > 0.5 else "#243447"
            axes.text(column, row, f"{share:.0%}", ha="center", va="center", fontsize=8, color=colour)
    axes.set_title("Top level: the right code by the best candidate", loc="left", fontsize=11, fontweight="bold")
    axes.set_xlabel("best candidate")
    axes.set_ylabel("right code")


def _cut(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "\u2026"
