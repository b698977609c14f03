"""Renewal management: the rules in `domain`, a package or module for each feature, and shared packages such as `db`."""
