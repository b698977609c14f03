"""The demo account: load it, and reset it."""
