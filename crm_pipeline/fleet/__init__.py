"""Runs on workers of several hosts, by Celery (extra `celery`; docs/fleet.md)."""
