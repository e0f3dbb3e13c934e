"""``occode code`` on files of every kind, as an analyst runs it."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

ROWS = [
    ("1", "software developer", "writing code and unit tests"),
    ("2", "retiree", ""),
    ("3", "x", ""),
    ("4", "caf\u00e9 chef", "cooking meals"),
]


def occode(
    *arguments: str | Path, stdin: str | None = None, environment: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run the command line, with further environment variables."""
    command = [sys.executable, "-m", "occode", *map(str, arguments)]
    env = {**os.environ, **(environment or {})}
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=120, env=env)


def _write(path: Path) -> None:
    frame = pl.DataFrame(ROWS, schema=["recordId", "occp_text", "tasks_text"], orient="row")
    if path.suffix == ".csv":
        frame.write_csv(path)
    elif path.suffix == ".tsv":
        frame.write_csv(path, separator="\t")
    elif path.suffix == ".xlsx":
        frame.write_excel(path)
    elif path.suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_ndjson(path)


def _read(path: Path) -> list[dict[str, object]]:
    if path.suffix == ".xlsx":
        return pl.read_excel(path).to_dicts()
    if path.suffix == ".parquet":
        return pl.read_parquet(path).to_dicts()
    separator = "\t" if path.suffix == ".tsv" else ","
    return pl.read_csv(path, separator=separator, infer_schema=False).to_dicts()


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".xlsx", ".parquet"])
def test_a_table_keeps_its_columns_and_gains_codes(tmp_path: Path, suffix: str) -> None:
    """Every row comes back in order; a bad one with its error."""
    source = tmp_path / f"jobs{suffix}"
    _write(source)
    done = occode("code", source)
    assert done.returncode == 0, done.stderr
    rows = _read(tmp_path / f"jobs-coded{suffix}")
    assert [row["occp_text"] for row in rows] == [row[1] for row in ROWS]
    assert str(rows[0]["codeCategory"]).startswith("2733")
    assert rows[1]["codeStatus"] == "unsuccessful"
    assert rows[2]["error"] == "The total text length is under 3 min."
    assert not rows[3]["error"]
    assert float(str(rows[0]["codeConfidence"])) > 0.5


def test_json_lines_give_the_batch_format(tmp_path: Path) -> None:
    """Guide section 8.4."""
    _write(tmp_path / "jobs.jsonl")
    assert occode("code", tmp_path / "jobs.jsonl", "-o", tmp_path / "out.jsonl", "--min-confidence", 0).returncode == 0
    answers = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [answer["recordId"] for answer in answers] == ["1", "2", "3", "4"]
    assert set(answers[0]) == {"recordId", "result"}
    assert len(answers[0]["result"]["codeCategory"]) == 6
    assert set(answers[2]) == {"recordId", "error"}


def test_standard_input_goes_to_standard_output() -> None:
    """With other column names, too."""
    done = occode("code", "-", "--title-column", "job", stdin='id,job\n1,"nurse, aged care"\n')
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert rows[0]["job"] == "nurse, aged care"
    assert rows[0]["codeStatus"]


def test_ragged_rows_are_kept_with_their_error(tmp_path: Path) -> None:
    """A row with too few or too many fields stops nothing."""
    (tmp_path / "jobs.csv").write_text("id,occp_text\n1,nurse\n2\n3,cook,extra\n4,teacher\n")
    assert occode("code", tmp_path / "jobs.csv").returncode == 0
    rows = _read(tmp_path / "jobs-coded.csv")
    assert [row["id"] for row in rows] == ["1", "2", "3", "4"]
    assert "fields" in str(rows[1]["error"])
    assert "fields" in str(rows[2]["error"])
    assert not rows[3]["error"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["code", "missing.csv"], "cannot be read"),
        (["code", "jobs.docx"], "format of"),
        (["code", "jobs.csv", "--title-column", "nope"], "no column nope"),
        (["code", "jobs.csv", "--topic", "nope"], "no topic"),
        (["code", "jobs.csv", "--model", "nope"], "no model"),
        (["code", "jobs.csv", "-o", "jobs.csv"], "overwrite"),
        (["code", "jobs.csv", "-o", "no/such/folder.csv"], "cannot be written"),
        (["code", "empty.csv"], "no header"),
        (["code", "broken.xlsx"], "cannot be read"),
        (["code", "broken.parquet"], "cannot be read"),
        (["code", "jobs.csv", "--data-dir", "nothing"], "occode train --topic osca"),
        (["serve", "--data-dir", "nothing"], "occode train --topic osca"),
        (["serve", "--demo", "--host", "0.0.0.0"], "loopback"),
        (["train", "--topic", "osca", "--corpus", "nothing"], "no corpus"),
        (["clients", "show", "nobody", "--data-dir", "nothing"], 'no client "nobody"'),
        (["clients", "add", "somebody", "--data-dir", "nothing"], "accept-terms"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    """On standard error, with a non-zero exit, without a traceback."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jobs.csv").write_text("occp_text\nnurse\n")
    (tmp_path / "empty.csv").write_text("")
    for name in ("broken.xlsx", "broken.parquet"):
        (tmp_path / name).write_text("this is neither")
    done = occode(*arguments)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_port_that_is_taken_is_told(service: str) -> None:
    """Before anything else starts."""
    done = occode("serve", "--demo", "--port", service.rpartition(":")[2])
    assert done.returncode == 1
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_settings_say_where_they_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flag, environment or default; a slip in a name is told; secrets are not shown."""
    monkeypatch.setenv("OCCODE_PUBLIC_PER_HOUR", "7")
    monkeypatch.setenv("OCCODE_S3_SECRET_KEY", "hush")
    shown = occode("settings").stdout
    assert "environment" in shown
    assert "hush" not in shown
    monkeypatch.setenv("OCCODE_PUBLIC_PER_HUOR", "7")
    assert "OCCODE_PUBLIC_PER_HUOR" in occode("settings").stderr
