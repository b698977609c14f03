"""Benchmarks: each prints its result, the machine, and the duration."""
