"""A comparison of the processor time of requests with their query cost."""
