"""Evaluation: what counts as right, at which level, and what is left out."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from occode.coding.coder import Coder
from occode.coding.record import KINDS
from occode.coding.registry import Registry
from occode.training.evaluate import NothingToEvaluate, Scored, read_answered, score
from occode.training.figures import Figures, figures
from occode.training.labelled import Labelled, Tally, UnknownCode
from occode.training.plots import CONFUSION, RELIABILITY, RISK_COVERAGE
from occode.training.report import About, write_report

ROWS = [
    Labelled("baker", "", "11"),
    Labelled("bread maker", "bake bread", "11|12"),
    Labelled("line cook", "", "11"),
    Labelled("", "drive taxi", "21"),
    Labelled("bus driver", "", "2"),
    Labelled("baker", "", "11"),
    Labelled("caf\u00e9 cook", "", "12|21"),
]
ABOUT = About("toy", "Toy <classification>", "id", 0.95, ("a<b>.csv",), Tally(7), datetime(2026, 11, 24, tzinfo=UTC))


@pytest.fixture(scope="module")
def coder(toy: Registry) -> Coder:
    """The coder of the small classification."""
    return toy.coder("toy")


def _score(coder: Coder, rows: list[Labelled]) -> Scored:
    return score(coder, read_answered([("rows", rows)], coder))


def _figures(coder: Coder, rows: list[Labelled]) -> Figures:
    return figures(_score(coder, rows), coder.classification)


def test_a_code_is_right_where_its_prefix_is_in_the_set_cut_to_the_level(coder: Coder) -> None:
    """A sibling is right above and wrong below; any code of a set will do; an answer of a group is wrong below it."""
    right = _score(coder, ROWS).leaf_right.tolist()
    assert right[0] == [True, True]
    assert right[1] == [True, True]
    assert right[2] == [True, False]
    assert right[4] == [True, False]
    assert right[6] == [True, True]


def test_shares_are_of_all_records_and_precision_of_the_coded(coder: Coder) -> None:
    """With a threshold of 0 all are coded; with one of more than 1 none is, and precision has no value."""
    everything = _figures(_with_thresholds(coder, 0.0), ROWS).everything
    assert [level.top1 for level in everything.levels] == [1.0, pytest.approx(5 / 7)]
    assert [level.coded for level in everything.levels] == [1.0, 1.0]
    assert [level.precision for level in everything.levels] == [1.0, pytest.approx(5 / 7)]
    assert [level.answered for level in everything.levels] == [7, 6]
    nothing = _figures(_with_thresholds(coder, 1.1), ROWS).everything
    assert (nothing.coded, nothing.ece) == (0, None)
    assert [level.precision for level in nothing.levels] == [None, None]


def _with_thresholds(coder: Coder, threshold: float) -> Coder:
    model = replace(coder.model, manifest={**coder.model.manifest, "thresholds": [[threshold] * KINDS] * coder.tree.levels})
    return Coder(model, coder.classification)


def test_what_is_given_is_what_the_coder_gives(coder: Coder) -> None:
    """The thresholds of the model decide, as in coding itself."""
    scored = _score(coder, ROWS)
    codings = coder.code_many([(row.title.replace("\u00e9", "e"), row.tasks) for row in ROWS])
    given = ["" if node < 0 else coder.tree.codes[node] for node in scored.given]
    assert given == [coding.result.code if coding.result else "" for coding in codings]
    sure = [coding.result.confidence if coding.result else 0.0 for coding in codings]
    assert scored.confidence.tolist() == pytest.approx(sure)


def test_rows_without_an_answer_or_a_fit_text_are_counted_and_left_out(coder: Coder) -> None:
    """The limits of the service hold for both fields together."""
    rows = [*ROWS, Labelled("cook", "", " "), Labelled("x", "", "11"), Labelled("a" * 60, "b" * 41, "11")]
    found = read_answered([("rows", rows)], coder)
    assert (found.tally.rows, found.tally.unanswered, found.tally.unfit, len(found.records)) == (10, 1, 2, 7)


def test_a_file_without_a_usable_row_is_an_error(coder: Coder) -> None:
    """There is nothing to work a share out of."""
    with pytest.raises(NothingToEvaluate, match="None of the 1 rows"):
        read_answered([("rows", [Labelled("cook", "", "")])], coder)


def test_an_answer_with_an_unknown_code_names_its_row(coder: Coder) -> None:
    """A typing error must not pass for a wrong answer of the model."""
    with pytest.raises(UnknownCode, match="Row 2 of rows has the code 99, which is none of toy"):
        read_answered([("rows", [ROWS[0], Labelled("cook", "", "11|99")])], coder)


def test_a_text_that_the_model_knows_nothing_of_is_wrong_everywhere(coder: Coder) -> None:
    """It gets no candidate, and the confusion table has it under none."""
    found = _figures(coder, [Labelled("qqq zzz", "", "11"), ROWS[0]])
    assert [level.top1 for level in found.everything.levels] == [0.5, 0.5]
    assert found.confusion.tolist() == [[1, 0, 1], [0, 0, 0]]
    assert found.curves[0][-1].coverage == 0.5


def test_groups_part_the_records_by_kind_major_group_and_repeats(coder: Coder) -> None:
    """Each record has one kind and one major group; a repeated text counts once among the distinct."""
    found = _figures(coder, ROWS)
    assert [group.records for group in found.kinds] == [5, 1, 1]
    assert [group.records for group in found.majors] == [5, 2]
    assert found.distinct.records == 6


def test_siblings_taken_one_for_the_other_are_listed_with_their_group(coder: Coder) -> None:
    """Only where the group is right: the error is between its members."""
    found = _figures(coder, [ROWS[2], ROWS[2], ROWS[0]])
    assert [(pair.truth, pair.said, pair.records) for pair in found.pairs] == [("11", "12", 2)]
    group = found.unit_groups[0]
    assert (group.code, group.records, group.confused) == ("1", 3, 2)
    assert (group.accuracy, group.deepest) == (1.0, pytest.approx(1 / 3))


def test_curves_run_from_the_surest_to_all_and_bins_hold_every_record(coder: Coder) -> None:
    """Coverage only grows; its end is the accuracy of the level's best category."""
    found = _figures(coder, ROWS)
    for level, curve, bins in zip(found.everything.levels, found.curves, found.bins, strict=True):
        assert np.all(np.diff([point.coverage for point in curve]) > 0)
        assert (curve[-1].coverage, curve[-1].precision) == (1.0, pytest.approx(level.best))
        assert sum(one.records for one in bins) == len(ROWS)


def test_the_report_is_one_page_with_its_plots_inside(coder: Coder, tmp_path: Path) -> None:
    """It asks nothing of a network, shows what it was given as text, and leaves the plots beside it."""
    page = write_report(_figures(coder, ROWS), ABOUT, tmp_path / "new" / "report").read_text()
    assert page.count("data:image/png;base64,") == 3
    assert 'src="http' not in page
    assert "<link" not in page
    assert "a&lt;b&gt;.csv" in page
    assert "Toy &lt;classification&gt;" in page
    for name in (RISK_COVERAGE, RELIABILITY, CONFUSION):
        assert (tmp_path / "new" / "report" / name).read_bytes().startswith(b"\x89PNG")
