"""``python -m benchmarks [name ...]``: run all benchmarks, or those named, each in a process of its own."""

import subprocess
import sys
from importlib import import_module

from rich.console import Console

ALL = ("start", "coder", "frontier", "http", "batch", "training")


def main(names: list[str]) -> int:
    """Run the benchmarks; the exit code is that of the worst."""
    if len(names) == 1:
        import_module(f"benchmarks.{names[0]}").run(Console(width=140))
        return 0
    return max(subprocess.run([sys.executable, "-m", "benchmarks", name], check=False).returncode for name in names or ALL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
