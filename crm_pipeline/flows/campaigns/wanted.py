"""The campaigns that events, their sessions and their series are to be. Pure (spec 2)."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from crm_pipeline.flows.campaigns.rules import Choices
from crm_pipeline.ledger import campaign_keys
from crm_pipeline.ledger.campaigns import Said
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.sources.events import Event, Session
from crm_pipeline.text import seen, trimmed, written

NAME_CHARS = 80
"""Of Campaign.Name (Salesforce: Campaign), in units of UTF-16."""

AMOUNTS = frozenset(("BudgetedCost", "ActualCost", "ExpectedRevenue", "NumberSent"))
"""Fields that Salesforce sums up over a hierarchy: an event's are not each session's, too."""

PARENT = "ParentId"
"""The field that has the campaign above one."""


class _About(NamedTuple):
    """What a campaign is about: its key in the ledger, its name, its mark, its days."""

    key: Mapping[str, Any]
    name: str
    mark: str
    days: tuple[date | str | None, date | str | None]
    has_members: bool = True


class _Above(NamedTuple):
    """The key of the campaign above one; None: there is none, or none any more."""

    key: str | None


def campaign_intents(
    event: Event, sessions: Iterable[Session], choices: Choices, now: datetime
) -> list[Intent]:
    """The campaigns that an event, some of its sessions and its series are to be, parents first.

    Args:
        event: the event.
        sessions: those of its sessions that have members.
        choices: the account's.
        now: when this is wanted, UTC; what is wanted later replaces it.
    """
    made: list[Intent] = []
    parent = _above(event, choices)
    if (series := _of_series(event, choices, now)) is not None:
        made.append(series)
    if choices.settings.of_events and choices.has_campaign(str(event.event_id)):
        made.append(campaign_intent(event, choices, now, parent))
        parent = _Above(str(event.event_id))
    if choices.settings.of_sessions:
        made += [_of_session(event, each, choices, now, parent) for each in sessions]
    return made


def campaign_intent(
    event: Event, choices: Choices, now: datetime, parent: _Above | None = None
) -> Intent:
    """The campaign that an event is to be, with the statuses that its members need.

    Args:
        event: the event.
        choices: the account's.
        now: as in `campaign_intents`.
        parent: what is above it; None: that is not for us to say.
    """
    about = _About(
        {"event_id": event.event_id},
        seen(event.name) or f"Event {event.event_id}",
        f"event {event.event_id}",
        (event.starts_on, event.ends_on),
    )
    return _intent(about, choices.campaigns.of_the_only_row(event.columns), choices, now, parent)


def with_status(said: Said, now: datetime) -> Intent:
    """The campaign as it was wanted last, with the status that its days give it now."""
    campaign = said.intent["campaign"]
    status = status_on(now.date(), campaign["StartDate"], campaign["EndDate"])
    return _again(said, now, {"campaign": {**campaign, "Status": status}})


def with_link(said: Said, campaign_id: str, now: datetime) -> Intent:
    """The campaign as it was wanted last, which is this one of the org now."""
    return _again(said, now, {"campaign_id": campaign_id})


def status_on(today: date, starts: str | None, ends: str | None) -> str:
    """Returns the status of a campaign by its days (ISO, or what the warehouse says instead)."""
    now = today.isoformat()
    if starts and now < starts:
        return "Planned"
    return "Completed" if ends and now > ends else "In Progress"


def session_name(event: Event, session: Session) -> str:
    """Returns the name of a session's campaign: its event's, its own where it differs, its day."""
    names = [seen(each) for each in (event.name, session.title)]
    name = ": ".join(dict.fromkeys(each for each in names if each)) or f"Event {event.event_id}"
    day = f", {written(session.starts_on)}" if session.starts_on else ""
    return f"{trimmed(name, NAME_CHARS - len(day))}{day}"


def _of_session(
    event: Event, session: Session, choices: Choices, now: datetime, parent: _Above | None
) -> Intent:
    further = choices.campaigns.of_the_only_row({**event.columns, **session.columns})
    for field in AMOUNTS & choices.campaigns.sources.keys():
        if not session.columns.keys() & choices.campaigns.columns_of(field):
            further.pop(field, None)
    key = campaign_keys.of_session(session.session_id)
    about = _About(
        {"event_id": event.event_id, "campaign_key": key},
        session_name(event, session),
        campaign_keys.called(key),
        (session.starts_on, session.ends_on),
    )
    return _intent(about, further, choices, now, parent)


def _series_said(event: Event, choices: Choices) -> str | None:
    """What an event says of which series it is; None: the account has no campaigns of series."""
    column = choices.settings.series_parent
    return None if column is None else seen(written(event.columns.get(column)))


def _above(event: Event, choices: Choices) -> _Above | None:
    """What is above the campaign of an event: that of its series, or none; None: anything."""
    said = _series_said(event, choices)
    if not said:
        return None if said is None else _Above(None)
    key = campaign_keys.of_series(said)
    return _Above(key) if choices.has_campaign(key) else None


def _of_series(event: Event, choices: Choices, now: datetime) -> Intent | None:
    """The campaign of an event's series: above all of them, with nobody in it by us."""
    said = _series_said(event, choices)
    if not said or not choices.has_campaign(key := campaign_keys.of_series(said)):
        return None
    about = _About(
        {"event_id": None, "campaign_key": key},
        seen(written(event.columns.get("series_name"))) or " ".join(said.split()),
        campaign_keys.called(key),
        (event.series_starts_on, event.series_ends_on),
        has_members=False,
    )
    return _intent(about, dict(choices.campaigns.constants), choices, now, None)


def _intent(
    about: _About,
    further: dict[str, Any],
    choices: Choices,
    now: datetime,
    parent: _Above | None,
) -> Intent:
    settings, key = choices.settings, campaign_keys.key_of(about.key)
    starts, ends = (written(day) for day in about.days)
    if settings.campaign_status:
        further = {"Status": status_on(now.date(), starts, ends), **further}
    if parent is not None and parent.key is not None:
        further.pop(PARENT, None)
    statuses = choices.statuses.values() if about.has_members else ()
    fields: dict[str, Any] = {
        **about.key,
        "campaign_id": choices.links.get(key),
        "external_id_field": settings.external_id_field,
        "create": settings.create_campaigns,
        "campaign": {
            "Name": trimmed(about.name, NAME_CHARS),
            "Description": f"Webinar platform: {about.mark}",
            "Type": settings.campaign_type,
            "StartDate": starts,
            "EndDate": ends,
            "IsActive": True,
            **further,
        },
        "statuses": [
            {"Label": status.label, "HasResponded": status.has_responded} for status in statuses
        ],
        "unknown_status": settings.unknown_status,
    }
    if parent is not None:
        fields["parent"] = parent.key
    if further:
        fields["follows"] = sorted(further)
    if settings.keep_campaigns == "never":
        fields["keep"] = False
    return Intent(f"campaign:{key}", "campaign", None, now, fields)


def _again(said: Said, now: datetime, changed: Mapping[str, Any]) -> Intent:
    key = campaign_keys.key_of(said.intent)
    return Intent(f"campaign:{key}", "campaign", None, now, {**said.intent, **changed})
