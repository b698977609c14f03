"""The command line `renewals`."""
