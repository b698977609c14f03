"""The compiled executor, the schema class that uses it (ADR 7), and the subgraphs of Apollo Federation."""
