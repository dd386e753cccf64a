"""Numbers for those who watch from outside, as OpenMetrics."""
