"""The migrations: `0001_schema`, with `initial.sql`, creates the tables of the first release; later ones alter them.

A new column that is NOT NULL has a default for the existing rows. It keeps the default, because processes of the
previous version still insert rows during and after the migration.
"""
