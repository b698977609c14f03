"""`renewals up`: PostgreSQL, Valkey, the API and the worker on a developer's machine."""
