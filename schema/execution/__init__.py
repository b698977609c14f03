"""The compiled executor and the schema class that uses it (ADR 7)."""
