"""The numbered events of each account, and the notification of their subscribers."""
