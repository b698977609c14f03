"""The provider's language: a schema of its own, of which the customers' knows nothing."""
