"""Campaigns: each event a campaign of the client's org, its participants the members (spec 2)."""

NAME = "campaigns"
