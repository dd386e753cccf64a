"""Questions before campaigns are read or registrants are told: how much, and what it costs."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from crm_pipeline.cli.campaign_look import campaigns_are_off
from crm_pipeline.cli.databases import transaction
from crm_pipeline.cli.guards import agree
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import counted

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crm_pipeline.accounts.account import Account
    from crm_pipeline.accounts.campaigns import CampaignSettings
    from crm_pipeline.salesforce.data_storage import DataStorage


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
    from crm_pipeline.ledger.campaigns import linked_campaigns

    after = AccountSettings.parse(account_id, {"campaigns": chosen}).campaigns if chosen else None
    if after is None or after.from_salesforce == "off":
        return
    with transaction() as connection:
        before = get_account(connection, account_id).settings.campaigns
        campaigns = sorted(linked_campaigns(connection, account_id))
    wanted = (after.from_salesforce, after.register_from)
    if not before or (before.from_salesforce, before.register_from) != wanted:
        confirm_registrants(account_id, after, campaigns, yes=yes)


def confirm_registrants(
    account_id: str, chosen: "CampaignSettings", campaigns: Sequence[str], *, yes: bool
) -> None:
    """Says how many members of some campaigns the platform would be told of.

    It asks the org, a call for 500 campaigns.
    """
    from crm_pipeline.cli.account_login import log_in_to
    from crm_pipeline.salesforce.counting import count_records
    from crm_pipeline.salesforce.soql import in_list

    if not campaigns:
        return
    _, org, _ = log_in_to(account_id)
    try:
        members = 0
        for start in range(0, len(campaigns), _CAMPAIGNS_COUNTED):
            some = in_list("CampaignId", campaigns[start : start + _CAMPAIGNS_COUNTED])
            condition = f"{some} AND {in_list('Status', chosen.register_from)}"
            members += count_records(org, {"CampaignMember": condition})["CampaignMember"] or 0
    finally:
        org.log_out()
    what = "registered" if chosen.from_salesforce == "register" else "invited"
    agree(
        f"{counted(members, 'member')} of {counted(len(campaigns), 'campaign')} have one of these "
        f"statuses: the platform is told to have them {what}, but for those who opted out of email "
        f"or have their status from us, {chosen.most_registrations_per_cycle} in a cycle at most.",
        "Have it told?",
        yes=yes,
    )


_CAMPAIGNS_COUNTED = 500


def storage_before_reading(
    account_id: str, chosen: str | None, event_ids: Collection[int] | None = None
) -> "DataStorage | None":
    """Returns the org's data storage, for two calls, where reading campaigns may make much there.

    Asked while no transaction is open. None: there is little to make, or the org does not say.

    Args:
        account_id: the account.
        chosen: campaign settings as they are typed: much is made where they switch campaigns on, or
            choose another grain. None: events are read again as they are chosen already.
        event_ids: the events; None: all.
    """
    from crm_pipeline.accounts.account import AccountSettings
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.cli.account_login import storage_of_org
    from crm_pipeline.database.engines import engine
    from crm_pipeline.delivery.storage import ASKED_FROM
    from crm_pipeline.sources.events import event_volumes

    with transaction() as connection:
        account = get_account(connection, account_id)
    before = account.settings.campaigns
    if chosen is not None:
        after = AccountSettings.parse(account_id, {"campaigns": chosen}).campaigns
        if after is None or (before is not None and before.grain == after.grain):
            return None
    volumes = event_volumes(engine("warehouse"), account.client_id, event_ids)
    return storage_of_org(account_id) if sum(volumes.values()) >= ASKED_FROM else None


def confirm_reading(
    connection: "Connection",
    account_id: str,
    *,
    storage: "DataStorage | None" = None,
    yes: bool,
) -> None:
    """Says what it will cost if a setting that was just changed has members read again.

    Campaigns that are switched on read all that there is, and some settings read it again.
    Nothing changes unless the person agrees. `storage` is the org's, where it was asked for.
    """
    from crm_pipeline.accounts.store import field_mappings, get_account
    from crm_pipeline.database.engines import engine
    from crm_pipeline.flows.campaigns.back_fill import to_be_read_again, were_read
    from crm_pipeline.sources.events import check_event_columns, event_volumes

    account = get_account(connection, account_id)
    chosen = account.settings.campaigns
    if chosen is None:
        return
    warehouse = engine("warehouse")
    first = not were_read(connection, account)
    overrides = field_mappings(connection, account_id)
    check_event_columns(warehouse, overrides, chosen.series_parent)
    if first:
        volumes = event_volumes(warehouse, account.client_id)
    else:
        volumes = to_be_read_again(connection, warehouse, account, chosen)
    if any(volumes.values()):
        _confirm(connection, account, volumes, at_once=first, storage=storage, yes=yes)


def read_again(
    connection: "Connection",
    account_id: str,
    event_ids: Collection[int],
    *,
    storage: "DataStorage | None",
    yes: bool,
) -> None:
    """Queues events, after saying what that will cost."""
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.database.engines import engine
    from crm_pipeline.ledger.campaigns import queue_backfill
    from crm_pipeline.sources.events import event_volumes

    account = get_account(connection, account_id)
    chosen = account.settings.campaigns
    if chosen is None:
        campaigns_are_off(account_id)
    volumes = event_volumes(engine("warehouse"), account.client_id, event_ids)
    if unknown := set(event_ids) - volumes.keys():
        mistake(f"The warehouse has no event {min(unknown)} of this client.")
    _confirm(connection, account, volumes, storage=storage, yes=yes)
    queue_backfill(connection, account_id, volumes)


def _confirm(
    connection: "Connection",
    account: "Account",
    volumes: Mapping[int, int],
    *,
    at_once: bool = False,
    storage: "DataStorage | None",
    yes: bool,
) -> None:
    """Asks whether so many rows by event are to be read; `at_once`: in one cycle."""
    from crm_pipeline.accounts.campaigns import CampaignSettings
    from crm_pipeline.database.engines import engine
    from crm_pipeline.ledger.campaign_keys import SERIES, session_of
    from crm_pipeline.ledger.campaigns import linked_keys
    from crm_pipeline.salesforce.budget import backfill_calls
    from crm_pipeline.salesforce.data_storage import RECORDS_OF_A_CAMPAIGN, megabytes
    from crm_pipeline.sources.events import attendances_of, events

    chosen = account.settings.campaigns or CampaignSettings()
    warehouse = engine("warehouse")
    rows = sum(volumes.values())
    cycles = 1 if at_once else -(-rows // chosen.backfill_rows_per_cycle) or 1
    campaigns, levels = len(volumes), 1
    attended = attendances_of(warehouse, account.client_id, volumes)
    found = events(warehouse, account.client_id, volumes) if chosen.of_sessions else []
    if chosen.of_sessions:
        campaigns = sum(len(event.sessions) + chosen.of_events for event in found)
        levels += chosen.of_events
    members = rows * levels
    needed = megabytes(members + RECORDS_OF_A_CAMPAIGN * campaigns)
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
        f"{counted(cycles, 'cycle')}. What is new takes {needed} MB of "
        f"data storage at most{_free(storage, needed)}, and who "
        f"has responded gets today's First Responded Date{responded}."
        f"{stay if staying else ''}",
        "Read them?",
        yes=yes,
    )


def _free(storage: "DataStorage | None", needed: int) -> str:
    if storage is None:
        return ""
    free = storage.limit - storage.used
    waits = (
        "; the rest is refused, or waits where there is a storage_share" if needed > free else ""
    )
    return f" ({free} of {storage.limit} MB are free{waits})"
