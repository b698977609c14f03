"""Start, supervise and stop the server processes."""
