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
from crm_pipeline.ledger.campaign_wishes import (
    Wish,
    campaigns_to_ask,
    campaigns_were_asked,
    given_statuses,
    note_wishes,
    waiting_wishes,
    wishes_were_told,
)
from crm_pipeline.ledger.messages import MessageWant
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.sources.events import events

TOPIC = "registrants_from_campaigns"

_MEMBER = "CampaignMember"
_ASKED_AT_ONCE = 200
_WHOSE = ("CampaignId", "LeadId", "ContactId", "Status", "IsDeleted")
_PERSON = ("Email", "FirstName", "LastName", "HasOptedOutOfEmail")


def watches(choices: CampaignSettings) -> Sequence[Watched]:
    """The members of campaigns, where the account has them registered or invited."""
    if choices.from_salesforce == "off":
        return ()
    return (Watched(_MEMBER, (), context=_WHOSE, if_there=_PERSON, held_only=False),)


def asks(connection: Connection, account: Account, choices: CampaignSettings) -> Sequence[Ask]:
    """Members who were in linked campaigns before these were watched."""
    if choices.from_salesforce == "off":
        return ()
    found = campaigns_to_ask(connection, account.account_id, _wanted(choices), limit=_ASKED_AT_ONCE)
    return [Ask(_MEMBER, "CampaignId", tuple(found))] if found else ()


def take(taking: Taking[CampaignSettings]) -> Numbers:
    """Keeps the members who are to be registered or invited: never those who opted out."""
    choices, account_id = taking.choices, taking.account.account_id
    if choices.from_salesforce == "off":
        return {}
    asked = [campaign for ask in taking.asked for campaign in ask.values]
    campaigns_were_asked(taking.ledger, account_id, _wanted(choices), asked)
    wanted = {label.casefold() for label in choices.register_from}
    records = [
        each
        for each in taking.records.get(_MEMBER, ())
        if str(each.get("Status")).casefold() in wanted and not each.get("IsDeleted")
    ]
    if not records:
        return {}
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
    return {
        (TOPIC, "members_wanted"): note_wishes(taking.ledger, account_id, wishes),
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
    ids = {each.event_id for each in wishes}
    sessions = {
        event.event_id: event.sessions
        for event in events(reading.warehouse, account.client_id, ids)
    }
    wishes_were_told(ledger, account.account_id, [each.member_id for each in wishes])
    wants = [
        MessageWant(
            TOPIC,
            f"event:{each.event_id}:{each.email}",
            each.noticed_at,
            {
                "action": choices.from_salesforce,
                "event_id": each.event_id,
                "sessions": list(sessions.get(each.event_id, ())),
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


def _wanted(choices: CampaignSettings) -> str:
    return "\n".join(sorted(label.casefold() for label in choices.register_from))
