"""Renewal management: the rules in `domain`, and a package for each feature."""
