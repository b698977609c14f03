"""The endpoints other than GraphQL: calendar, console, exports and probes."""
