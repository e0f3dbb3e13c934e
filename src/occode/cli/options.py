"""What several commands ask for: the settings from flags and environment, and how they print."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from occode.settings import Settings, read

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Folder of models, database and objects.", show_default=False)]
Topic = Annotated[str, typer.Option("--topic", help="Classification to code to, e.g. osca or anzsco.")]

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def settings_from(data_dir: Path | None = None) -> Settings:
    """Return the settings of this run."""
    return read({"data_dir": data_dir}, os.environ)
