"""Exports of instances, orders and ledger entries as CSV or JSON Lines."""
