"""Attribution: tracked leads go to the org as people, opportunities come back (spec 5)."""

NAME = "attribution"
