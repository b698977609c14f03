"""The arq worker: its jobs, its main loop, and the HTTP server of its probes."""
