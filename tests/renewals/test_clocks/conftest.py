"""Fixtures for the tests of test clocks."""

from tests.renewals.operators.conftest import operator

__all__ = ["operator"]
