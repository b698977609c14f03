"""GraphQL types and errors that the customers' and the operator APIs share."""
