"""`renewals import`: the provider's lists, from files."""
