"""The domain: prices, periods, plans and the writers of each table."""
