"""The customer API as tools for agents (Model Context Protocol). The tools call that API over HTTP."""
