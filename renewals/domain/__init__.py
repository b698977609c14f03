"""The rules of renewal as pure functions over plain values: no I/O, no clock, no settings."""
