"""External activities of Account Engagement: https://pi.pardot.com/api/v5/external-activities.

Its errors have a code of its own in numbers, and its day of calls is not the org's.
"""

from typing import Any

from crm_pipeline.local_org.per_org import PerOrg
from crm_pipeline.local_org.routing import Answer, Call, Route, session_token
from crm_pipeline.local_org.store import Org

ACTIVITIES: PerOrg[list[dict[str, Any]]] = PerOrg(list)
"""What was handed in to each org, oldest first."""

SCOPE = "pardot_api"
_FIELDS = ("extension", "type", "email", "value")


def create(org: Org, call: Call) -> Answer:
    """`POST /api/v5/external-activities`: 201 with the activity, each time a new one."""
    refused = _refusal(org, call)
    if refused is not None:
        status, code, message = refused
        return Answer(status, {"code": code, "message": message})
    said, made = call.json(), ACTIVITIES[org]
    activity = {"id": len(made) + 1, **{name: said.get(name) for name in _FIELDS}}
    made.append(activity)
    return Answer(201, activity)


def _refusal(org: Org, call: Call) -> tuple[int, int, str] | None:
    """HTTP status, code and message of what is wrong with a call; None: nothing is."""
    config, session = org.config.account_engagement, org.session(session_token(call.headers))
    if session is None or SCOPE not in session.scopes:
        return 401, 184, "access_token is invalid, unknown, or malformed"
    if config is None or call.headers.get("pardot-business-unit-id") != config.business_unit:
        return 401, 181, "The business unit is not found, or not this user's"
    if len(ACTIVITIES[org]) >= config.daily_calls:
        return 429, 122, "The daily API rate limit is met"
    said = call.json()
    if said.get("extension") != config.extension or said.get("type") not in config.types:
        return 400, 62, "extension or type is not there, or not active"
    return None if said.get("email") else (400, 62, "email is missing")


ROUTES = (
    Route(
        "POST",
        "/api/v5/external-activities",
        "external_activities.create",
        create,
        counted=False,
        session=False,
    ),
)
