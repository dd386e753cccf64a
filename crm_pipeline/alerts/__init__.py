"""Telling people: refused credentials, exhausted retries and broken promises, each once."""
