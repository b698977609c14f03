"""The peers: each a small server for one list, written as its own documentation shows."""
