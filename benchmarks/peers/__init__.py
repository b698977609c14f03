"""The peers: small servers for one list, each written as the documentation of its framework shows."""
