"""Measures the CPU time of requests against what they cost."""
