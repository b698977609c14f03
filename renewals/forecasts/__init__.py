"""Simulation of the coming days with the same planner that renews."""
