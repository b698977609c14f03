"""The customers' GraphQL API."""
