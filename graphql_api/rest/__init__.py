"""The endpoints other than GraphQL: calendar, exports and probes."""
