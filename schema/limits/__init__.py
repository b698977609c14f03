"""The limits on the size and the cost of a GraphQL document."""
