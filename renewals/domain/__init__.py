"""The rules of renewal, without access to a database or network; only `clock` reads the system clock."""
