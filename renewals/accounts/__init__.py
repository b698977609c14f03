"""Accounts with their balance, ledger, vouchers and API keys."""
