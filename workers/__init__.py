"""The clock: the jobs and the schedule that call the domain."""
