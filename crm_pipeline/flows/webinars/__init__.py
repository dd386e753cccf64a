"""The webinar cycle: registrations and attendances become people and activities (spec 1)."""

NAME = "webinars"
