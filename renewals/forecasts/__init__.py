"""Forecasts: simulation of the coming renewals with the planner of the worker."""
