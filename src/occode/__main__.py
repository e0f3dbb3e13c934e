"""``python -m occode``: the command line."""

from occode.cli.app import run

if __name__ == "__main__":  # the processes of a pool import this module too
    run()
