"""`crm-pipeline campaign explain`, `what-if` and `delays`: looks that change nothing."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from crm_pipeline.cli.arguments import AccountId, EventId
from crm_pipeline.cli.databases import transaction
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import counted, print_facts, print_table, say

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crm_pipeline.accounts.account import Account, AccountSettings
    from crm_pipeline.flows.campaigns.rules import Choices
    from crm_pipeline.ledger.campaigns import Said


def explain(
    account_id: AccountId,
    event_id: EventId,
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="The person's address.")],
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask the org, too, which status stands there: a call.")
    ] = False,
) -> None:
    """Say why a person has their status in an event's campaign, and what would change it.

    Of somebody who is no member it says why none of their rows in the warehouse is sent.
    """
    from crm_pipeline.flows.campaigns.explaining import explained
    from crm_pipeline.ledger.campaign_keys import called, key_of
    from crm_pipeline.ledger.campaigns import latest_intents, members_of_person, rows_as_activities
    from crm_pipeline.salesforce.emails import email_key

    key = email_key(email)
    with transaction() as connection:
        account = campaigns_on(connection, account_id)
        found = members_of_person(connection, account_id, event_id, key or "")
        names = [each.natural_key for each in found]
        known = latest_intents(connection, account_id, names)
        choices = _choices(connection, account, account.settings, known)
    if not found:
        _explain_rows(account, event_id, email)
        return
    members = [each.member_id for each in found if each.member_id]
    standing = _in_org(account_id, members) if ask and members else {}
    for each in found:
        there = standing.get(each.member_id or "", "is not there" if ask else "")
        said = known[each.natural_key]
        why = explained(said, choices, each.reason if each.state == "rejected" else None)
        with transaction() as connection:
            activities = rows_as_activities(connection, account_id, [row.row for row in why.rows])
        print_table(
            f"person:{each.person_key} in the campaign of {called(key_of(said.intent))}",
            ("row", "session", "says", "at", "activity"),
            [
                (row.row, row.session or "", row.stage, row.at, activities.get(row.row, ""))
                for row in why.rows
            ],
            empty="No row of theirs is known.",
        )
        print_facts(
            [
                ("sessions", ", ".join(f"{s}: {stage}" for s, stage in why.sessions.items())),
                ("rule", why.rule),
                ("wanted", why.wanted or "no status"),
                ("operation", f"{each.operation_id}, {each.state}"),
                (
                    "in the org",
                    f"{each.member_id} {there}".strip()
                    if each.member_id
                    else "no member of ours is known",
                ),
                ("would be changed by", why.changes),
            ]
        )


def _explain_rows(account: "Account", event_id: int, email: str) -> None:
    """Says why no row of an event makes whoever has an address a member of its campaign."""
    from crm_pipeline.database.engines import engine
    from crm_pipeline.sources.events import events
    from crm_pipeline.sources.unsent import UnsentRows

    warehouse = engine("warehouse")
    with transaction() as connection:
        found = events(warehouse, account.client_id, [event_id])
        if not found:
            mistake(f"The warehouse has no event {event_id} of this client.")
        rows = UnsentRows(connection, warehouse, account).of_person(email)
        told = [row for row in rows if row.event_session_id in found[0].sessions]
    if not told:
        mistake(
            f"Nobody with this address has to do with event {event_id} of {account.account_id}."
        )
    print_table(
        "No member of its campaign",
        ("row", "session", "why not"),
        [(row, session, why or "to be read by the next cycle") for row, session, why in told],
        empty="",
    )


def _in_org(account_id: str, member_ids: Sequence[str]) -> Mapping[str, str]:
    """What stands in the org of members, by Id; ends the command where it does not answer."""
    from crm_pipeline.cli.account_login import log_in_to, refuse
    from crm_pipeline.salesforce.composite import query_all
    from crm_pipeline.salesforce.errors import AccountStopped
    from crm_pipeline.salesforce.soql import in_list, select

    _, org, _ = log_in_to(account_id)
    fields = ("Id", "Status", "HasResponded", "LastModifiedDate")
    query = select(fields, "CampaignMember", in_list("Id", member_ids))
    try:
        [page] = query_all(org, [query]).records
    except AccountStopped as stopped:
        refuse(account_id, stopped)
    finally:
        org.log_out()
    return {
        each["Id"]: f"has the status {each['Status']}, "
        f"{'responded' if each['HasResponded'] else 'not responded'}, last changed "
        f"{each['LastModifiedDate']}"
        for each in page
    }


def what_if(
    account_id: AccountId,
    setting: Annotated[
        str, typer.Argument(metavar="SETTING=VALUE", help="As `account set` takes it.")
    ],
) -> None:
    """Say what a setting would make of members' statuses, before it is set; changes nothing.

    It goes by the stages that rows said when they were read: a word that gets another meaning
    (stage_of), other minutes that count as attended, and another wish to be spoken to count once
    rows are read again, which it says.
    """
    from crm_pipeline.accounts.account import AccountSettings
    from crm_pipeline.flows.campaigns.explaining import moved
    from crm_pipeline.ledger.campaigns import known_memberships, latest_intents
    from crm_pipeline.salesforce.budget import composite_calls
    from crm_pipeline.salesforce.data_storage import megabytes

    name, is_one, value = setting.partition("=")
    if not is_one:
        mistake(f"{setting!r} is not SETTING=VALUE.")
    with transaction() as connection:
        account = campaigns_on(connection, account_id)
        so_far = account.settings.model_dump(exclude_unset=True, mode="json")
        so_far.pop(name, None)
        after = AccountSettings.parse(account_id, {**so_far, name: value} if value else so_far)
        if after.campaigns is None:
            mistake(f"Account {account_id}: campaigns would be off; members stay as they are.")
        keys = known_memberships(connection, account_id)
        known = latest_intents(connection, account_id, keys)
        before_choices = _choices(connection, account, account.settings, known)
        after_choices = _choices(connection, account, after, known)
    numbers = moved(known, before_choices, after_choices)
    changed = {each: n for each, n in numbers.items() if each[0] != each[1]}
    print_table(
        "",
        ("from", "to", "members", "would respond today"),
        [
            (was, becomes, number, number if responds else 0)
            for (was, becomes, responds), number in sorted(changed.items())
        ],
        empty="No member's status would change.",
    )
    total = sum(changed.values())
    new = sum(number for (was, _, _), number in changed.items() if was == "none")
    calls = composite_calls({("CampaignMember", "update"): total}) if total else 0
    storage = f"{megabytes(new)} MB of data storage" if new else "no further data storage"
    responding = sum(number for (_, _, responds), number in changed.items() if responds)
    say(
        f"{counted(total, 'member')} of {sum(numbers.values())} would change: about "
        f"{counted(calls, 'API call')} to write them, {storage}; {responding} would "
        "get today's First Responded Date. A status that people gave stays where it means more."
    )
    if _read_by(before_choices) != _read_by(after_choices):
        say("The setting reads rows otherwise, too: what that changes is seen once it is set.")


def _read_by(choices: "Choices") -> object:
    """The choices by which a row says another stage, which is known of rows that are read only."""
    return choices.words, choices.settings.follow_up_when


def delays(account_id: AccountId, event_id: EventId) -> None:
    """Say how long it took from leaving the webinar to being seen in Salesforce."""
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.database.engines import engine
    from crm_pipeline.ledger.visits import delivered_attendances
    from crm_pipeline.settings import settings
    from crm_pipeline.sources.account_rows import account_rows
    from crm_pipeline.sources.computed import last_left_at
    from crm_pipeline.sources.events import events
    from crm_pipeline.sources.participations import ATTENDANCES

    warehouse = engine("warehouse")
    with transaction() as connection:
        account = get_account(connection, account_id)
        found = events(warehouse, account.client_id, [event_id])
        if not found:
            mistake(f"The warehouse has no event {event_id} of this client.")
        sessions = [session for event in found for session in event.sessions]
        seen_at = delivered_attendances(connection, account_id, sessions)
        rows = account_rows(connection, warehouse, account, backfilled=[])
        read = ATTENDANCES.named(rows.selection, seen_at.keys())
    zone = settings().warehouse_timezone
    left = {row.participation_id: last_left_at(row.columns, zone) for row in read}
    waits = sorted(
        (seen_at[row] - at).total_seconds() for row, at in left.items() if at is not None
    )
    if not waits:
        mistake(
            f"No attendance of event {event_id} of {account_id} is in the org, or none has minutes."
        )
    say(
        f"Event {event_id}: {counted(len(waits), 'attendance')}; from leaving to being seen in "
        f"Salesforce half of them took {_duration(waits[len(waits) // 2])} at most, the slowest "
        f"{_duration(waits[-1])}."
    )


_HOURS_OF_DAYS = 48
"""From so many on people think in days."""


def _duration(seconds: float) -> str:
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    if hours >= _HOURS_OF_DAYS:
        return f"{hours // 24} days {hours % 24} h"
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"


def campaigns_are_off(account_id: str) -> NoReturn:
    """Ends the command: it is about campaigns, and the account has none."""
    mistake(
        f"Account {account_id} has campaigns off: `crm-pipeline account set {account_id} "
        "campaigns={}` switches them on."
    )


def campaigns_on(connection: "Connection", account_id: str) -> "Account":
    """Returns an account that has campaigns on; else ends the command."""
    from crm_pipeline.accounts.store import get_account

    account = get_account(connection, account_id)
    if account.settings.campaigns is None:
        campaigns_are_off(account_id)
    return account


def _choices(
    connection: "Connection",
    account: "Account",
    settings: "AccountSettings",
    known: "Mapping[str, Said]",
) -> "Choices":
    """The choices that memberships go by, with the sessions that are over by now."""
    from crm_pipeline.accounts.campaigns import CampaignSettings
    from crm_pipeline.accounts.store import field_mappings
    from crm_pipeline.database.engines import engine
    from crm_pipeline.flows.campaigns.rules import Choices, member_map
    from crm_pipeline.flows.campaigns.stages import remembered
    from crm_pipeline.ledger.campaigns import campaign_links, linked_keys
    from crm_pipeline.ledger.sessions import sessions_over
    from crm_pipeline.sources.participations import tells_recordings

    sessions: Collection[int] = {
        word.session for said in known.values() for word in remembered(said).words.values()
    }
    chosen = settings.campaigns or CampaignSettings()
    return Choices(
        chosen,
        member_map(field_mappings(connection, account.account_id)),
        campaign_links(connection, account.account_id),
        linked_keys(connection, account.account_id),
        words=settings.words,
        people_from=settings.people_from_stages,
        over=sessions_over(connection, account.account_id, sessions, chosen.grace),
        recordings=tells_recordings(engine("warehouse")),
    )
