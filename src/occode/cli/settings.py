"""``occode settings``: every setting, its value and where it came from."""

import os

from rich.table import Table

from occode.cli.options import DataDir, err, out, settings_from
from occode.settings import origins, unknown


def settings(data_dir: DataDir = None) -> None:
    """Show every setting with its origin."""
    table = Table("setting", "value", "from", "what it is", box=None)
    for origin in origins(settings_from(data_dir), {"data_dir": data_dir}, os.environ):
        table.add_row(origin.name, origin.value, origin.source, origin.about)
    out.print(table)
    for name in unknown(os.environ):
        err.print(f"There is no setting {name}.")
