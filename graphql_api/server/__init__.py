"""The start, supervision and stop of the server processes."""
