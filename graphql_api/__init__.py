"""HTTP and the command line: GraphQL, REST endpoints, authentication, limits, server processes."""
