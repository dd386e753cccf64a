"""`crm-pipeline engagement`: what the engagement workflow needs of an org."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crm_pipeline.cli.arguments import AccountId, Yes, not_blank
from crm_pipeline.cli.databases import transaction
from crm_pipeline.cli.guards import agree
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.next_cycle import say_of_next_cycle
from crm_pipeline.cli.org_metadata import write_metadata
from crm_pipeline.cli.show import print_table, say

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crm_pipeline.accounts.account import Account, AccountSettings
    from crm_pipeline.accounts.engagement import EngagementSettings
    from crm_pipeline.salesforce.connection import Org
    from crm_pipeline.salesforce.data_storage import DataStorage
    from crm_pipeline.sources.engagement import Sizes

app = typer.Typer(help="The engagement workflow: prospects with tags, scores and pages.")

PERMISSION_SET = "Engagement_Workflow"


@app.callback()
def _group() -> None:
    pass


@app.command()
def metadata(
    account_id: AccountId,
    out: Annotated[Path, typer.Option(help="A folder; it must be empty, or not there yet.")],
) -> None:
    """Write what an admin deploys to the org: objects, fields and a permission set.

    `sf project deploy start` in that folder brings them there. What a package of the org brings is
    left out but for the rights on it.
    """
    account, chosen = engaged(account_id)
    write_metadata(account, chosen.org_objects, out, permission_set=PERMISSION_SET)


@app.command()
def resync(
    account_id: AccountId,
    prospect: Annotated[
        str | None,
        typer.Option(
            help="The source's id of one prospect; without: all of them.", callback=not_blank
        ),
    ] = None,
    *,
    yes: Yes = False,
) -> None:
    """Read all prospects, or one, in full with the next cycle, and send all of it anew.

    What people deleted or changed of it in the org is brought back; a prospect whose record they
    deleted stays deleted. One that the source no longer has is taken off the org, and what is
    exhausted is tried again.
    """
    from crm_pipeline.ledger.engagement import ALL, request_reading

    account, chosen = engaged(account_id)
    what = "all prospects in full, and sends anew all that is held of them"
    if prospect is None:
        _agree_to_all(account, chosen, storage_beforehand(account), yes=yes)
    with transaction() as connection:
        if prospect is not None:
            what = _of_one(connection, account, prospect)
        request_reading(connection, account_id, prospect or ALL, anew=True)
    say_of_next_cycle(account_id, f"The next cycle of account {account_id} reads {what}.")


def _of_one(connection: "Connection", account: "Account", prospect: str) -> str:
    """Says what a full reading of one prospect sends; ends for one that nobody knows."""
    from crm_pipeline.flows.engagement.topics import ALL_OF_THE_ORG
    from crm_pipeline.ledger.engagement import is_deleted_prospect, send_anew

    is_deleted = is_deleted_prospect(connection, account.account_id, prospect)
    if is_deleted is None and not _is_at_source(account, prospect):
        mistake(
            f"Account {account.account_id}: neither the ledger nor the source has a prospect "
            f"{prospect!r}; say the source's id of it."
        )
    held = send_anew(connection, account.account_id, ALL_OF_THE_ORG, [prospect], really=False)
    stays = (
        "; people deleted its record in the org, which stays so until the source changes the "
        "prospect, or they take it out of the bin"
    )
    return (
        f"prospect {prospect} in full, and sends anew what is held of it: {held} records, "
        f"{calls_said(held)}, and a few more where people deleted some of it"
        f"{stays if is_deleted else ''}"
    )


def _is_at_source(account: "Account", prospect: str) -> bool:
    from datetime import timedelta

    from crm_pipeline.database.engines import engine
    from crm_pipeline.sources.engagement import PROSPECTS, EngagementReading

    one = EngagementReading(
        engine("warehouse"), account.client_id, timedelta(), 1, prospect_ids=(prospect,)
    )
    return any(chunk.rows for chunk in PROSPECTS.read(one, None))


@app.command()
def census(account_id: AccountId) -> None:
    """Count the workflow's records in the org, the ledger and at the source, and compare them.

    Where the org has more or fewer than the ledger holds, these are named. Nothing is changed; the
    source is told. Exit status 1 where something differs.
    """
    from uuid import uuid4

    from crm_pipeline.cycle.cycle import sync_account
    from crm_pipeline.flows.engagement.topics import CENSUS
    from crm_pipeline.ledger.engagement_census import last_census, request_census

    engaged(account_id)
    with transaction() as connection:
        request_census(connection, account_id)
    report = sync_account(account_id, run_id=f"cli-{uuid4()}", steps=frozenset((CENSUS,)))
    if report.state != "Complete":
        mistake(f"Account {account_id}: {report.reason}")
    with transaction() as connection:
        counted = last_census(connection, account_id)
    columns = ("object", "at the source", "in the ledger", "in the org")
    rows = [(e.sobject, e.at_source, e.in_ledger, e.in_org) for e in counted]
    print_table("", columns, [["" if v is None else v for v in row] for row in rows], empty="")
    for each in counted:
        for records, how in ((each.not_seen, "not seen in the org"), (each.not_ours, "not ours")):
            if records:
                say(f"{each.sobject}, {how}: {', '.join(records)}")
    if differing := [each.sobject for each in counted if each.in_org != each.in_ledger]:
        mistake(
            f"Account {account_id}: the org and the ledger differ in {', '.join(differing)}. "
            "Nothing was changed; see whether the user of the account lacks a right."
        )


def storage_before_set(account_id: str, chosen: str | None) -> "DataStorage | None":
    """As `storage_beforehand`, for choices as they are typed; None also where these change nothing.

    Asked while no transaction is open.
    """
    from crm_pipeline.accounts.account import AccountSettings
    from crm_pipeline.accounts.store import get_account

    after = chosen and AccountSettings.parse(account_id, {"engagement": chosen}).engagement
    if not after or after.clean_up:
        return None
    with transaction() as connection:
        account = get_account(connection, account_id)
    return None if after == account.settings.engagement else storage_beforehand(account)


def storage_beforehand(account: "Account") -> "DataStorage | None":
    """Returns an org's data storage, for two calls; None where nothing is to be sent there.

    So it is where the org does not let us in, which people are told.
    """
    from crm_pipeline.cli.account_login import storage_of_org

    return storage_of_org(account.account_id) if _at_source(account).prospect else None


def confirm_engagement(
    connection: "Connection",
    before: "AccountSettings",
    account: "Account",
    storage: "DataStorage | None",
    *,
    yes: bool,
) -> None:
    """Says what it costs if the workflow was just switched on or changed, and has all said anew.

    Nothing changes unless the person agrees.
    """
    from crm_pipeline.flows.engagement.topics import ALL_OF_THE_ORG
    from crm_pipeline.ledger.engagement import count_records, request_reading

    chosen, former = account.settings.engagement, before.engagement
    if chosen == former:
        return
    had = {each.name for each in former.org_objects} if former else set()
    keeps = {each.name for each in chosen.org_objects} if chosen and not chosen.clean_up else set()
    held = count_records(connection, account.account_id, ALL_OF_THE_ORG, had - keeps)
    if chosen is None:
        if held:
            agree(
                f"{held} records of the engagement workflow stay in the org of account "
                f'{account.account_id}; `engagement={{"clean_up": true}}` and a cycle would take '
                "them off first.",
                "Leave them there?",
                yes=yes,
            )
        return
    if held or chosen.clean_up:
        agree(
            f"{held} records are to be deleted or emptied: {calls_said(held)}.",
            "Take them off?",
            yes=yes,
        )
    if not chosen.clean_up and (former is None or former.clean_up or not keeps < had):
        _agree_to_all(account, chosen, storage, yes=yes)
    request_reading(connection, account.account_id)


def _at_source(account: "Account") -> "Sizes":
    from crm_pipeline.sources.engagement import sizes_of

    return sizes_of(account.client_id)


def _agree_to_all(
    account: "Account",
    chosen: "EngagementSettings",
    storage: "DataStorage | None",
    *,
    yes: bool,
) -> None:
    """Says what a full reading of all prospects costs at most: calls, and storage in the org.

    And how much of it would wait, as the org has no room.
    """
    from crm_pipeline.salesforce.data_storage import megabytes

    there = _at_source(account)
    if not there.prospect:
        return
    pages = there.prospect_page if chosen.pages else 0
    own = there.definitions + there.prospect + there.given + pages
    copies = there.given + pages
    further = f"; of Accounts as many as {there.given} more" if chosen.accounts else ""
    if chosen.of_opportunities:
        further += ", and of each Opportunity what its Account has"
    agree(
        f"{there.prospect} prospects with {there.given} tags and scores"
        f"{f' and {pages} pages' if chosen.pages else ''}: {calls_said(own)} and "
        f"{megabytes(own)} MB of data storage; if each is one Lead or Contact, as many as "
        f"{calls_said(copies + 2 * there.prospect)} and {megabytes(copies)} MB more"
        f"{further}.{_room_said(storage, chosen, own + copies) if storage else ''}",
        "Send it?",
        yes=yes,
    )


def calls_said(records: int) -> str:
    """Returns the API calls that so many records take by composite calls, as words."""
    from crm_pipeline.salesforce.budget import composite_calls

    calls = composite_calls({("Record", "upsert"): records}) if records else 0
    return f"{calls} API call{'' if calls == 1 else 's'}"


def storage_said(org: "Org", settings: "AccountSettings") -> str:
    """Returns how much of an org's data storage is used and may be; empty: the workflow is off."""
    from crm_pipeline.salesforce.data_storage import data_storage

    if settings.engagement is None:
        return ""
    return _room_said(data_storage(org), settings.engagement)


def _room_said(storage: "DataStorage", chosen: "EngagementSettings", records: int = 0) -> str:
    """Says for how many records an org has room, and how many of some new ones would wait."""
    room = storage.room(chosen.storage_share)
    waiting = f"; {records - room} of these records would wait" if records > room else ""
    return (
        f" {storage.used} of {storage.limit} MB of the org's data storage are used; the engagement "
        f"workflow has room for {room} records below {chosen.storage_share:.0%}{waiting}."
    )


def engaged(account_id: str) -> "tuple[Account, EngagementSettings]":
    """Returns an account that has the engagement workflow on, and its choices; else ends."""
    from crm_pipeline.accounts.store import get_account

    with transaction() as connection:
        account = get_account(connection, account_id)
    if account.settings.engagement is None:
        mistake(
            f"Account {account_id} has the engagement workflow off; `crm-pipeline account set "
            f"{account_id} engagement={{}}` switches it on."
        )
    return account, account.settings.engagement
