"""The limits of the size and the cost of a GraphQL document."""
