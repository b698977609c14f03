"""Every test of the command line runs it in the same way."""

from tests.support.cli import renewals

__all__ = ["renewals"]
