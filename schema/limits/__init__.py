"""How large and expensive a GraphQL document may be."""
