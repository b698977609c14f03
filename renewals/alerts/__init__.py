"""Reminders before an expiry and warnings before money runs short."""
