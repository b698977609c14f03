"""Import of CSV and JSON Lines files in batches."""
