"""Requests from Salesforce, worked off: removals, feedback, data for users (spec 4)."""

NAME = "inbound"
