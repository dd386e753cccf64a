"""Sample data: a warehouse as messy as reality, and clients with local orgs.

Only the demo, the command line and tests use it; nothing of the pipeline's own is used here but
the databases.
"""
