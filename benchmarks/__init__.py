"""Benchmarks of the project and its peers. `python -m benchmarks` measures them and writes the report."""
