"""Health checks and probes of a process."""
