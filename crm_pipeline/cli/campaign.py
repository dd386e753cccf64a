"""`crm-pipeline campaign`: which event is which campaign, and reading events again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crm_pipeline.cli.arguments import AccountId, Yes, ids
from crm_pipeline.cli.campaign_look import campaigns_are_off, delays, explain, what_if
from crm_pipeline.cli.campaign_questions import (
    confirm_reading,
    confirm_registrants,
    read_again,
    storage_before_reading,
)
from crm_pipeline.cli.campaign_rehearse import rehearse
from crm_pipeline.cli.databases import transaction
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.next_cycle import say_of_next_cycle
from crm_pipeline.cli.org_metadata import write_metadata
from crm_pipeline.cli.show import counted, print_table, say

if TYPE_CHECKING:
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
    from crm_pipeline.salesforce.values import is_record_id

    account, chosen = _with_campaigns(account_id)
    try:
        key = typed(about)
    except ValueError as error:
        mistake(f"{error}.")
    events = _events_of(account, chosen, key)
    if events and chosen.from_salesforce != "off" and is_record_id(campaign_id):
        confirm_registrants(account_id, chosen, [campaign_id], yes=yes)
    storage = storage_before_reading(account_id, None, events) if events else None
    with transaction() as connection:
        try:
            add_campaign_link(connection, account_id, key, campaign_id)
        except ValueError as error:
            mistake(f"{error}.")
        if events:
            read_again(connection, account_id, events, storage=storage, yes=yes)
    what = "the campaigns of its events go below it" if key.startswith(SERIES) else "its members go"
    named = called(key)
    say(f"{named[0].upper()}{named[1:]} is campaign {campaign_id}; {what} there from now on.")


def _events_of(account: "Account", chosen: "CampaignSettings", key: str) -> list[int]:
    """The event that is to be read for a campaign; none for that of a series."""
    from crm_pipeline.database.engines import engine
    from crm_pipeline.ledger.campaign_keys import SERIES, session_of
    from crm_pipeline.settings import settings
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
    found = sessions_of_events(
        engine("warehouse"), account.client_id, [session], settings().warehouse_timezone
    )
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
    storage = storage_before_reading(account_id, None, chosen)
    with transaction() as connection:
        read_again(connection, account_id, chosen, storage=storage, yes=yes)
    say_of_next_cycle(
        account_id, f"The next cycles of {account_id} read again: {counted(len(chosen), 'event')}."
    )


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
        empty=f"No census of account {account_id} was taken yet, or none of its campaigns is of "
        "the last 90 days.",
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


def _with_campaigns(account_id: str) -> "tuple[Account, CampaignSettings]":
    """The account and its campaign settings; ends where it has campaigns off."""
    from crm_pipeline.accounts.store import get_account

    with transaction() as connection:
        account = get_account(connection, account_id)
    if account.settings.campaigns is None:
        campaigns_are_off(account_id)
    return account, account.settings.campaigns
