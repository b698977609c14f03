"""PostgreSQL: connections, transactions, models, migrations, pagination and SQL helpers."""
