"""Authentication by API key or JWT."""
