"""Messages and labels in the language of their reader: catalogs, and the choice of the language (rule 27)."""
