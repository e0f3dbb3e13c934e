"""The conformance table and the tests agree."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs/reference/conformance.md").read_text()
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def _tests(path: Path) -> dict[str, str]:
    """Return the tests of a file by name, with their docstrings."""
    tree = ast.parse(path.read_text())
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {node.name: ast.get_docstring(node) or "" for node in found if node.name.startswith("test_")}


def test_every_test_of_the_table_exists() -> None:
    """A renamed or deleted test is found out."""
    for file, name in NAMED.findall(TABLE):
        assert name in _tests(ROOT / file), f"{file}::{name}"


def test_every_test_that_names_the_guide_is_in_the_table() -> None:
    """And so is a new one that is not entered."""
    named = set(NAMED.findall(TABLE))
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, about in _tests(path).items():
            if "Guide section" in about or "Guide sections" in about:
                assert (str(path.relative_to(ROOT)), name) in named, f"{path.name}::{name}"


def test_every_section_from_3_to_12_has_its_rows() -> None:
    """None is passed over."""
    sections = {part.strip().partition(".")[0] for row in re.findall(r"^\| ([\d., ]+) \|", TABLE, re.M) for part in row.split(",")}
    assert sections >= {str(number) for number in range(3, 13)}
