"""The customers' GraphQL API.

Resolvers return database rows, not instances of the Strawberry types that annotate them. To build an object for each
row of a page would take longer than to read the row (ADR 7).
"""
