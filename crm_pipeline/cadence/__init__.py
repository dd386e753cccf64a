"""The pace: which accounts are due, in how many runs, and what becomes of runs afterwards.

Knows accounts as partitions and one job that syncs them; never what a flow does inside.
"""
