"""`crm-pipeline campaign`: which event is which campaign, and reading events again."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crm_pipeline.cli.arguments import AccountId, Yes, ids
from crm_pipeline.cli.campaign_look import campaigns_are_off, delays, explain, what_if
from crm_pipeline.cli.campaign_rehearse import rehearse
from crm_pipeline.cli.databases import transaction
from crm_pipeline.cli.guards import agree
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.org_metadata import write_metadata
from crm_pipeline.cli.show import counted, print_table, say

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crm_pipeline.accounts.account import Account
    from crm_pipeline.accounts.campaigns import CampaignSettings

app = typer.Typer(help="Campaigns of accounts that have them on: links, progress, back-fills.")

app.command()(explain)
app.command("what-if")(what_if)
app.command()(delays)
app.command()(rehearse)


@app.command()
def link(
    account_id: AccountId,
    about: Annotated[
        str,
        typer.Argument(
            metavar="EVENT", help="The warehouse's id of it; or session:ID, or series:NAME."
        ),
    ],
    campaign_id: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="Its Salesforce Id.")],
    yes: Yes = False,
) -> None:
    """Name the campaign of an event, a session or a series; what it has so far goes there, too."""
    from crm_pipeline.ledger.campaign_keys import SERIES, called, typed
    from crm_pipeline.ledger.campaigns import add_campaign_link

    account, chosen = _with_campaigns(account_id)
    try:
        key = typed(about)
    except ValueError as error:
        mistake(f"{error}.")
    events = _events_of(account, chosen, key)
    with transaction() as connection:
        try:
            add_campaign_link(connection, account_id, key, campaign_id)
        except ValueError as error:
            mistake(f"{error}.")
        if events:
            _read_again(connection, account_id, events, yes=yes)
    what = "the campaigns of its events go below it" if key.startswith(SERIES) else "its members go"
    named = called(key)
    say(f"{named[0].upper()}{named[1:]} is campaign {campaign_id}; {what} there from now on.")


def _events_of(account: "Account", chosen: "CampaignSettings", key: str) -> list[int]:
    """The event that is to be read for a campaign; none for that of a series."""
    from crm_pipeline.database.engines import engine
    from crm_pipeline.ledger.campaign_keys import SERIES, session_of
    from crm_pipeline.settings import settings
    from crm_pipeline.sources.errors import ExtractError
    from crm_pipeline.sources.events import sessions_of_events

    session = session_of(key)
    there, what, setting = (
        (chosen.series_parent is not None, "series", "series_parent")
        if key.startswith(SERIES)
        else (chosen.of_events, "events", "grain")
        if session is None
        else (chosen.of_sessions, "sessions", "grain")
    )
    if not there:
        mistake(
            f"Account {account.account_id} has no campaigns of {what}: {setting} of its campaigns "
            "says of what there are some."
        )
    if session is None:
        return [] if key.startswith(SERIES) else [int(key)]
    try:
        found = sessions_of_events(
            engine("warehouse"), account.client_id, [session], settings().warehouse_timezone
        )
    except ExtractError as error:
        mistake(f"{error}.")
    if not found:
        mistake(f"The warehouse has no session {session} of this client.")
    return [each.event_id for each in found]


@app.command()
def backfill(
    account_id: AccountId,
    events: Annotated[
        list[int] | None,
        typer.Argument(metavar="[EVENT]...", help="By default all events.", callback=ids),
    ] = None,
    yes: Yes = False,
) -> None:
    """Read events again from their start, some in each cycle; says first what that costs."""
    from crm_pipeline.ledger.campaigns import known_events

    with transaction() as connection:
        chosen = events or known_events(connection, account_id)
        if not chosen:
            mistake(f"Account {account_id} has no campaign yet; name the events to read.")
        _read_again(connection, account_id, chosen, yes=yes)
    say(f"The next cycles of {account_id} read again: {counted(len(chosen), 'event')}.")


@app.command("list")
def list_(account_id: AccountId) -> None:
    """List an account's events with their campaigns, members and back-fills.

    `no-shows back`: members who were no-shows until an attendance was shipped late.
    """
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.ledger.campaigns import overview

    with transaction() as connection:
        account = get_account(connection, account_id)
        rows = overview(connection, account_id)
    if not rows and account.settings.campaigns is None:
        campaigns_are_off(account_id)
    print_table(
        "",
        ("about", "campaign", "link", "members", "waiting", "no-shows back", "read again"),
        [
            (
                row.campaign_key,
                row.campaign_id,
                row.link,
                row.members,
                row.waiting,
                row.no_shows_taken_back,
                row.done_at or (row.requested_at and f"{row.backfill_rows} rows wait"),
            )
            for row in rows
        ],
        empty=f"Account {account_id} has no campaign yet.",
    )


@app.command()
def metadata(
    account_id: AccountId,
    out: Annotated[Path, typer.Option(help="A folder; it must be empty, or not there yet.")],
) -> None:
    """Write what an admin deploys: fields with help, a permission set, a report type, reports.

    `sf project deploy start` in that folder brings them there; `campaign map` fills them then.
    """
    from crm_pipeline.accounts.webinar_objects import FIELDS, OBJECTS
    from crm_pipeline.salesforce.report_metadata import reports

    account, chosen = _with_campaigns(account_id)
    statuses = (chosen.follow_up_requested if chosen.follow_up_when else None, chosen.attended)
    further = reports(
        campaign_type=chosen.campaign_type,
        to_call=[each.label for each in statuses if each is not None],
        fields={
            sobject: [each.name for each in FIELDS if each.sobject == sobject and each.source]
            for sobject in ("Campaign", "CampaignMember")
        },
    )
    write_metadata(account, OBJECTS, out, permission_set="Webinars", further=further)


@app.command()
def census(account_id: AccountId) -> None:
    """Show the last count of campaigns' members in the org, and ask for the next one."""
    from crm_pipeline.ledger.campaign_census import last_campaign_census, request_campaign_census

    _with_campaigns(account_id)
    with transaction() as connection:
        counted = last_campaign_census(connection, account_id)
        request_campaign_census(connection, account_id)
    print_table(
        "",
        (
            "about",
            "campaign",
            "to be there",
            "there",
            "not sent yet",
            "missing",
            "other status",
            "at",
        ),
        [
            (
                each.campaign_key,
                each.campaign_id,
                each.expected,
                each.in_org,
                each.waiting,
                ", ".join(f"person:{key}" for key in each.missing),
                len(each.changed),
                each.taken_at,
            )
            for each in counted
        ],
        empty=f"No census of account {account_id} was taken yet.",
    )
    say("The next cycle takes another one.")


@app.command("map")
def map_(account_id: AccountId, yes: Yes = False) -> None:
    """Fill the fields that `campaign metadata` deploys, where the warehouse has their columns.

    A field that the account maps already stays as it is. Says first what reading again costs.
    """
    from crm_pipeline.accounts.store import FieldMapping, field_mappings, set_field_mapping
    from crm_pipeline.accounts.webinar_objects import FIELDS
    from crm_pipeline.database.engines import engine
    from crm_pipeline.sources.computed import needed_for
    from crm_pipeline.sources.events import event_columns
    from crm_pipeline.sources.participations import columns

    _with_campaigns(account_id)
    warehouse = engine("warehouse")
    there = {"Campaign": event_columns(warehouse), "CampaignMember": columns(warehouse)}
    with transaction() as connection:
        mapped = {(m.sobject, m.field) for m in field_mappings(connection, account_id)}
        new = [
            FieldMapping(each.sobject, each.name, source=each.source)
            for each in FIELDS
            if each.source is not None
            and (each.sobject, each.name) not in mapped
            and needed_for(each.source) in there[each.sobject]
        ]
        for mapping in new:
            set_field_mapping(connection, account_id, mapping)
        confirm_reading(connection, account_id, yes=yes)
    say(f"Account {account_id} fills {counted(len(new), 'field')} more.")


def confirm_from_salesforce(account_id: str, chosen: str | None, *, yes: bool) -> None:
    """Says how many members the platform would be told of, where that is switched on or changed.

    It asks the org, which is a call. Nothing changes unless the person agrees.

    Args:
        account_id: the account.
        chosen: its campaign settings as they are typed.
        yes: whether they agreed beforehand.
    """
    from crm_pipeline.accounts.account import AccountSettings
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.cli.account_login import log_in_to
    from crm_pipeline.ledger.campaigns import linked_campaigns
    from crm_pipeline.salesforce.counting import count_records
    from crm_pipeline.salesforce.soql import in_list

    after = AccountSettings.parse(account_id, {"campaigns": chosen}).campaigns if chosen else None
    if after is None or after.from_salesforce == "off":
        return
    with transaction() as connection:
        before = get_account(connection, account_id).settings.campaigns
        campaigns = sorted(linked_campaigns(connection, account_id))
    wanted = (after.from_salesforce, after.register_from)
    if not campaigns or (before and (before.from_salesforce, before.register_from) == wanted):
        return
    _, org, _ = log_in_to(account_id)
    try:
        members = 0
        for start in range(0, len(campaigns), _CAMPAIGNS_COUNTED):
            some = in_list("CampaignId", campaigns[start : start + _CAMPAIGNS_COUNTED])
            condition = f"{some} AND {in_list('Status', after.register_from)}"
            members += count_records(org, {"CampaignMember": condition})["CampaignMember"] or 0
    finally:
        org.log_out()
    what = "registered" if after.from_salesforce == "register" else "invited"
    agree(
        f"{counted(members, 'member')} of {counted(len(campaigns), 'campaign')} have one of these "
        f"statuses: the platform is told to have them {what}, but for those who opted out of email "
        f"or have their status from us, {after.most_registrations_per_cycle} in a cycle at most.",
        "Have it told?",
        yes=yes,
    )


_CAMPAIGNS_COUNTED = 500


def _with_campaigns(account_id: str) -> "tuple[Account, CampaignSettings]":
    """The account and its campaign settings; ends where it has campaigns off."""
    from crm_pipeline.accounts.store import get_account

    with transaction() as connection:
        account = get_account(connection, account_id)
    if account.settings.campaigns is None:
        campaigns_are_off(account_id)
    return account, account.settings.campaigns


def confirm_reading(connection: "Connection", account_id: str, *, yes: bool) -> None:
    """Says what it will cost if a setting that was just changed has members read again.

    Campaigns that are switched on read all that there is, and some settings read it again.
    Nothing changes unless the person agrees.
    """
    from crm_pipeline.accounts.store import field_mappings, get_account
    from crm_pipeline.database.engines import engine
    from crm_pipeline.flows.campaigns.back_fill import to_be_read_again, were_read
    from crm_pipeline.sources.errors import ExtractError
    from crm_pipeline.sources.events import check_event_columns, event_volumes

    account = get_account(connection, account_id)
    chosen = account.settings.campaigns
    if chosen is None:
        return
    warehouse = engine("warehouse")
    first = not were_read(connection, account)
    overrides = field_mappings(connection, account_id)
    try:
        check_event_columns(warehouse, overrides, chosen.series_parent)
        if first:
            volumes = event_volumes(warehouse, account.client_id)
        else:
            volumes = to_be_read_again(connection, warehouse, account, chosen)
    except ExtractError as error:
        mistake(f"{error}.")
    if any(volumes.values()):
        _confirm(connection, account, volumes, at_once=first, yes=yes)


def _read_again(
    connection: "Connection", account_id: str, event_ids: Collection[int], *, yes: bool
) -> None:
    """Queues events, after saying what that will cost."""
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.database.engines import engine
    from crm_pipeline.ledger.campaigns import queue_backfill
    from crm_pipeline.sources.errors import ExtractError
    from crm_pipeline.sources.events import event_volumes

    account = get_account(connection, account_id)
    chosen = account.settings.campaigns
    if chosen is None:
        campaigns_are_off(account_id)
    try:
        volumes = event_volumes(engine("warehouse"), account.client_id, event_ids)
    except ExtractError as error:
        mistake(f"{error}.")
    if unknown := set(event_ids) - volumes.keys():
        mistake(f"The warehouse has no event {min(unknown)} of this client.")
    _confirm(connection, account, volumes, yes=yes)
    queue_backfill(connection, account_id, volumes)


def _confirm(
    connection: "Connection",
    account: "Account",
    volumes: Mapping[int, int],
    *,
    at_once: bool = False,
    yes: bool,
) -> None:
    """Asks whether so many rows by event are to be read; `at_once`: in one cycle."""
    from crm_pipeline.accounts.campaigns import CampaignSettings
    from crm_pipeline.database.engines import engine
    from crm_pipeline.ledger.campaign_keys import SERIES, session_of
    from crm_pipeline.ledger.campaigns import linked_keys
    from crm_pipeline.salesforce.budget import backfill_calls
    from crm_pipeline.salesforce.data_storage import RECORDS_OF_A_CAMPAIGN, megabytes
    from crm_pipeline.sources.errors import ExtractError
    from crm_pipeline.sources.events import attendances_of, events

    chosen = account.settings.campaigns or CampaignSettings()
    warehouse = engine("warehouse")
    rows = sum(volumes.values())
    cycles = 1 if at_once else -(-rows // chosen.backfill_rows_per_cycle) or 1
    campaigns, levels = len(volumes), 1
    try:
        attended = attendances_of(warehouse, account.client_id, volumes)
        found = events(warehouse, account.client_id, volumes) if chosen.of_sessions else []
    except ExtractError as error:
        mistake(f"{error}.")
    if chosen.of_sessions:
        campaigns = sum(len(event.sessions) + chosen.of_events for event in found)
        levels += chosen.of_events
    members = rows * levels
    storage = megabytes(members + RECORDS_OF_A_CAMPAIGN * campaigns)
    staying = sum(
        not (chosen.of_events if session_of(key) is None else chosen.of_sessions)
        for key in linked_keys(connection, account.account_id)
        if not key.startswith(SERIES)
    )
    responded = "" if attended is None else f", {attended * levels} at most"
    stay = f" {counted(staying, 'campaign')} of another grain stay, with their members."
    agree(
        f"{counted(len(volumes), 'event')} with {rows} registrations and attendances are to be "
        f"read: at most {backfill_calls(campaigns, members)} API calls, over about "
        f"{counted(cycles, 'cycle')}. What is new takes {storage} MB of "
        f"data storage at most, and who has responded gets today's First Responded Date{responded}."
        f"{stay if staying else ''}",
        "Read them?",
        yes=yes,
    )
