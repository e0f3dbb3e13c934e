"""``python -m occode``: the command line."""

from occode.cli.app import run

run()
