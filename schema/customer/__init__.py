"""The customers' GraphQL API.

Resolvers return database rows, not instances of the Strawberry types that annotate the resolvers. Building an object
for each row of a page would take longer than reading the row (ADR 7).
"""
