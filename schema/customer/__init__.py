"""The customers' GraphQL API.

A resolver that reads rows from the database returns these rows, not instances of the Strawberry type that annotates the
resolver. Building an object for each row of a page would take longer than reading the row.
"""
