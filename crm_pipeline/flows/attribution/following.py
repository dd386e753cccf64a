"""Following opportunities: to whom those belong that changed, and what the platform is told."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from crm_pipeline.accounts.attribution import AttributionSettings
from crm_pipeline.declaration import Batch, Reading, Shown, Table
from crm_pipeline.flows.attribution import values
from crm_pipeline.flows.attribution.filter import fires, passes
from crm_pipeline.flows.attribution.matches import (
    Deal,
    Known,
    LeadMatch,
    MatchableLead,
    OrgPerson,
    Role,
    Rule,
    find,
    waits_because,
)
from crm_pipeline.flows.attribution.opportunities import opportunity_fields
from crm_pipeline.flows.attribution.splits import Part, parts
from crm_pipeline.flows.attribution.stages import Meaning, moves
from crm_pipeline.flows.attribution.values import Value
from crm_pipeline.ledger import opportunities as ledger
from crm_pipeline.ledger.messages import MessageWant
from crm_pipeline.ledger.opportunities import Around, DueOpportunity, LookedAt, MatchRow
from crm_pipeline.report import CycleReport
from crm_pipeline.sources.source import BEFORE_START

TOPIC = "opportunity_matches"

BY_RULE, WAITING = "by rule: ", "waiting: "
"""Before rule and reason, where matches are counted by these."""

AT_ONCE = 2_000
"""Opportunities that are matched in one transaction."""


def follow(reading: Reading[AttributionSettings]) -> Iterator[Batch]:
    """Matches opportunities that changed, or around which somebody did, and tells their values."""
    connection, account_id, choices = reading.ledger, reading.account.account_id, reading.choices
    start_at = reading.account.settings.start_at
    if not choices.triggers:
        return
    ledger.find_due(
        connection,
        account_id,
        chosen=_chosen(reading),
        fields=opportunity_fields(choices),
        id_field=choices.opportunity_id_field,
    )
    is_first = True
    while due := ledger.due_opportunities(connection, account_id, limit=AT_ONCE):
        if is_first and len(due) == AT_ONCE:
            ledger.analyze(connection)
        is_first = False
        yield _followed(_Surroundings.of(connection, account_id, due, choices, start_at), due)


def _chosen(reading: Reading[AttributionSettings]) -> dict[str, Any]:
    """The settings on which matches and filter depend."""
    start = reading.account.settings.start_at
    names = {
        "triggers", "opportunity_filter", "split", "id_field", "opportunity_id_field", "currency",
        "phone_region",
    }  # fmt: skip
    chosen = reading.choices.model_dump(mode="json", include=names)
    return chosen if start is None else {**chosen, "start_at": start.isoformat()}


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """All that is known around some opportunities."""

    connection: Connection
    account_id: str
    choices: AttributionSettings
    start_at: datetime | None
    deals: Mapping[str, Deal]
    known: Known
    meanings: Mapping[str, Meaning]
    before: Mapping[str, Sequence[MatchRow]]

    @classmethod
    def of(
        cls,
        connection: Connection,
        account_id: str,
        due: Sequence[DueOpportunity],
        choices: AttributionSettings,
        start_at: datetime | None,
    ) -> "_Surroundings":
        ids = [each.opportunity_id for each in due]
        people = ledger.around(connection, account_id, ids)
        deals = {
            each.opportunity_id: _deal(each, people.get(each.opportunity_id, ()), choices)
            for each in due
        }
        return cls(
            connection,
            account_id,
            choices,
            start_at,
            deals,
            _known(connection, account_id, deals.values()),
            {
                label: Meaning(*meaning)
                for label, meaning in ledger.stages(connection, account_id).items()
            },
            ledger.matched(connection, account_id, ids),
        )


def _deal(due: DueOpportunity, around: Sequence[Around], choices: AttributionSettings) -> Deal:
    converted: list[OrgPerson] = []
    became: dict[str, dict[str, OrgPerson]] = {}
    contacts: dict[str, tuple[OrgPerson, bool, bool]] = {}
    for each in around:
        person, contact_id = _person(each), each.contact_id
        if contact_id is None:
            converted.append(person)
        elif contact_id == each.record_id:
            _, is_primary, is_account = contacts.get(contact_id, (person, False, True))
            contacts[contact_id] = (
                person,
                each.is_primary or is_primary,
                each.is_account and is_account,
            )
        else:
            became.setdefault(contact_id, {})[each.record_id] = person
    roles = [
        Role(contact, is_primary, is_account, tuple(became.get(contact_id, {}).values()))
        for contact_id, (contact, is_primary, is_account) in contacts.items()
    ]
    name = choices.opportunity_id_field
    tracker_id = None if name is None else due.record.get(name)
    return Deal(due.created_at, tracker_id, tuple(converted), tuple(roles))


def _person(around: Around) -> OrgPerson:
    return OrgPerson(around.record_id, around.tracker_id, around.email, tuple(around.phones))


def _known(connection: Connection, account_id: str, deals: Any) -> Known:
    people = [
        person
        for deal in deals
        for person in (
            *deal.converted,
            *(each for role in deal.roles for each in (role.contact, *role.converted)),
        )
    ]
    named = {each.tracker_id for each in people} | {deal.tracker_id for deal in deals}
    phones = {phone for each in people for phone in each.phones}
    found = ledger.known_leads(
        connection,
        account_id,
        lead_ids={each for each in named if each is not None},
        records={each.record_id for each in people},
        emails={each.email for each in people if each.email is not None},
        phones=phones,
    )
    by: dict[str, dict[str, list[MatchableLead]]] = {}
    for each in found:
        lead = MatchableLead(each.lead_id, each.happened_at, each.person_key)
        by.setdefault(each.known_by, {}).setdefault(each.value, []).append(lead)
    return Known(
        {lead_id: lead for lead_id, [lead] in by.get("id", {}).items()},
        by.get("record", {}),
        by.get("email", {}),
        by.get("phone", {}),
        ledger.shared_phones(connection, account_id, phones),
    )


def _followed(around: _Surroundings, due: Sequence[DueOpportunity]) -> Batch:
    looked: list[LookedAt] = []
    matches: list[MatchRow] = []
    told: list[MessageWant] = []
    for each in due:
        found, waits = _matched(around, each)
        inside = not each.deleted and _is_inside(each, around.choices)
        filter_fires = fires(
            inside=inside,
            was_inside=each.in_filter,
            has_fired="matching_filter" in each.fired,
            again=around.choices.filter_fires_again,
        )
        fired = {**each.fired, **({"matching_filter": each.version} if filter_fires else {})}
        is_told = each.told or any(trigger in fired for trigger in around.choices.triggers)
        looked.append(
            LookedAt(each.opportunity_id, each.as_of, waits, inside, is_told, filter_fires)
        )
        before = {m.lead_id: m for m in around.before.get(each.opportunity_id, ())}
        rows = {
            part.match.lead.lead_id: _row(each, part, before.get(part.match.lead.lead_id))
            for part in found
        }
        matches += rows.values()
        if is_told:
            value = _value(around, each, fired)
            told += [
                values.message(value, part, rows[part.match.lead.lead_id].matched_at, each.as_of)
                for part in found
            ]
            gone = before.keys() - rows.keys() if each.told else ()
            told += [values.withdrawal(value, lead_id, each.as_of) for lead_id in sorted(gone)]
    ledger.note_matches(around.connection, around.account_id, looked, matches)
    return Batch(TOPIC, 0, (), None, wants=told, numbers=_numbers(looked, matches))


def _numbers(looked: Sequence[LookedAt], matches: Sequence[MatchRow]) -> dict[tuple[str, str], int]:
    """The numbers of the looks: matched ones by rule, waiting ones by reason."""
    reasons = Counter(each.waits_because for each in looked if each.waits_because is not None)
    rules = Counter(each.rule for each in matches)
    return {
        (TOPIC, "looked_at"): len(looked),
        (TOPIC, "matched"): len(looked) - reasons.total(),
        (TOPIC, "waiting"): reasons.total(),
        **{(TOPIC, f"{BY_RULE}{rule}"): number for rule, number in rules.items()},
        **{(TOPIC, f"{WAITING}{reason}"): number for reason, number in reasons.items()},
    }


def shown(report: CycleReport) -> Shown:
    """The matches of a cycle by rule, and those that wait by reason."""
    counted = report.tally.by_topic.get(TOPIC, {})
    return {
        heading: Table(column, _under(prefix, counted))
        for heading, column, prefix in (
            ("matched_by_rule", "rule", BY_RULE),
            ("waiting_by_reason", "reason", WAITING),
        )
    }


def _under(prefix: str, counted: Mapping[str, int]) -> dict[str, int]:
    return {
        name.removeprefix(prefix): number
        for name, number in counted.items()
        if name.startswith(prefix)
    }


def _matched(around: _Surroundings, due: DueOpportunity) -> tuple[list[Part], str | None]:
    """The parts of an opportunity, and why it waits where there are none.

    One that is deleted belongs to those to whom it belonged. One from before the account's start
    waits, unless the platform is told of it already.
    """
    if due.deleted:
        kept = [
            Part(
                LeadMatch(MatchableLead(m.lead_id, due.created_at, 0), Rule(m.rule), m.because),
                m.number,
                m.parts,
            )
            for m in around.before.get(due.opportunity_id, ())
        ]
        return kept, None if kept else "it is deleted"
    if around.start_at is not None and due.created_at < around.start_at and not due.told:
        return [], BEFORE_START
    deal = around.deals[due.opportunity_id]
    found = parts(find(deal, around.known), around.choices.split)
    return found, None if found else waits_because(deal, around.known)


def _row(due: DueOpportunity, part: Part, before: MatchRow | None) -> MatchRow:
    match = part.match
    row = MatchRow(
        due.opportunity_id,
        match.lead.lead_id,
        match.rule.value,
        match.because,
        part.number,
        part.of,
        due.as_of,
    )
    if before is not None and (before.rule, before.because) == (row.rule, row.because):
        row.matched_at = before.matched_at
    return row


def _is_inside(due: DueOpportunity, choices: AttributionSettings) -> bool:
    if any(each.field not in due.record for each in choices.opportunity_filter):
        # Hidden since, or not read yet: nobody has seen it go in or out.
        return due.in_filter
    return bool(choices.opportunity_filter) and passes(due.record, choices.opportunity_filter)


def _value(around: _Surroundings, due: DueOpportunity, fired: Mapping[str, int]) -> Value:
    record = due.record
    own = Meaning(bool(record.get("IsClosed")), bool(record.get("IsWon")))
    return Value(
        due.opportunity_id,
        record.get("Name"),
        due.amount,
        record.get("CurrencyIsoCode", around.choices.currency),
        record.get("StageName"),
        around.meanings.get(str(record.get("StageName")), own),
        record.get("Probability"),
        record.get("CloseDate"),
        due.deleted,
        due.version,
        fired,
        moves(due.history, around.meanings),
    )
