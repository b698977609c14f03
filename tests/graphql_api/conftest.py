"""Every test of the command line runs it in the same way."""

from tests.commands import renewals

__all__ = ["renewals"]
