"""The hourly runs that renew what is due."""
