"""The platform's users and feedback tickets (spec 4): known to requests, and kept in the org."""

GROUP = "platform"
USERS = "platform_users"
FEEDBACK = "feedback_records"
