"""The door: HTTP, authentication, limits, health, GraphiQL and the command line."""
