"""Test clocks: move a test account's clock, and do on the way what the worker would have done (rule 37)."""
