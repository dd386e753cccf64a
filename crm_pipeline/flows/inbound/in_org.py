"""A removed person in the org: anonymized, or deleted, with the activities.

A record may stand for another known person as well. It is overwritten then, never deleted, and
that one's values are to be written there again; activities that may be that one's are left.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from crm_pipeline.accounts.inbound import InOrg
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.kind import PASSING, REMEDIES
from crm_pipeline.delivery.refusals import FIELD_IS_GONE
from crm_pipeline.inbound.erasing import Traces, shared_records, which_stood_for
from crm_pipeline.inbound.tombstones import BLOT
from crm_pipeline.ledger.outcomes import Emptied
from crm_pipeline.ledger.read_back import follow_converted, follow_merged
from crm_pipeline.salesforce.bulk import hard_delete
from crm_pipeline.salesforce.composite import Record, query_all
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.salesforce.errors import AccountStopped, Treatment
from crm_pipeline.salesforce.matching import follow_people
from crm_pipeline.salesforce.outcomes import Outcome, Write
from crm_pipeline.salesforce.soql import in_list, select
from crm_pipeline.salesforce.writes import send_by_composite

PEOPLE = ("Lead", "Contact")
ACTIVITIES = ("Event", "Task")

_PERSONAL_TYPES = frozenset(
    ("string", "textarea", "email", "phone", "url", "combobox", "encryptedstring")
)
_GONE = frozenset(("ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"))
_PASSING = frozenset(each for each in Treatment if REMEDIES.get(each) in PASSING).union(
    (Treatment.LOG_IN_AGAIN, Treatment.PAUSE_ACCOUNT)
)
"""Refusals that may pass, or that people may mend: the removal waits for it."""

UNSURE = "unsure: "
"""Begins what was done of records that may stand as they were: the removal is done again."""

PlacesInOrg = Counter[tuple[str, str]]
"""Numbers by place (`org/Lead`) and what was done there."""


@dataclass(frozen=True, slots=True)
class RemovedInOrg:
    """Work that a removal did in the org.

    Attributes:
        places: what was done, by place.
        emptied: the fields that were overwritten of records that stand for others as well.
    """

    places: PlacesInOrg = field(default_factory=Counter)
    emptied: list[Emptied] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Found:
    """The records of a person, by object.

    Attributes:
        ids: their Ids, by object.
        converted: those that may not be changed.
        shared: those that stand for others as well.
        left: activities that may be of others, by object.
        schemas: of the objects.
    """

    ids: Mapping[str, list[str]]
    converted: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    left: Mapping[str, int] = field(default_factory=dict)
    schemas: Mapping[str, SObjectSchema] = field(default_factory=dict)


def remove_in_org(desk: Desk, traces: Traces, chosen: InOrg) -> RemovedInOrg:
    """Does to the person's records in the org what the account chose; may be repeated.

    Records are named by their Ids where the ledger has them; where it has none, or something was
    sent without an answer, they are sought by the address.

    Raises:
        SalesforceProblem: as `Org.request`; what was done before stays done.
    """
    removed = RemovedInOrg()
    if chosen == "leave":
        for sobject, number in Counter(sobject for sobject, _ in traces.records).items():
            removed.places[f"org/{sobject}", "left: the account leaves what is in the org"] = number
        return removed
    with desk.org.gate.open_for_removal():
        desk.allowance.demand_calls()
        found = _found(desk, traces)
        _anonymize(desk, found, removed)
        # Deleted with its values, a record would keep them in the recycle bin for good.
        if chosen == "delete" and not any(done.startswith(UNSURE) for _, done in removed.places):
            _delete(desk, found, removed.places)
    return removed


def _found(desk: Desk, traces: Traces) -> _Found:
    """Finds the person's records and those below them; commits whom they turn out to stand for."""
    own: dict[str, str] = {record_id: sobject for sobject, record_id in traces.records}
    if traces.in_flight or not any(sobject in PEOPLE for sobject in own.values()):
        by_address = query_all(
            desk.org.log_in(),
            [select(("Id",), each, in_list("Email", traces.addresses)) for each in PEOPLE],
        ).records
        for sobject, records in zip(PEOPLE, by_address, strict=True):
            own |= {record["Id"]: sobject for record in records}
    own |= _successors(desk, [each for each, sobject in own.items() if sobject in PEOPLE])
    people = [each for each, sobject in own.items() if sobject in PEOPLE]
    leads, former, *activities = _around(desk, people) if people else ([], [], [], [])
    became = {each["Id"]: each["ConvertedContactId"] for each in former}
    with desk.ledger.step() as connection:
        follow_converted(connection, traces.account_id, became)
        shared = shared_records(connection, traces, people)
        stood_for = which_stood_for(connection, traces, became)
    converted = {each["Id"] for each in leads if each["IsConverted"]} | {
        each["Id"]
        for each in former
        if each["ConvertedContactId"] not in shared
        or each["Id"] in stood_for
        or email_key(each["Email"]) in traces.addresses
    }
    own |= dict.fromkeys(converted, "Lead")
    left: Counter[str] = Counter()
    for sobject, records in zip(ACTIVITIES, activities, strict=True):
        below = [r["Id"] for r in records if r["WhoId"] not in shared or r["Id"] in own]
        own |= dict.fromkeys(below, sobject)
        left[sobject] = len(records) - len(below)
    ids: dict[str, list[str]] = {}
    for record_id, sobject in own.items():
        ids.setdefault(sobject, []).append(record_id)
    return _Found(ids, frozenset(converted), shared, left, desk.schemas.describe(ids))


def _around(desk: Desk, people: Sequence[str]) -> list[list[Record]]:
    """Reads the Leads among some people, those that became one of them, and their activities."""
    return query_all(
        desk.org.log_in(),
        [
            select(("Id", "IsConverted"), "Lead", in_list("Id", people)),
            select(
                ("Id", "Email", "ConvertedContactId"), "Lead", in_list("ConvertedContactId", people)
            ),
            *(select(("Id", "WhoId"), each, in_list("WhoId", people)) for each in ACTIVITIES),
        ],
    ).records


def _successors(desk: Desk, people: Sequence[str]) -> dict[str, str]:
    """Finds what Leads and Contacts were converted or merged into: the object of each, by Id.

    These stand for the people from now on; commits.
    """
    successors: dict[str, str] = {}
    merged: dict[str, str] = {}
    converted: dict[str, str] = {}
    for former, now in follow_people(desk.org.log_in(), people).items():
        if now.salesforce_id is not None and now.salesforce_id != former:
            successors[now.salesforce_id] = now.sobject
            moved = converted if now.reason == "converted" else merged
            moved[former] = now.salesforce_id
    with desk.ledger.step() as connection:
        follow_merged(connection, desk.ledger.account_id, merged)
        follow_converted(connection, desk.ledger.account_id, converted)
    return successors


def _anonymize(desk: Desk, found: _Found, removed: RemovedInOrg) -> None:
    """Overwrites whatever may tell of the person; converted leads cannot be changed."""
    places = removed.places
    writes = [
        Write(0, sobject, "update", _blank(found.schemas[sobject]), record_id)
        for sobject, ids in found.ids.items()
        for record_id in ids
        if record_id not in found.converted
    ]
    contradicted = []
    for write, outcome in _sent(desk, writes):
        if any(each.code in FIELD_IS_GONE for each in outcome.errors):
            contradicted.append(write)
        else:
            _note(removed, found, write, outcome)
    if contradicted:
        _anonymize_without_hidden(desk, contradicted, found, removed)
    if found.converted:
        places["org/Lead", "left: a converted lead cannot be changed, only deleted"] += len(
            found.converted
        )
    for sobject, number in found.left.items():
        if number:
            places[f"org/{sobject}", "left: under a record that is another person's too"] += number


def _anonymize_without_hidden(
    desk: Desk, contradicted: Sequence[Write], found: _Found, removed: RemovedInOrg
) -> None:
    """Overwrites what the org still shows where it has hidden fields since it was described.

    The receipt names the fields: what stands in them stays.
    """
    sobjects = list(dict.fromkeys(write.sobject for write in contradicted))
    with desk.ledger.step():
        desk.schemas.forget(sobjects, now=True)
    blanks = {name: _blank(schema) for name, schema in desk.schemas.describe(sobjects).items()}
    writes = [replace(write, fields=blanks[write.sobject]) for write in contradicted]
    for before, write in zip(contradicted, writes, strict=True):
        if hidden := before.fields.keys() - write.fields.keys():
            names = ", ".join(sorted(hidden))
            place = f"org/{write.sobject}"
            removed.places[place, f"left: hidden from the user ({names})"] += 1
    for write, outcome in _sent(desk, writes):
        _note(removed, found, write, outcome)


def _note(removed: RemovedInOrg, found: _Found, write: Write, outcome: Outcome) -> None:
    """Counts what was anonymized; of shared records the fields that others are to fill again."""
    is_shared = write.salesforce_id in found.shared
    done = "anonymized; another known person has it to themselves" if is_shared else "anonymized"
    _count(removed.places, write, outcome, done)
    if is_shared and outcome.status == "ok":
        removed.emptied.append(Emptied(None, str(write.salesforce_id), [*write.fields]))


def _delete(desk: Desk, found: _Found, places: PlacesInOrg) -> None:
    """Deletes the records, activities first: for good where our user may, else to the bin."""
    order = sorted(found.ids, key=lambda sobject: sobject in PEOPLE)
    writes = [
        Write(0, sobject, "delete", {}, record_id)
        for sobject in order
        for record_id in found.ids[sobject]
        if record_id not in found.shared
    ]
    try:
        deleted = list(_matched(writes, lambda each: hard_delete(desk.org.log_in(), each)))
    except AccountStopped as refused:
        places["org", f"left in the recycle bin: no right to delete for good ({refused.code})"] = 1
        for sobject in order:
            of_sobject = [write for write in writes if write.sobject == sobject]
            for write, outcome in _sent(desk, of_sobject):
                _count(places, write, outcome, "deleted")
    else:
        for write, outcome in deleted:
            _count(places, write, outcome, "deleted for good")


def _blank(schema: SObjectSchema) -> dict[str, Any]:
    """Returns values that tell of nobody, for every field that may and can be written."""
    values: dict[str, Any] = {}
    for each in schema.fields.values():
        if each.writable("update") and each.type in _PERSONAL_TYPES and not each.reference_to:
            values[each.name] = None if each.nillable else BLOT
        elif each.writable("update") and each.type == "date" and each.name == "Birthdate":
            values[each.name] = None
    return values


def _sent(desk: Desk, writes: Sequence[Write]) -> Iterator[tuple[Write, Outcome]]:
    headers = desk.org.headers()
    return _matched(
        writes, lambda each: send_by_composite(desk.org.log_in(), each, headers=headers)
    )


def _matched(writes: Sequence[Write], send: Any) -> Iterator[tuple[Write, Outcome]]:
    """Sends writes and yields each with its outcome."""
    for ref, write in enumerate(writes):
        write.ref = ref
    outcomes: Iterable[Sequence[Outcome]] = send(list(writes)) if writes else ()
    for some in outcomes:
        for outcome in some:
            yield writes[outcome.ref], outcome


def _count(places: PlacesInOrg, write: Write, outcome: Outcome, done: str) -> None:
    code = outcome.errors[0].code if outcome.errors else ""
    place = f"org/{write.sobject}"
    if outcome.status == "ok":
        places[place, done] += 1
    elif code in _GONE:
        places[place, "gone already"] += 1
    elif outcome.status != "error":
        places[place, f"{UNSURE}no answer came"] += 1
    elif outcome.errors[0].treatment in _PASSING:
        places[place, f"{UNSURE}the org refuses just now ({code})"] += 1
    else:
        places[place, f"left: the org refuses ({code})"] += 1
