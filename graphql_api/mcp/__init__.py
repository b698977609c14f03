"""The customers' API as tools for agents, by the Model Context Protocol; a client of that API over HTTP."""
