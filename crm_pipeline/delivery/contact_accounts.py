"""The Account of new Contacts: none, one for all, or the one whose website is at their domain."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from crm_pipeline.delivery.decisions import Decision
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.salesforce.composite import query_all
from crm_pipeline.salesforce.matching import created_at
from crm_pipeline.salesforce.soql import quote, select

ACCOUNT_ID = "AccountId"

DOMAINS_PER_QUERY = 100

FREE_MAIL = frozenset(
    (
        *("gmail.com", "googlemail.com", "outlook.com", "outlook.de", "outlook.fr"),
        *("hotmail.com", "hotmail.co.uk", "hotmail.de", "hotmail.fr", "hotmail.it", "live.com"),
        *("live.co.uk", "msn.com", "yahoo.com", "yahoo.co.uk", "yahoo.co.in", "yahoo.co.jp"),
        *("yahoo.de", "yahoo.fr", "yahoo.it", "yahoo.es", "ymail.com", "icloud.com", "me.com"),
        *("mac.com", "aol.com", "gmx.com", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "web.de"),
        *("t-online.de", "freenet.de", "mail.com", "mail.ru", "yandex.ru", "yandex.com"),
        *("proton.me", "protonmail.com", "qq.com", "163.com", "126.com", "naver.com"),
        *("orange.fr", "free.fr", "laposte.net", "wanadoo.fr", "sfr.fr", "libero.it"),
        *("virgilio.it", "comcast.net", "verizon.net", "att.net", "btinternet.com", "sky.com"),
        *("bluewin.ch", "zoho.com", "hey.com"),
    )
)
"""Domains at which anybody may have an address."""


def with_accounts(
    desk: Desk, decisions: Sequence[Decision], address_of: Mapping[int, str]
) -> list[Decision]:
    """Returns the decisions, new Contacts with their Account as the account's settings say.

    By domain it asks the org: a call for 500 domains.

    Args:
        desk: the account's delivery.
        decisions: about people.
        address_of: the address of each, by operation.
    """
    chosen = desk.chosen.contact_account
    new = {
        each.operation_id
        for each in decisions
        if each.action == "create" and each.sobject == "Contact" and ACCOUNT_ID not in each.fields
    }
    if chosen == "none" or not new:
        return list(decisions)
    if chosen != "by_domain":
        accounts = dict.fromkeys(new, chosen)
    else:
        domain_of = {each: domain(address_of[each]) for each in new}
        found = accounts_at(desk, {each for each in domain_of.values() if each})
        accounts = {each: found[name] for each, name in domain_of.items() if name in found}
    return [
        replace(each, fields={**each.fields, ACCOUNT_ID: accounts[each.operation_id]}, altered=True)
        if each.operation_id in accounts
        else each
        for each in decisions
    ]


def domain(address: str) -> str:
    """Returns the domain of an address; the empty text where anybody may have one there."""
    _, _, name = address.rpartition("@")
    return "" if name in FREE_MAIL else name


def accounts_at(desk: Desk, domains: Collection[str]) -> dict[str, str]:
    """Returns the Account whose website is at each of these domains; of several the oldest.

    Raises:
        SalesforceProblem: as `query_all`.
    """
    every = sorted(domains)
    # Others that are found, too, are left out below.
    like = [f"Website LIKE {quote(f'%{each}%')}" for each in every]
    queries = [
        select(
            ("Id", "Website", "CreatedDate"),
            "Account",
            f"({' OR '.join(like[start : start + DOMAINS_PER_QUERY])})",
        )
        for start in range(0, len(like), DOMAINS_PER_QUERY)
    ]
    if not queries:
        return {}
    desk.allowance.demand_calls()
    pages = query_all(desk.org.log_in(), queries).records
    records = [record for page in pages for record in page]
    records.sort(key=lambda each: (created_at(each["CreatedDate"]), each["Id"]), reverse=True)
    return {name: each["Id"] for each in records if (name := host(each["Website"])) in domains}


def host(website: str) -> str:
    """Returns the host of a website as people write it: `https://www.acme.com/en` is acme.com."""
    bare = website.strip().lower().partition("//")
    name = (bare[2] or bare[0]).partition("/")[0].partition(":")[0].partition("?")[0]
    return name.removeprefix("www.")
