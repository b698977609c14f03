"""The HTTP interface and the command line, with authentication, limits and the server processes."""
