"""Dagster's view of an account's cycle, made from the flows' declarations.

The only room that turns topics into assets, promises into asset checks and reports into
metadata. Knows which flows there are by their registry, and of none of them anything else.
"""
