"""The migrations: `0001_schema` is the first release, with `initial.sql`; each later one is a step from there.

A new column that must not be empty has a default, for the rows that exist. It keeps the default, because processes of
the previous version insert rows while the migration runs.
"""
