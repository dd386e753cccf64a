"""The engagement workflow: prospects with tags, scores and pages, matched to people (spec 3)."""

NAME = "engagement"
