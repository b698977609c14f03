"""The customers' GraphQL API.

Resolvers return database rows, not instances of the Strawberry types that annotate them, because building an object for
each row of a page would cost more than reading the row (ADR 7).
"""
