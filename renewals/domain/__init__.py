"""The rules of renewal as pure functions of plain values, without I/O; only `clock` reads the system clock."""
