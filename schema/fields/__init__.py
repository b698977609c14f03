"""The selected fields of a request, and how each field is read from a row."""
