"""Telling people: exhausted retries and broken promises, each once until it changes."""
