"""Occupation coding: free text to codes of a national classification."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from occode.coding.coder import Coder

__all__ = ["Coder"]


def __getattr__(name: str) -> object:
    """Import the coder when it is first asked for: `occode --help` should not wait for numpy."""
    if name == "Coder":
        from occode.coding.coder import Coder

        return Coder
    raise AttributeError(name)
