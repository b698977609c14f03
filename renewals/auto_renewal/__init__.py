"""Automatic renewal: the runs, for example every hour, that try to renew the due instances (rules 20 to 24)."""
