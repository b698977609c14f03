"""Rate, concurrency and response size limits."""
