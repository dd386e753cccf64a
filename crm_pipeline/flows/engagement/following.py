"""Consequences of what was read: who has a prospect's address, and what the org is to hold."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from crm_pipeline.accounts.account import Account
from crm_pipeline.accounts.engagement import EngagementSettings
from crm_pipeline.declaration import Ask, Batch, Noticed, Numbers, Reading, Taking, Watched
from crm_pipeline.flows.engagement import NAME, back_rules, rules, topics
from crm_pipeline.flows.engagement.aggregates import aggregate_wants, topics_on
from crm_pipeline.ledger.clock import account_clock
from crm_pipeline.ledger.engagement import (
    Definition,
    Prospect,
    addresses_to_seek,
    definitions_of,
    mark_deleted_in_org,
    note_said_people,
    note_said_prospects,
    note_sought,
    note_successors_read,
    open_of_late_events,
    people_to_say,
    prospects_of,
    prospects_to_say,
    revive_prospects,
    take_owners,
    take_people,
    take_to_tell,
    unread_successors,
)
from crm_pipeline.ledger.engagement_aggregates import (
    aggregates_of,
    aggregates_to_say,
    note_opportunities_sought,
    note_said_aggregates,
    org_accounts_to_seek,
    take_opportunities,
    take_org_accounts,
)
from crm_pipeline.ledger.messages import MessageWant
from crm_pipeline.ledger.read_back import hint
from crm_pipeline.salesforce.composite import Record
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.sources.engagement import pages_of
from crm_pipeline.sources.redaction import Redaction

ADDRESSES_AT_ONCE = 10_000
"""Addresses that are sought with one question for an object: five queries of it."""

SAID_AT_ONCE = 1_000
"""Prospects, people, or records with aggregates of which a transaction says something, at most."""

WANTS_AT_ONCE = 10_000
"""Records that come of that, about: of those with many tags or pages, fewer are said at once."""

_FIRST_AT_ONCE = 100
"""Prospects, or people, to begin with: from these it is seen how much they have."""

SAID_IN_A_CYCLE = 20_000
"""Prospects, and people, of which a cycle says something; the next one takes the rest."""

_NO_FREE_TEXT = frozenset(("page_id", "prospect_id", "kind", "seconds", "time"))
"""Columns of pages that are what they are; addresses of pages, titles and others are not."""

_ADDRESSES = "addresses"
_SUCCESSORS = "successors"
_OPPORTUNITIES = "opportunities"


def watches(chosen: EngagementSettings) -> Sequence[Watched]:
    """The objects whose changes tell who is matched, and what people deleted."""
    news = back_rules.watched_fields(chosen)
    of_contacts = ("AccountId",) if chosen.accounts else ()
    return (
        Watched("Lead", (), context=(*news, "Name", "IsConverted"), held_only=False),
        Watched("Contact", (), context=(*news, "Name", *of_contacts), held_only=False),
        # Of these only what is matched is told.
        *(Watched(each, news, if_there=("Owner.Email",)) for each in back_rules.PEOPLE),
        Watched("User", (), context=("Email",), held_only=False),
        Watched(chosen.names.object("prospect"), ("IsDeleted",)),
        *((Watched("Account", ("IsDeleted",)),) if chosen.accounts else ()),
        *((_WATCHED_OPPORTUNITIES,) if chosen.of_opportunities else ()),
    )


_WATCHED_OPPORTUNITIES = Watched(
    "Opportunity", (), context=("AccountId", "IsDeleted"), held_only=False
)


def notice(noticed: Sequence[Noticed], chosen: EngagementSettings) -> list[MessageWant]:
    """Tells what people changed at matched Leads and Contacts."""
    return back_rules.edits([(e.natural_key, e.sobject, e.record) for e in noticed], chosen)


def take(taking: Taking[EngagementSettings]) -> Numbers:
    """Keeps the Leads and Contacts that have the address of a prospect, or had it."""
    account_id = taking.account.account_id
    people = [
        _person(sobject, each, taking.choices)
        for sobject in back_rules.PEOPLE
        for each in taking.records.get(sobject, ())
    ]
    taken = take_people(taking.ledger, account_id, people)
    numbers = {(topics.MATCHES[each], "read"): taken.get(each, 0) for each in back_rules.PEOPLE}
    if owners := {each["Id"]: each.get("Email") for each in taking.records.get("User", ())}:
        take_owners(taking.ledger, account_id, owners)
    of_prospects = taking.records.get(taking.choices.names.object("prospect"), ())
    for is_deleted, keep in ((True, mark_deleted_in_org), (False, revive_prospects)):
        if ids := [e["Id"] for e in of_prospects if bool(e.get("IsDeleted")) is is_deleted]:
            keep(taking.ledger, account_id, ids)
    take_org_accounts(taking.ledger, account_id, _org_accounts(taking.records.get("Account", ())))
    opportunities = [_opportunity(each) for each in taking.records.get("Opportunity", ())]
    take_opportunities(taking.ledger, account_id, opportunities)
    for about, note in (
        (_ADDRESSES, note_sought),
        (_SUCCESSORS, note_successors_read),
        (_OPPORTUNITIES, note_opportunities_sought),
    ):
        if sought := {value for ask in taking.asked if ask.about == about for value in ask.values}:
            note(taking.ledger, account_id, sought)
    return numbers


def asks(connection: Connection, account: Account, chosen: EngagementSettings) -> Sequence[Ask]:
    """Asks for the Leads and Contacts with addresses that no prospect had before.

    Likewise for those that absorbed matched ones and were not read with them, and for the
    Opportunities of Accounts whose Contacts had no prospect before.
    """
    if emails := tuple(addresses_to_seek(connection, account.account_id, ADDRESSES_AT_ONCE)):
        return [Ask(sobject, "Email", emails, _ADDRESSES) for sobject in back_rules.PEOPLE]
    if ids := tuple(unread_successors(connection, account.account_id, ADDRESSES_AT_ONCE)):
        return [Ask(sobject, "Id", ids, _SUCCESSORS) for sobject in back_rules.PEOPLE]
    if not chosen.of_opportunities:
        return ()
    found = org_accounts_to_seek(connection, account.account_id, ADDRESSES_AT_ONCE)
    return [Ask("Opportunity", "AccountId", tuple(found), _OPPORTUNITIES)] if found else ()


def follow(reading: Reading[EngagementSettings]) -> Iterator[Batch]:
    """Says what the org is to hold of prospects, and of the people that are matched with them."""
    ledger, account_id = reading.ledger, reading.account.account_id
    definitions: dict[tuple[str, str], Definition] = {
        (each.kind, each.definition_id): each for each in definitions_of(ledger, account_id)
    }
    if reading.choices.by_event:
        open_of_late_events(ledger, account_id, topics.MATCH_EVENTS)
    redaction = Redaction.of(reading.account.settings.redaction)
    after, said, at_once = "", 0, _FIRST_AT_ONCE
    while said < SAID_IN_A_CYCLE:
        prospects = prospects_to_say(ledger, account_id, after=after, limit=at_once)
        if not prospects:
            break
        due = [each for each in prospects if each.is_due and not each.is_gone]
        pages = _pages(reading, due, redaction)
        basis = rules.Basis(reading.choices, definitions, pages, account_clock(ledger, account_id))
        wants = [want for each in prospects for want in rules.prospect_wants(each, basis)]
        note_said_prospects(ledger, account_id, prospects)
        after, said = prospects[-1].prospect_id, said + len(prospects)
        at_once = next_at_once(len(prospects), len(wants))
        yield Batch(NAME, len(prospects), (), None, wants=wants)
    if redaction.taken:
        taken = {(topics.PAGES, "redacted"): redaction.taken.total()}
        yield Batch(NAME, 0, (), None, numbers=taken, told=(redaction.in_words(),))
    yield from _follow_people(reading, definitions, redaction)
    yield from _follow_aggregates(reading, definitions)
    if moved := take_to_tell(ledger, account_id):
        told = back_rules.told_anew(moved, account_clock(ledger, account_id))
        yield Batch(NAME, len(moved), (), None, wants=told)
    if said >= SAID_IN_A_CYCLE:
        hint(ledger, account_id)


def _follow_people(
    reading: Reading[EngagementSettings],
    definitions: Mapping[tuple[str, str], Definition],
    redaction: Redaction,
) -> Iterator[Batch]:
    ledger, account_id = reading.ledger, reading.account.account_id
    said, at_once = 0, _FIRST_AT_ONCE
    while said < SAID_IN_A_CYCLE:
        people = people_to_say(ledger, account_id, by_event=reading.choices.by_event, limit=at_once)
        if not people:
            return
        by_email = prospects_of(ledger, account_id, [e.email for e in people if e.email])
        every = [each for of_address in by_email.values() for each in of_address]
        pages = _pages(reading, every, redaction)
        basis = rules.Basis(reading.choices, definitions, pages, account_clock(ledger, account_id))
        wants: list[rules.Wanted] = []
        engaged: list[str] = []
        numbers: dict[tuple[str, str], int] = {}
        for each in people:
            found, is_engaged = rules.person_wants(each, by_email.get(each.email or "", ()), basis)
            wants += found
            if is_engaged:
                engaged.append(each.salesforce_id)
            examined = topics.MATCHES[each.sobject], "examined"
            numbers[examined] = numbers.get(examined, 0) + 1
        note_said_people(ledger, account_id, people, engaged)
        said, at_once = said + len(people), next_at_once(len(people), len(wants))
        yield Batch(NAME, len(people), (), None, wants=wants, numbers=numbers)
    hint(ledger, account_id)


def _follow_aggregates(
    reading: Reading[EngagementSettings], definitions: Mapping[tuple[str, str], Definition]
) -> Iterator[Batch]:
    ledger, account_id, chosen = reading.ledger, reading.account.account_id, reading.choices
    for _ in range(SAID_IN_A_CYCLE // SAID_AT_ONCE):
        records = aggregates_to_say(ledger, account_id, limit=SAID_AT_ONCE)
        if not records:
            break
        values = aggregates_of(
            ledger, account_id, {each.org_account for each in records if each.org_account}
        )
        basis = rules.Basis(chosen, definitions, {}, account_clock(ledger, account_id))
        wants: list[rules.Wanted] = []
        engaged: list[str] = []
        numbers: Counter[tuple[str, str]] = Counter()
        for each in records:
            found, has_it = aggregate_wants(each, values.get(each.org_account or "", ()), basis)
            wants += found
            if has_it:
                engaged.append(each.salesforce_id)
            numbers.update((topic, "examined") for topic in topics_on(each.sobject, chosen))
        note_said_aggregates(ledger, account_id, records, engaged)
        yield Batch(NAME, len(records), (), None, wants=wants, numbers=numbers)
    else:
        hint(ledger, account_id)
    if chosen.of_opportunities and org_accounts_to_seek(ledger, account_id, 1):
        hint(ledger, account_id)


def next_at_once(said: int, wants: int) -> int:
    """Returns of how many something is said next, by the number of wants that came of the last.

    Twice as many at most: others may have more than these.
    """
    fitting = said * WANTS_AT_ONCE // max(1, wants)
    return max(1, min(fitting, 2 * said, SAID_AT_ONCE))


def _pages(
    reading: Reading[EngagementSettings], prospects: Sequence[Prospect], redaction: Redaction
) -> Mapping[str, Sequence[rules.Page]]:
    """The pages of prospects, without what the account does not want in its org."""
    if not reading.choices.pages:
        return {}
    ids = [each.prospect_id for each in prospects]
    found = pages_of(reading.warehouse, reading.account.client_id, ids)
    if not redaction.steps:
        return found
    return {
        prospect_id: [redaction.columns(page, _NO_FREE_TEXT) for page in pages]
        for prospect_id, pages in found.items()
    }


def _person(sobject: str, record: Record, chosen: EngagementSettings) -> dict[str, Any]:
    return {
        "salesforce_id": record["Id"],
        "sobject": sobject,
        "email": email_key(record.get("Email")),
        "is_there": not record.get("IsDeleted"),
        "is_converted": bool(record.get("IsConverted")),
        "columns": back_rules.told_values(record, chosen),
        "merged_into": record.get("MasterRecordId"),
        "successor": record.get("MasterRecordId") or record.get("ConvertedContactId"),
        "org_account": record.get("AccountId") if chosen.accounts else None,
        "stamp": record["SystemModstamp"],
    }


def _org_accounts(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Accounts, those that were merged with the last winner of a chain of merges."""
    merged = {each["Id"]: each["MasterRecordId"] for each in records if each.get("MasterRecordId")}
    found = []
    for each in records:
        winner = merged.get(each["Id"])
        while winner in merged and merged[winner] != each["Id"]:
            winner = merged[winner]
        said = {"salesforce_id": each["Id"], "is_there": not each.get("IsDeleted")}
        found.append({**said, "merged_into": winner})
    return found


def _opportunity(record: Record) -> dict[str, Any]:
    return {
        "salesforce_id": record["Id"],
        "org_account": record.get("AccountId"),
        "is_there": not record.get("IsDeleted"),
        "stamp": record["SystemModstamp"],
    }
