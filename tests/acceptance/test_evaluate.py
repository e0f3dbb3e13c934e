"""``occode evaluate``, ``explain``, ``train --data`` and ``models card``, as an analyst runs them."""

import os
from pathlib import Path

import polars as pl
import pytest

from occode.coding.registry import Registry
from tests.acceptance.test_files import occode
from tests.conftest import write_toy

ROWS = [
    ("baker", "bake bread", "11"),
    ("line cook", "", "12"),
    ("taxi driver", "", "21|22"),
    ("bus driver", "", "22"),
    ("bus driver", "", ""),
    ("x", "", "22"),
]


def _write(path: Path, names: tuple[str, str, str] = ("occp_text", "tasks_text", "code")) -> Path:
    frame = pl.DataFrame(ROWS, schema=list(names), orient="row")
    writers = {
        ".csv": frame.write_csv,
        ".tsv": lambda file: frame.write_csv(file, separator="\t"),
        ".xlsx": frame.write_excel,
        ".parquet": frame.write_parquet,
        ".jsonl": frame.write_ndjson,
    }
    writers[path.suffix](path)
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the small classification and a model of it, trained on labelled rows, too."""
    folder = tmp_path_factory.mktemp("home")
    write_toy(folder / "classifications")
    done = occode("train", "--topic", "toy", "--data", _write(folder / "own.csv"), "--data-weight", "0.5", "--data-dir", folder)
    assert done.returncode == 0, done.stderr
    assert "toy: 4 labelled rows, 5 distinct; 1 without a code and 1 without 3 to 100 characters left out" in done.stderr
    return folder


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".xlsx", ".parquet", ".jsonl"])
def test_a_file_of_any_kind_is_evaluated(home: Path, tmp_path: Path, suffix: str) -> None:
    """Figures by level come on the screen, and how many rows were left out."""
    done = occode("evaluate", "--topic", "toy", "--data", _write(tmp_path / f"labelled{suffix}"), "--data-dir", home)
    assert done.returncode == 0, done.stderr
    assert "4 of 6 rows evaluated; left out: 1 without an answer, 1 without 3 to 100 characters" in done.stdout
    assert "2 job" in done.stdout
    assert "expected calibration error" in done.stdout


def test_several_files_with_columns_of_other_names_make_one_report(home: Path, tmp_path: Path) -> None:
    """The page and the plots are in the folder asked for."""
    names = ("job", "duties", "group")
    files = ["--data", _write(tmp_path / "one.csv", names), "--data", _write(tmp_path / "two.xlsx", names)]
    columns = ["--title-column", "job", "--tasks-column", "duties", "--code-column", "group"]
    done = occode("evaluate", "--topic", "toy", *files, *columns, "--report", tmp_path / "report", "--data-dir", home)
    assert done.returncode == 0, done.stderr
    assert "8 of 12 rows" in done.stdout
    assert {path.name for path in (tmp_path / "report").iterdir()} == {
        "report.html", "risk-coverage.png", "reliability.png", "confusion.png",
    }  # fmt: skip


@pytest.mark.parametrize("title", ["text", "title"])
def test_usual_names_of_columns_need_no_option(home: Path, tmp_path: Path, title: str) -> None:
    """``text`` and ``title`` are titles, too."""
    done = occode("evaluate", "--topic", "toy", "--data", _write(tmp_path / "a.csv", (title, "tasks", "code")), "--data-dir", home)
    assert done.returncode == 0, done.stderr


def test_a_column_that_is_not_there_is_one_line(home: Path, tmp_path: Path) -> None:
    """With the columns that there are, and the option that names one."""
    path = _write(tmp_path / "a.csv", ("job", "duties", "anzsco"))
    done = occode("evaluate", "--topic", "toy", "--data", path, "--data-dir", home)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("name one with --code-column; its columns are: job, duties, anzsco.")
    done = occode("evaluate", "--topic", "toy", "--data", path, "--code-column", "anzsco", "--data-dir", home)
    assert "name one with --title-column or --tasks-column" in done.stderr


def test_an_unknown_code_or_no_usable_row_is_one_line(home: Path, tmp_path: Path) -> None:
    """In training as in evaluation."""
    (tmp_path / "a.csv").write_text("text,code\ncook,12\nbaker,99\n")
    for command in ("evaluate", "train"):
        done = occode(command, "--topic", "toy", "--data", tmp_path / "a.csv", "--data-dir", home)
        assert done.returncode == 1
        assert "Row 2 of" in done.stderr
        assert "has the code 99" in done.stderr
    (tmp_path / "b.csv").write_text("text,code\ncook,\n")
    done = occode("evaluate", "--topic", "toy", "--data", tmp_path / "b.csv", "--data-dir", home)
    assert (done.returncode, "None of the 1 rows can be evaluated" in done.stderr) == (1, True)


def test_a_code_is_explained_level_by_level(home: Path) -> None:
    """With its rival and the words that told."""
    done = occode("explain", "bus driver", "--tasks", "drive kids", "--topic", "toy", "--data-dir", home)
    assert done.returncode == 0, done.stderr
    assert "22 Bus Driver" in done.stdout
    assert "21 Taxi Driver" in done.stdout
    assert " bus" in done.stdout
    assert "know" in occode("explain", "qqq zzz", "--topic", "toy", "--data-dir", home).stdout


def test_the_card_of_a_model_is_printed(home: Path) -> None:
    """The latest where none is named; own data is among its sizes."""
    done = occode("models", "card", "toy", "--data-dir", home)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("# Toy classification, model ")
    assert "| labelled rows of the operator's own | 4 |" in done.stdout
    written = next((home / "models" / "toy").glob("*/card.md")).read_text()
    assert os.linesep.join(done.stdout.splitlines()) == os.linesep.join(written.splitlines())


def test_the_shipped_model_finds_its_own_titles(registry: Registry, tmp_path: Path) -> None:
    """A sanity check on a real classification: principal titles are coded to themselves."""
    leaves = registry.catalogue.topic("osca").leaves[::40]
    label = registry.catalogue.topic("osca").label
    frame = pl.DataFrame([(label(code)[:100], code) for code in leaves], schema=["text", "code"], orient="row")
    frame.write_csv(tmp_path / "titles.csv")
    done = occode("evaluate", "--data", tmp_path / "titles.csv")
    assert done.returncode == 0, done.stderr
    top1 = next(float(line.split()[3]) for line in done.stdout.splitlines() if line.startswith("6 occupation"))
    assert top1 > 0.8
