"""The clock: arq wakes up, the domain does the work, PostgreSQL knows what is left."""
