"""Where things are kept unless somebody says otherwise."""

import os
from pathlib import Path

import platformdirs


def default_data_dir() -> Path:
    """Return the folder of models, database and objects: ``OCCODE_DATA_DIR``, else the user's data folder."""
    return Path(os.environ.get("OCCODE_DATA_DIR") or platformdirs.user_data_dir("occode", appauthor=False))
