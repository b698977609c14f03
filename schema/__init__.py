"""The language: GraphQL types, resolvers and the executor."""
