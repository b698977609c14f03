"""The language: GraphQL types, and resolvers that turn an input into one call of the domain."""
