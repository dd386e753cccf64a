"""The examiner of tracked leads and what becomes of them; in plain code of its own.

Of opportunities it says exactly what the platform has to know: amounts, stages, days. Whose they
are it says by two bounds, whatever order people and calls came in: who may have a part, who must.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from sqlalchemy import Connection, text

from crm_pipeline.database.statements import statement
from crm_pipeline.flows.attribution.flow import ATTRIBUTION
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_platform.inbox import ToldMessage
from crm_pipeline_tests.chaos.badge_examiner import OPEN, living
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.installation import LEAD_ON_OPPORTUNITY
from crm_pipeline_tests.chaos.marks import PEOPLE, Marks, became, lineage, marks, reached
from crm_pipeline_tests.chaos.tracker import gone_from

Record = Mapping[str, Any]

FOUND_BY_COUNTING = "no_tracked_lead_is_unread"
"""Says that the last count found leads that no cycle had read: they were read then."""

_TOLD = """
SELECT about, version, body FROM platform_inbox.message
WHERE account_id = :account AND topic = 'lead_values'
"""
_LEADS = """
SELECT *, client_id = :gone AS is_gone FROM warehouse.tracked_lead
WHERE client_id IN (:account, :gone)
"""
_QUEUE = """
SELECT natural_key || ' is ' || state FROM crm.operation
WHERE account_id = :account AND state = any(:open) ORDER BY operation_id
"""
_WAITING = """
SELECT opportunity_id FROM crm.opportunity
WHERE account_id = :account AND waits_because IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class ToldValue:
    """A message to the platform about a lead's part in an opportunity."""

    about: str
    version: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One account's: what the tracker says now, the org's records, and what the platform knows.

    Attributes:
        leads: of the tracker, by id; with whatever they may be known by. Those that count.
        rejected: likewise, those that do not count.
        touches: of all, by id: when and from where somebody got in touch.
        people: Leads and Contacts by Id, deleted ones among them.
        had: the marks that these ever had.
        opportunities: deleted ones among them.
        roles: of contacts.
        history: rows of all opportunities' histories.
        told: in the order of versions.
        waiting: opportunities that wait with a reason.
        broken: promises of the flow that are not kept.
        queue: operations that are open.
    """

    leads: Mapping[str, frozenset[str]]
    rejected: Mapping[str, frozenset[str]]
    touches: Mapping[str, tuple[datetime, str | None]]
    people: Mapping[str, Record]
    had: Mapping[str, set[str]]
    opportunities: Sequence[Record]
    roles: Sequence[Record]
    history: Sequence[Record]
    told: Sequence[ToldValue]
    waiting: frozenset[str] = frozenset()
    broken: Sequence[str] = ()
    queue: Sequence[str] = field(default_factory=tuple)

    @classmethod
    def gathered(
        cls,
        rows: Connection,
        account: str,
        org: Org,
        noted: Marks,
        inbox: Iterable[ToldMessage] | None = None,
    ) -> Self:
        """All of it; the messages are those of the tables where there is no inbox."""
        noted.note(org)
        whose = {"account": account}
        messages: Iterable[Any] = (
            rows.execute(text(_TOLD), whose)
            if inbox is None
            else [each for each in inbox if each.topic == "lead_values"]
        )
        told = [ToldValue(each.about, each.version, each.body) for each in messages]
        leads = rows.execute(text(_LEADS), {**whose, "gone": gone_from(account)}).all()
        known_by = {
            str(each.lead_id): marks(each.email, each.phone, str(each.lead_id)) for each in leads
        }
        count = {
            str(each.lead_id)
            for each in leads
            if not (each.is_spam or each.is_duplicate or each.is_gone)
            and (each.email or each.phone)
        }
        return cls(
            {lead: known for lead, known in known_by.items() if lead in count},
            {lead: known for lead, known in known_by.items() if lead not in count},
            {str(each.lead_id): (each.happened_at, each.source) for each in leads},
            {id_: row for name in PEOPLE for id_, row in org.table(name).rows.items()},
            noted.had,
            list(org.table("Opportunity").rows.values()),
            list(org.table("OpportunityContactRole").rows.values()),
            list(org.table("OpportunityHistory").rows.values()),
            sorted(told, key=lambda each: each.version),
            frozenset(rows.scalars(text(_WAITING), whose)),
            [
                each.name
                for each in ATTRIBUTION.promises
                if each.name != FOUND_BY_COUNTING and not _is_kept(rows, account, each.name)
            ],
            list(rows.scalars(text(_QUEUE), {**whose, "open": list(OPEN)})),
        )


def _is_kept(rows: Connection, account: str, promise: str) -> bool:
    asked = {"account_ids": [account], "freshness_minutes": 60}
    return bool(rows.execute(statement(f"checks/{promise}"), asked).one().passed)


def examine(evidence: Evidence, *, at_rest: bool = True) -> Findings:
    """Breaches of the promise; unless at rest, only what may never be."""
    found = Findings()
    _twice(evidence.told, found)
    if at_rest:
        _values(evidence, found)
        found.wrong += [f"the promise {each} is broken" for each in evidence.broken]
        found.queued += evidence.queue
    return found


def last_told(evidence: Evidence) -> dict[str, Mapping[str, Any]]:
    """What the platform knows of each lead's part in an opportunity."""
    return {each.about: each.body for each in evidence.told}


def _twice(told: Sequence[ToldValue], found: Findings) -> None:
    last: dict[str, ToldValue] = {}
    for each in told:
        before = last.get(each.about)
        if before is not None and before.version == each.version:
            found.doubled.append(f"{each.about} is told version {each.version} twice")
        elif before is not None and before.body == each.body:
            found.doubled.append(f"{each.about} is told {each.body} again")
        last[each.about] = each


def _values(evidence: Evidence, found: Findings) -> None:
    current: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for body in last_told(evidence).values():
        current[body["opportunity"]].append(body)
        if body["standing"] in ("withdrawn", "deleted") and (
            body["amount"] is not None or body["closed_amount"] != "0.00"
        ):
            found.wrong.append(f"value of a {body['standing']} opportunity: {body}")
    for each in evidence.opportunities:
        bodies = [body for body in current.pop(each["Id"], ()) if body["match"] is not None]
        named = {body["lead"] for body in bodies}
        who = f"{each['Name']} {each['Id']}"
        if each["IsDeleted"]:
            if any(body["standing"] != "deleted" for body in bodies):
                found.wrong.append(f"{who} is deleted, and the platform knows {bodies}")
            continue
        may, must = _whose(each, evidence)
        if must and not named:
            found.lost.append(f"{who} is to be told of one of {sorted(must)}, and is of nobody")
        if wrong := named - may:
            found.wrong.append(f"{who} is told of {sorted(wrong)}, and not of {sorted(may)}")
        if not named and each["Id"] not in evidence.waiting:
            found.lost.append(f"{who} neither is told of anybody nor waits with a reason")
        if named:
            _as_it_is(each, bodies, evidence, found)
    found.wrong += [f"{each} is no opportunity, and is told" for each in current]


def _whose(opportunity: Record, evidence: Evidence) -> tuple[set[str], set[str]]:
    """The leads of which an opportunity may be told, and those of which one must have it."""
    stored = opportunity.get(LEAD_ON_OPPORTUNITY)
    if stored is not None and stored in evidence.leads:
        return {stored}, {stored}
    around = [
        each["Id"]
        for each in evidence.people.values()
        if each.get("ConvertedOpportunityId") == opportunity["Id"] and not each["IsDeleted"]
    ]
    around += [
        became(evidence.people, each["ContactId"])
        for each in living(evidence.roles)
        if each["OpportunityId"] == opportunity["Id"]
    ]
    may = {
        mark
        for each in around
        for record_id in lineage(evidence.people, each)
        for mark in evidence.had.get(record_id, ())
    }
    people = [evidence.people[each] for each in around]
    emails = {mark for each in people for mark in marks(each.get("Email"), None, None)}
    must = {lead for lead, known in evidence.leads.items() if known & emails}
    # Who was once taken for somebody, by a lead that counts no more, stays that person.
    every = {**evidence.leads, **evidence.rejected}
    return reached(may, every) & evidence.leads.keys(), must


def _as_it_is(
    opportunity: Record,
    bodies: Sequence[Mapping[str, Any]],
    evidence: Evidence,
    found: Findings,
) -> None:
    standing = "open"
    if opportunity["IsClosed"]:
        standing = "won" if opportunity["IsWon"] else "lost"
    expected = {
        "standing": standing,
        "stage": opportunity["StageName"],
        "name": opportunity["Name"],
        "currency": opportunity["CurrencyIsoCode"],
        "close_date": opportunity["CloseDate"],
        "probability": opportunity["Probability"],
    }
    stages = _moves(opportunity["Id"], evidence.history)
    for body in bodies:
        is_so = {name: body[name] for name in expected}
        if is_so != expected:
            found.wrong.append(f"{body['opportunity']} is told as {is_so}, and is {expected}")
        told = [(each["stage"], datetime.fromisoformat(each["at"])) for each in body["history"]]
        if told != stages:
            found.wrong.append(f"{body['opportunity']} is told to move {told}, and did {stages}")
    amount = opportunity.get("Amount")
    for part, whole in (("amount", amount), ("closed_amount", amount if standing == "won" else 0)):
        parts = [body[part] for body in bodies]
        total = None if None in parts else sum(map(Decimal, parts), Decimal(0))
        if total != (None if whole is None else Decimal(str(whole))):
            found.wrong.append(f"{bodies[0]['opportunity']}: {part} is {whole}, told are {parts}")


def _moves(opportunity_id: str, history: Sequence[Record]) -> list[tuple[str, datetime]]:
    made: list[tuple[str, datetime]] = []
    of_it = [each for each in history if each["OpportunityId"] == opportunity_id]
    for each in sorted(of_it, key=lambda row: (row["CreatedDate"], row["Id"])):
        if not made or made[-1][0] != each["StageName"]:
            made.append((each["StageName"], datetime.fromisoformat(each["CreatedDate"])))
    return made
