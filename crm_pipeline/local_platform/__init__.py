"""A source platform to try things with: takes messages over HTTP, shows them, fails on demand.

Stands apart, as the local org does: it imports nothing of the pipeline but what both ends of
the wire agree on (`source_platform.signing`).
"""
