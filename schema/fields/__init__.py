"""Which fields a client selected, and how each is read."""
