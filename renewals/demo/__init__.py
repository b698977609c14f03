"""The demo account: its data, its loader and its reset."""
