"""The columns that each extract must give, said once for whoever checks a warehouse."""

from collections.abc import Mapping
from dataclasses import dataclass

from crm_pipeline.sources.engagement import CHANGED_AT, DEFINITIONS, PAGES, PROSPECTS
from crm_pipeline.sources.participations import ATTENDANCES, REGISTRATIONS
from crm_pipeline.sources.platform_rows import FEEDBACK_TICKETS, USERS
from crm_pipeline.sources.tracked_leads import NEEDED


@dataclass(frozen=True, slots=True)
class Contract:
    """What an extract must give.

    Attributes:
        needed: the columns without which nothing goes.
        times: those of them that are times.
        whole: those of them that are whole numbers.
        needed_by: the accounts without which it need not be there; none: all need it.
    """

    needed: tuple[str, ...]
    times: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    needed_by: str | None = None


_TRACKER = "accounts with attribution"
_PROSPECTS = "accounts with the engagement workflow"
_REQUESTS = "accounts that take requests, or tell the platform, from Salesforce"
_TICKETS = "accounts with feedback tickets in their org"
_END = ("now", "newest")
_NEW = ("key", "source", "rows", "oldest", "newest", "seconds")


def _end(needed_by: str | None = None) -> Contract:
    return Contract(_END, times=_END, needed_by=needed_by)


def _new_rows(needed_by: str | None = None) -> Contract:
    return Contract(_NEW, times=("oldest", "newest"), whole=("rows",), needed_by=needed_by)


CONTRACTS: Mapping[str, Contract] = {
    "clients": Contract(
        ("client_id", "registrations", "attendances", "newest"),
        times=("newest",),
        whole=("registrations", "attendances"),
    ),
    "end": _end(),
    "new_rows": _new_rows(),
    "registrations": Contract(
        REGISTRATIONS.needed,
        times=("registered_at", CHANGED_AT),
        whole=("registration_id", "event_session_id"),
    ),
    "attendances": Contract(
        ATTENDANCES.needed,
        times=("attended_at", CHANGED_AT),
        whole=("attendance_id", "event_session_id"),
    ),
    "row_counts": Contract(
        ("day", "rows", "seconds", "parts", "incomplete", "ids", "times", "parts_of"),
        whole=("rows", "parts"),
    ),
    "still_there": Contract(("id",), whole=("id",)),
    "rows_of_people": Contract(("id",), whole=("id",)),
    "people": Contract(("email",)),
    "addresses": Contract(("person_id", "email", CHANGED_AT), times=(CHANGED_AT,)),
    "sessions": Contract(
        ("event_session_id", "session_title", "event_name", "rows"),
        whole=("event_session_id", "rows"),
    ),
    "events": Contract(
        ("event_id", "name", "starts_at", "ends_at", "sessions"),
        times=("starts_at", "ends_at"),
        whole=("event_id",),
        needed_by="accounts with campaigns",
    ),
    "event_sessions": Contract(
        ("event_session_id", "event_id", "session_title", "session_starts_at", "session_ends_at"),
        times=("session_starts_at", "session_ends_at"),
        whole=("event_session_id", "event_id"),
        needed_by="accounts with campaigns",
    ),
    "event_volumes": Contract(
        ("event_id", "rows"), whole=("event_id", "rows"), needed_by="accounts with campaigns"
    ),
    "tracked_leads_end": _end(_TRACKER),
    "tracked_leads": Contract(
        (*NEEDED, CHANGED_AT), times=("happened_at", CHANGED_AT), needed_by=_TRACKER
    ),
    "new_tracked_leads": _new_rows(_TRACKER),
    "tracked_lead_days": Contract(
        ("day", "leads", "seconds", "ids", "times"), whole=("leads",), needed_by=_TRACKER
    ),
    "engagement/end": _end(_PROSPECTS),
    "engagement/definitions": Contract(
        (*DEFINITIONS.needed, CHANGED_AT), times=(CHANGED_AT,), needed_by=_PROSPECTS
    ),
    "engagement/prospects": Contract(
        (*PROSPECTS.needed, CHANGED_AT), times=(CHANGED_AT,), needed_by=_PROSPECTS
    ),
    "engagement/prospects_with_pages": Contract(
        (*PAGES.needed, CHANGED_AT), times=(CHANGED_AT,), needed_by=_PROSPECTS
    ),
    "engagement/pages": Contract(("prospect_id",), needed_by=_PROSPECTS),
    "engagement/new_rows": _new_rows(_PROSPECTS),
    "engagement/sizes": Contract(
        ("tag", "score", "prospect", "prospect_tag", "prospect_score", "prospect_page"),
        needed_by=_PROSPECTS,
    ),
    "platform/end_of_users": _end(_REQUESTS),
    "platform/users": Contract(
        (*USERS.needed, CHANGED_AT), times=(CHANGED_AT,), needed_by=_REQUESTS
    ),
    "platform/new_users": _new_rows(_REQUESTS),
    "platform/end_of_feedback_tickets": _end(_TICKETS),
    "platform/feedback_tickets": Contract(
        (*FEEDBACK_TICKETS.needed, CHANGED_AT), times=(CHANGED_AT,), needed_by=_TICKETS
    ),
    "platform/new_feedback_tickets": _new_rows(_TICKETS),
}
"""By the extract's name below `sql/extract/`, in the order in which they are looked at."""
