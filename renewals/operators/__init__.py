"""The use cases of the provider's operators, each written to the audit log."""
