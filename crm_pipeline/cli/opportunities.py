"""Needs of opportunities that come back, and triggers that another filter would fire."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from crm_pipeline.cli.arguments import AccountId
from crm_pipeline.cli.databases import transaction
from crm_pipeline.cli.guards import agree
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import print_table, say

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crm_pipeline.accounts.account import Account, AccountSettings
    from crm_pipeline.accounts.store import FieldMapping
    from crm_pipeline.salesforce.connection import Org
    from crm_pipeline.salesforce.describe import SObjectSchema

OPPORTUNITY = "Opportunity"
OPPORTUNITY_OBJECTS = (
    OPPORTUNITY,
    "OpportunityContactRole",
    "OpportunityHistory",
    "OpportunityStage",
)
"""Objects that are read, and never written."""

_NAMED = 10
"""Opportunities that are named by their Ids."""


def opportunities(account_id: AccountId) -> None:
    """Show what the platform was told of an account's opportunities, and which wait, and why."""
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.database.statements import statement

    with transaction() as connection:
        get_account(connection, account_id)
        whose = {"account_id": account_id}
        told = connection.execute(statement("opportunities/values_told"), whose).all()
        waiting = connection.execute(statement("opportunities/waiting"), whose).all()
    print_table(
        "told to the platform",
        ("standing", "currency", "opportunities", "amount", "closed amount"),
        [
            (
                row.standing,
                row.currency,
                row.opportunities,
                f"{row.amount or 0:,.2f}",
                f"{row.closed_amount or 0:,.2f}",
            )
            for row in told
        ],
        empty=f"Nothing of an opportunity of account {account_id} was told.",
    )
    print_table(
        "waiting",
        ("reason", "opportunities", "such as"),
        [(row.waits_because, row.opportunities, ", ".join(row.some)) for row in waiting],
        empty=f"No opportunity of account {account_id} waits.",
    )


def confirm_filter(
    connection: "Connection", before: "AccountSettings", account: "Account", *, yes: bool
) -> None:
    """Says for which opportunities another filter fires, as they stand, before it is taken.

    Nothing changes unless the person agrees. Ends the command where the filter is refused
    (`refuse_filter`).
    """
    from crm_pipeline.database.statements import statement
    from crm_pipeline.flows.attribution.filter import would_fire
    from crm_pipeline.ledger.opportunities import live_opportunities
    from crm_pipeline.salesforce.describe import SObjectSchema

    chosen = account.settings.attribution
    if chosen is None or not chosen.opportunity_filter:
        return
    if before.attribution is not None:
        was = before.attribution.opportunity_filter, before.attribution.filter_fires_again
        if was == (chosen.opportunity_filter, chosen.filter_fires_again):
            return
    whose = {"account_id": account.account_id}
    known = connection.execute(statement("ledger/known_schemas"), whose)
    refuse_filter(account, [SObjectSchema.from_json(row.schema) for row in known])
    preview = would_fire(live_opportunities(connection, account.account_id), chosen)
    if not preview.fires and not preview.unknown:
        say("As opportunities stand, the filter fires for none that it has not fired for.")
        return
    sums = ", ".join(
        f"{amount:.2f} {code or 'in the currency of the org'}"
        for code, amount in sorted(preview.sums(chosen.currency).items(), key=str)
    )
    ids = [each.opportunity_id for each in preview.fires]
    said = f"The filter fires for {len(ids)} opportunities as they stand"
    if ids:
        more = ", …" if len(ids) > _NAMED else ""
        said += f", {sums} in all: {', '.join(ids[:_NAMED])}{more}"
    if preview.unknown:
        said += (
            f"; {preview.unknown} were read without a field that it asks for: they are read again "
            "and judged then"
        )
    agree(f"{said}.", "Take the filter?", yes=yes)


def opportunities_to_read(org: "Org", settings: "AccountSettings") -> str:
    """Returns how many opportunities and roles the first reading finds, and its calls; empty: off.

    Asks the org, in one call.

    Raises:
        SalesforceProblem: as `composite`.
    """
    from datetime import timedelta
    from math import ceil

    from crm_pipeline.salesforce.composite import Subrequest, composite, query_path
    from crm_pipeline.salesforce.limits import QUERY_PAGE
    from crm_pipeline.salesforce.soql import count, since

    chosen = settings.attribution
    if chosen is None or not chosen.triggers:
        return ""
    begin = org.org_time - timedelta(days=chosen.first_reading_days)
    found = composite(
        org,
        [
            Subrequest(name, "GET", query_path(count(name, since("SystemModstamp", begin))))
            for name in (OPPORTUNITY, "OpportunityContactRole")
        ],
    )
    if any(each.error is not None for each in found):
        return ""  # The rights that are lacking are named with all others.
    number, roles = (int(each.body["totalSize"]) for each in found)
    # A page more, and those for the leads that became them or their contacts.
    calls = max(ceil(number / QUERY_PAGE), ceil(roles / QUERY_PAGE)) + 3
    return (
        f" {number} opportunities and {roles} contact roles changed in the last "
        f"{chosen.first_reading_days} days: the first reading takes about {calls} API calls."
    )


def refuse_filter(account: "Account", described: "Iterable[SObjectSchema]") -> None:
    """Ends the command where a condition of the filter can never hold or fail by its value.

    Args:
        account: whose settings have the filter.
        described: the org's objects, as far as they are known.
    """
    from crm_pipeline.flows.attribution.filter import STANDARD_TYPES, never_compared

    types = {name.lower(): known for name, known in STANDARD_TYPES.items()}
    for schema in described:
        if schema.name == OPPORTUNITY:
            types |= {name.lower(): field.type for name, field in schema.fields.items()}
    chosen = account.settings.attribution
    for each in () if chosen is None else chosen.opportunity_filter:
        if wanted := never_compared(each, types.get(each.field.lower())):
            said = ", ".join(each.value) if isinstance(each.value, tuple) else each.value
            mistake(
                f"Account {account.account_id}: opportunity_filter: {each.field} {each.operator} "
                f"{said!r} compares with nothing. Name {wanted}."
            )


def opportunity_fields(settings: "AccountSettings") -> "Iterator[FieldMapping]":
    """The fields of opportunities and around them that are read for an account."""
    from crm_pipeline.accounts.store import FieldMapping
    from crm_pipeline.flows.attribution.opportunities import watches

    if settings.attribution is not None:
        for watched in watches(settings.attribution):
            if watched.sobject in OPPORTUNITY_OBJECTS:
                for field in (*watched.context, *watched.named):
                    yield FieldMapping(watched.sobject, field)


def say_currency_to_name(settings: "AccountSettings", described: "Iterable[SObjectSchema]") -> None:
    """Says so where neither the org nor the account names the currency of amounts."""
    chosen = settings.attribution
    if chosen is None or chosen.currency is not None:
        return
    for schema in described:
        if schema.name == OPPORTUNITY and schema.field("CurrencyIsoCode") is None:
            say(
                "The org has one currency and does not name it: amounts are told without one. Name "
                'it in the account\'s attribution: {"currency": "EUR"}.'
            )
