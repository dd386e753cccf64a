"""A removed person in the org: anonymized, or deleted, with the activities."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from crm_pipeline.accounts.inbound import InOrg
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.kind import PASSING, REMEDIES
from crm_pipeline.delivery.refusals import FIELD_IS_GONE
from crm_pipeline.inbound.erasing import Traces
from crm_pipeline.salesforce.bulk import hard_delete
from crm_pipeline.salesforce.composite import query_all
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.errors import AccountStopped, Treatment
from crm_pipeline.salesforce.outcomes import Outcome, Write
from crm_pipeline.salesforce.soql import in_list, select
from crm_pipeline.salesforce.writes import send_by_composite

PEOPLE = ("Lead", "Contact")
ACTIVITIES = ("Event", "Task")

BLANK = "[removed]"
"""Stands where Salesforce requires something."""

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
class _Found:
    """The records of a person, by object; those that may not be changed apart."""

    ids: Mapping[str, list[str]]
    converted: frozenset[str] = frozenset()
    schemas: Mapping[str, SObjectSchema] = field(default_factory=dict)


def remove_in_org(desk: Desk, traces: Traces, chosen: InOrg) -> PlacesInOrg:
    """Does to the person's records in the org what the account chose; may be repeated.

    Records are named by their Ids where the ledger has them; where it has none, or something was
    sent without an answer, they are sought by the address.

    Returns:
        What was done, by place.

    Raises:
        SalesforceProblem: as `Org.request`; what was done before stays done.
    """
    places: PlacesInOrg = Counter()
    if chosen == "leave":
        for sobject, number in Counter(sobject for sobject, _ in traces.records).items():
            places[f"org/{sobject}", "left: the account leaves what is in the org"] = number
        return places
    with desk.org.gate.open_for_removal():
        desk.allowance.demand_calls()
        found = _found(desk, traces)
        _anonymize(desk, found, places)
        # Deleted with its values, a record would keep them in the recycle bin for good.
        if chosen == "delete" and not any(done.startswith(UNSURE) for _, done in places):
            _delete(desk, found, places)
    return places


def _found(desk: Desk, traces: Traces) -> _Found:
    """Finds the person's records and those below them."""
    org = desk.org.log_in()
    ids: dict[str, list[str]] = {}
    for sobject, record_id in traces.records:
        ids.setdefault(sobject, []).append(record_id)
    known = [each for sobject in PEOPLE for each in ids.get(sobject, ())]
    if not known or traces.in_flight:
        by_address = query_all(
            org,
            [select(("Id",), each, in_list("Email", traces.addresses)) for each in PEOPLE],
        ).records
        for sobject, records in zip(PEOPLE, by_address, strict=True):
            ids.setdefault(sobject, []).extend(record["Id"] for record in records)
    converted: set[str] = set()
    people = list(dict.fromkeys(each for sobject in PEOPLE for each in ids.get(sobject, ())))
    if people:
        leads, former, *activities = query_all(
            org,
            [
                select(("Id", "IsConverted"), "Lead", in_list("Id", people)),
                select(("Id",), "Lead", in_list("ConvertedContactId", people)),
                *(select(("Id",), each, in_list("WhoId", people)) for each in ACTIVITIES),
            ],
        ).records
        converted = {each["Id"] for each in leads if each["IsConverted"]}
        converted |= {each["Id"] for each in former}
        ids.setdefault("Lead", []).extend(each["Id"] for each in former)
        for sobject, records in zip(ACTIVITIES, activities, strict=True):
            ids.setdefault(sobject, []).extend(each["Id"] for each in records)
    unique = {sobject: list(dict.fromkeys(of)) for sobject, of in ids.items() if of}
    described = desk.schemas.describe(unique) if unique else {}
    return _Found(unique, frozenset(converted), described)


def _anonymize(desk: Desk, found: _Found, places: PlacesInOrg) -> None:
    """Overwrites whatever may tell of the person; converted leads cannot be changed."""
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
            _count(places, write, outcome, "anonymized")
    if contradicted:
        _anonymize_without_hidden(desk, contradicted, places)
    if found.converted:
        places["org/Lead", "left: a converted lead cannot be changed, only deleted"] += len(
            found.converted
        )


def _anonymize_without_hidden(
    desk: Desk, contradicted: Sequence[Write], places: PlacesInOrg
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
            places[f"org/{write.sobject}", f"left: hidden from the user ({names})"] += 1
    for write, outcome in _sent(desk, writes):
        _count(places, write, outcome, "anonymized")


def _delete(desk: Desk, found: _Found, places: PlacesInOrg) -> None:
    """Deletes the records, activities first: for good where our user may, else to the bin."""
    order = sorted(found.ids, key=lambda sobject: sobject in PEOPLE)
    writes = [
        Write(0, sobject, "delete", {}, record_id)
        for sobject in order
        for record_id in found.ids[sobject]
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
            values[each.name] = None if each.nillable else BLANK
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
