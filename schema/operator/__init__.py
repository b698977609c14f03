"""The operators' GraphQL API, a schema of its own."""
