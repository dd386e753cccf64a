"""Needs of attribution in an org and its costs, said before it is switched on."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from crm_pipeline.cli.guards import agree

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crm_pipeline.accounts.account import Account, AccountSettings
    from crm_pipeline.accounts.store import FieldMapping
    from crm_pipeline.salesforce.connection import Org


def confirm_attribution(
    connection: "Connection", before: "AccountSettings", account: "Account", *, yes: bool
) -> None:
    """Says what it costs if attribution was just switched on, or more is sent by other choices.

    Nothing changes unless the person agrees.
    """
    from crm_pipeline.accounts.templates import columns_of
    from crm_pipeline.database.engines import engine
    from crm_pipeline.salesforce.budget import composite_calls, lookup_calls
    from crm_pipeline.sources.tracked_leads import check_columns, count_leads

    chosen = account.settings.attribution
    if chosen is None:
        return
    if before.attribution is None or chosen.further_fields != before.attribution.further_fields:
        check_columns(engine("warehouse"), columns_of(chosen.further_fields))
    if _confirm_anew(connection, before, account, yes=yes):
        return
    leads = count_leads(account.client_id)
    if not leads:
        return
    calls = lookup_calls(leads) + composite_calls({("Lead", "create"): leads})
    agree(
        f"{leads} tracked leads are to be read: at most {calls} API calls; and before the first "
        "caller is looked for, the org's phone numbers are read once: a call for each 10,000 "
        f"leads and contacts (`crm-pipeline account test-login {account.account_id}` counts them).",
        "Read them?",
        yes=yes,
    )


def _confirm_anew(
    connection: "Connection", before: "AccountSettings", account: "Account", *, yes: bool
) -> bool:
    """Says what it costs if leads that were read are judged or said by other choices.

    Returns:
        Whether any were read.
    """
    from crm_pipeline.accounts.store import filter_strings
    from crm_pipeline.flows.attribution.rules import LeadChoices, fingerprint, judged_otherwise
    from crm_pipeline.ledger.tracked_leads import count_lead_people, kept_leads
    from crm_pipeline.salesforce.budget import composite_calls, lookup_calls

    account_id = account.account_id
    former, chosen = before.attribution, account.settings.attribution
    if chosen is None or former is None or next(kept_leads(connection, account_id), None) is None:
        return False
    filters = filter_strings(connection, account_id)
    by = LeadChoices(chosen, filters, account.settings.start_at)
    if by.digest != LeadChoices(former, filters, before.start_at).digest:
        leads = kept_leads(connection, account_id)
        number = sum(1 for _ in judged_otherwise(leads, by))
        calls = lookup_calls(number) + composite_calls({("Lead", "create"): number})
        again = chosen.phone_region != former.phone_region
        agree(
            f"{number} tracked leads have another number by this, or are sent or left out "
            f"otherwise than before: at most {calls} API calls"
            f"{'; and the phone numbers of the org are read again' if again else ''}.",
            "Judge them anew?",
            yes=yes,
        )
    people = count_lead_people(connection, account_id)
    if people and fingerprint(chosen) != fingerprint(former):
        calls = composite_calls({("Lead", "update"): people}) + lookup_calls(people)
        agree(
            f"What is wanted of {people} people with tracked leads is said anew: at most "
            f"{calls} API calls.",
            "Say it anew?",
            yes=yes,
        )
    return True


def attribution_fields(settings: "AccountSettings") -> "Iterator[FieldMapping]":
    """The fields of the org that hold an account's attribution."""
    from crm_pipeline.accounts.store import FieldMapping

    if settings.attribution is not None:
        for field, _ in settings.attribution.written_fields():
            yield FieldMapping("Lead", field)
            yield FieldMapping("Contact", field)


def numbers_to_read(org: "Org", settings: "AccountSettings") -> str:
    """Returns how many people of the org have a number, and the calls to read them; empty: off."""
    from math import ceil

    from crm_pipeline.salesforce.limits import COMPOSITE_QUERIES_OR_COLLECTIONS, QUERY_PAGE
    from crm_pipeline.salesforce.numbers import count_numbers

    if settings.attribution is None:
        return ""
    people = count_numbers(org)
    calls = ceil(people / (COMPOSITE_QUERIES_OR_COLLECTIONS * QUERY_PAGE)) or 1
    return (
        f" {people} leads and contacts have a phone number: these are read once, in about "
        f"{calls} API call{'' if calls == 1 else 's'}."
    )
