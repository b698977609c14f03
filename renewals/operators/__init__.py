"""The use cases of the provider's operators; each change is written to the audit log."""
