"""The schema, step by step.

A column that must not be empty is added with a default, for the rows that are there. From the first release on it
keeps that default, for processes of the version before write rows, too. What is new is filled in
`tests/renewals/rows`, so that the migrations after it are tried with it.
"""
