"""GraphQL types and errors that the customers' and the operators' APIs share."""
