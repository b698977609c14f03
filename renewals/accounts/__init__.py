"""Accounts with their balances, ledgers, vouchers and API keys."""
