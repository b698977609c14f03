"""Numbered events of each account, and the notifications that wake their subscribers."""
