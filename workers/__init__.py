"""The arq worker: PostgreSQL knows what is left to do, and a job does it with one call of the domain."""
