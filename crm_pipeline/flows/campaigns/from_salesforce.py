"""Registrants from Salesforce: members that people put into a campaign become the platform's.

A member with one of the chosen statuses is told to the platform once, and goes on to Registered by
the row that comes back of it. Statuses that we gave are no wishes.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from crm_pipeline.accounts.account import Account
from crm_pipeline.accounts.campaigns import CampaignSettings
from crm_pipeline.accounts.filters import matches
from crm_pipeline.accounts.store import filter_strings
from crm_pipeline.declaration import Ask, Batch, Numbers, Reading, Taking, Watched
from crm_pipeline.flows.campaigns import NAME
from crm_pipeline.ledger.campaign_keys import session_of
from crm_pipeline.ledger.campaign_wishes import (
    Wish,
    campaigns_to_ask,
    campaigns_were_asked,
    given_statuses,
    look_at_wishes,
    note_wishes,
    waiting_wishes,
    wishes_to_look_at,
    wishes_were_told,
)
from crm_pipeline.ledger.messages import MessageWant
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.sources.events import events, sessions_of_events

TOPIC = "registrants_from_campaigns"

_MEMBER = "CampaignMember"
_ASKED_AT_ONCE = 200
_OF_CAMPAIGN, _OF_WISH = "CampaignId", "Id"
_WHOSE = ("CampaignId", "LeadId", "ContactId", "Status", "IsDeleted")
_PERSON = ("Email", "FirstName", "LastName", "HasOptedOutOfEmail")


def watches(choices: CampaignSettings) -> Sequence[Watched]:
    """The members of campaigns, where the account has them registered or invited."""
    if choices.from_salesforce == "off":
        return ()
    return (Watched(_MEMBER, (), context=_WHOSE, if_there=_PERSON, held_only=False),)


def asks(connection: Connection, account: Account, choices: CampaignSettings) -> Sequence[Ask]:
    """Members who were in linked campaigns before these were watched, and those to be told next.

    These may have waited for long, and nothing of the member changes where the person opts out.
    """
    if choices.from_salesforce == "off":
        return ()
    account_id, at_once = account.account_id, choices.most_registrations_per_cycle
    found = {
        _OF_CAMPAIGN: campaigns_to_ask(
            connection, account_id, _wanted(choices), limit=_ASKED_AT_ONCE
        ),
        _OF_WISH: wishes_to_look_at(connection, account_id, limit=at_once),
    }
    return [Ask(_MEMBER, field, tuple(values)) for field, values in found.items() if values]


def take(taking: Taking[CampaignSettings]) -> Numbers:
    """Keeps the members who are to be registered or invited: never those who opted out.

    Who waits, and is not to be any more, is told no more.
    """
    choices, account_id = taking.choices, taking.account.account_id
    if choices.from_salesforce == "off":
        return {}
    asked = {ask.field: ask.values for ask in taking.asked}
    of_campaigns = asked.get(_OF_CAMPAIGN, ())
    campaigns_were_asked(taking.ledger, account_id, _wanted(choices), of_campaigns)
    read = taking.records.get(_MEMBER, ())
    wanted = {label.casefold() for label in choices.register_from}
    records = [
        each
        for each in read
        if str(each.get("Status")).casefold() in wanted and not each.get("IsDeleted")
    ]
    ours = given_statuses(taking.ledger, account_id, [each["Id"] for each in records])
    filters = filter_strings(taking.ledger, account_id)
    wishes, opted_out, unfit = [], 0, 0
    for each in records:
        if str(each["Status"]).casefold() in ours.get(each["Id"], ()):
            continue
        email = email_key(each.get("Email"))
        if each.get("HasOptedOutOfEmail"):
            opted_out += 1
        elif email is None or matches(email, filters) is not None:
            unfit += 1
        else:
            wishes.append(
                Wish(
                    each["Id"],
                    each["CampaignId"],
                    each.get("ContactId") or each.get("LeadId") or "",
                    email,
                    each.get("FirstName"),
                    each.get("LastName"),
                    taking.now,
                )
            )
    still = {each.member_id for each in wishes}
    others = {*(each["Id"] for each in read), *asked.get(_OF_WISH, ())} - still
    return {
        (TOPIC, "members_wanted"): note_wishes(taking.ledger, account_id, wishes),
        (TOPIC, "withdrawn"): look_at_wishes(taking.ledger, account_id, still, others),
        (TOPIC, "opted_out"): opted_out,
        (TOPIC, "without_usable_address"): unfit,
    }


def follow(reading: Reading[CampaignSettings]) -> Iterator[Batch]:
    """Tells the platform whom to register or to invite, so many in a cycle."""
    choices = reading.choices
    if choices.from_salesforce == "off":
        return
    ledger, account = reading.ledger, reading.account
    wishes = waiting_wishes(ledger, account.account_id, limit=choices.most_registrations_per_cycle)
    if not wishes:
        return
    about = _about(reading, wishes)
    wishes_were_told(ledger, account.account_id, wishes)
    wants = [
        MessageWant(
            TOPIC,
            _named(each),
            each.noticed_at,
            {
                "action": choices.from_salesforce,
                "event_id": about[each.campaign_key][0],
                "sessions": about[each.campaign_key][1],
                "email": each.email,
                "first_name": each.first_name,
                "last_name": each.last_name,
                "member_id": each.member_id,
                "campaign_id": each.campaign_id,
                "person_id": each.person_id,
            },
        )
        for each in wishes
    ]
    yield Batch(NAME, 0, (), None, wants=wants)


def _about(
    reading: Reading[CampaignSettings], wishes: Sequence[Wish]
) -> dict[str, tuple[int | None, list[int]]]:
    """The event of each wish, and those of its sessions that it is about, by the campaign's key."""
    warehouse, client = reading.warehouse, reading.account.client_id
    sessions = {each.campaign_key: session_of(each.campaign_key) for each in wishes}
    named = {session for session in sessions.values() if session is not None}
    ids = {int(key) for key, session in sessions.items() if session is None}
    of_session = {
        each.session_id: each.event_id
        for each in (sessions_of_events(warehouse, client, named) if named else ())
    }
    of_event = {
        each.event_id: list(each.sessions)
        for each in (events(warehouse, client, ids) if ids else ())
    }
    return {
        key: (int(key), of_event.get(int(key), []))
        if session is None
        else (of_session.get(session), [session])
        for key, session in sessions.items()
    }


def _named(wish: Wish) -> str:
    """Names an address and what it is to be registered for: the session, or all of the event."""
    key = wish.campaign_key
    return f"event:{key}:{wish.email}" if session_of(key) is None else f"{key}:{wish.email}"


def _wanted(choices: CampaignSettings) -> str:
    return "\n".join(sorted(label.casefold() for label in choices.register_from))
