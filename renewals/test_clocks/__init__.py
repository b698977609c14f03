"""Test clocks: moves of a test account's clock, with the work that the worker would have done (rule 37)."""
