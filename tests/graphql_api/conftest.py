"""Fixtures for the tests of the command line."""

from tests.support.cli import renewals

__all__ = ["renewals"]
