"""The domain, a package for each feature."""
