"""Taking back what a cycle wrote, where it still is in the org as we left it."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from crm_pipeline.delivery.campaign_search import STATUS
from crm_pipeline.delivery.decisions import Decision
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.kind import UNDO
from crm_pipeline.delivery.recording import CAMPAIGN_MEMBER, record_unchanged
from crm_pipeline.delivery.replacing import LAST_TOUCHED
from crm_pipeline.delivery.sending import Dispatch
from crm_pipeline.delivery.windows import windows
from crm_pipeline.ledger.undo import DueUndo, due_stages, due_undos, going
from crm_pipeline.salesforce.children import ChildField, child_fields_of, children_of
from crm_pipeline.salesforce.comparison import alike
from crm_pipeline.salesforce.composite import Record, composite, query_all
from crm_pipeline.salesforce.describe import RIGHTS, SObjectSchema
from crm_pipeline.salesforce.soql import packed_in_queries, select

NOT_THERE = "it is not in the org any more"
CONVERTED = "it was converted since"
CHANGED = "it was changed since"
NOT_OURS = "it was there before, or somebody else made it"
UNKNOWN = "how it was left is not known, as an answer was lost"

_IS_CONVERTED, _STATUS, _CAMPAIGN = "IsConverted", "Status", "CampaignId"

_ROUNDED = timedelta(minutes=1)
"""By so much at most the org's clock, as its answers tell it, is ahead of its stamps."""


def send_undos(desk: Desk) -> None:
    """Takes back what is wanted to be as it was, values first, what belongs to others before these.

    What is not as we left it stays, and the operation says why. Costs a call for 10,000 records;
    where records are to be gone, one for five objects that may belong to 2,000 of them.

    Raises:
        SalesforceProblem: as `delivery.deliver`.
    """
    child_fields = _ChildFields(desk)
    for stage in due_stages(desk.ledger.connection, desk.ledger.account_id):
        for due in windows(desk.ledger, due_undos, stage):
            _send(desk, due, child_fields)


def _send(desk: Desk, due: Sequence[DueUndo], child_fields: "_ChildFields") -> None:
    due = sorted(due, key=attrgetter("sobject"))
    schemas = desk.schemas.describe(dict.fromkeys(each.sobject for each in due))
    there, statuses = _read(desk, due, schemas)
    waiting, belonging = _belonging(desk, due, there, child_fields)
    us = desk.org.log_in().user_id
    decisions = [
        decide_undo(
            each,
            there.get(each.salesforce_id),
            schemas[each.sobject],
            us,
            belonging.get(each.salesforce_id, ()),
            statuses=statuses,
        )
        for each in due
        if each.salesforce_id not in waiting
    ]
    if waiting:
        desk.passes.another = True
    with desk.ledger.step():
        record_unchanged(desk, [each for each in decisions if each.action == "none"])
    sent = [each for each in decisions if each.action != "none"]
    volumes: dict[tuple[str, str], int] = {}
    for each in sent:
        written = each.sobject, str(each.action)
        volumes[written] = volumes.get(written, 0) + 1
    if sent:
        dispatch = Dispatch(desk, "what is taken back", volumes)
        dispatch.add(sent)
        dispatch.flush()


def decide_undo(
    due: DueUndo,
    there: Record | None,
    schema: SObjectSchema,
    us: str,
    belonging: Sequence[str],
    *,
    statuses: Set[tuple[str, str]],
) -> Decision:
    """Restores the values that are still ours, or deletes a record that nobody touched. Pure.

    Args:
        due: what is wanted.
        there: the record; None: it is not in the org.
        schema: of its object.
        us: our user.
        belonging: the objects of which something belongs to the record and stays.
        statuses: those that members of campaigns may have, by campaign, in small letters.
    """
    if there is None:
        return _left(due, NOT_THERE)
    if there.get(_IS_CONVERTED):
        return _left(due, CONVERTED)
    if due.fields is None:
        because = _why_not_deleted(due, there, schema, us, belonging)
        return _left(due, because) if because else _decision(due, "delete", {}, due.because)
    restored, others = {}, []
    for name, former in due.fields.items():
        known = schema.field(name)
        of_type = known.type if known else ""
        if known is None or not known.updateable:
            others.append(f"{name} may not be written by our user")
        elif name not in there:
            others.append(f"{name} cannot be read by our user")
        elif alike(there[name], former, of_type):
            others.append(f"{name} has that value")
        elif name in due.again:
            others.append(f"{name} was written again by cycle {due.again[name]}")
        elif not alike(there[name], due.written[name], of_type):
            others.append(f"{name} was changed since")
        elif (
            due.sobject == CAMPAIGN_MEMBER
            and name == _STATUS
            and (there[_CAMPAIGN], str(former).casefold()) not in statuses
        ):
            # Salesforce would store the campaign's default instead, and say nothing.
            others.append(f"{name} {former} is none of the campaign's any more")
        else:
            restored[name] = former
    if not restored:
        return _left(due, ", ".join(others))
    said = f"{due.because}; but {', '.join(others)}" if others else due.because
    decision = _decision(due, "update", restored, said)
    decision.replaces = there
    return decision


def _why_not_deleted(
    due: DueUndo, there: Record, schema: SObjectSchema, us: str, belonging: Sequence[str]
) -> str | None:
    """Why a record that we made stays; None: nobody touched it, and nothing belongs to it."""
    if RIGHTS["deletable"] not in schema.rights:
        return f"our user may not delete {schema.name} records"
    if because := _touched(due, there, us):
        return because
    if belonging:
        return f"something belongs to it: {', '.join(sorted(set(belonging)))}"
    return None


def _touched(due: DueUndo, there: Record, us: str) -> str | None:
    """Why a record is not, or may not be, as we left it when we had made it; None: it is."""
    if due.hidden_by is not None:
        again = f"cycle {due.hidden_by} wrote to it again"
        if due.was_touched:
            return f"it was changed before {again}"
        return f"{again}, and whether it was changed before is not known"
    if due.made_from is None or due.left_at is None:
        return UNKNOWN
    created, stamp = (
        datetime.fromisoformat(there[name]) for name in ("CreatedDate", "SystemModstamp")
    )
    maker, last = (there[name][:15] for name in ("CreatedById", "LastModifiedById"))
    if created < due.made_from - _ROUNDED or maker != us[:15]:
        return NOT_OURS
    return CHANGED if stamp > due.left_at or last != us[:15] else None


def _left(due: DueUndo, why: str) -> Decision:
    return _decision(due, "none", {}, why)


def _decision(due: DueUndo, action: Any, fields: dict[str, Any], reason: str) -> Decision:
    return Decision(
        due.operation_id,
        action,
        due.sobject,
        due.salesforce_id,
        fields,
        reason,
        altered=True,
        kind=UNDO,
    )


def _read(
    desk: Desk, due: Sequence[DueUndo], schemas: Mapping[str, SObjectSchema]
) -> tuple[Mapping[str, Record], Set[tuple[str, str]]]:
    """The records as they are now, with what is to be restored or tells that they were touched.

    And the statuses that the members among them may have, by campaign, in small letters.
    """
    queries: list[str] = []
    of_statuses: list[str] = []
    for sobject, of_object in groupby(due, key=attrgetter("sobject")):
        some = list(of_object)
        wanted = sorted({name for each in some for name in each.fields or ()})
        fields = ["Id", *schemas[sobject].readable([*wanted, _IS_CONVERTED]), *LAST_TOUCHED]
        if any(each.fields is None for each in some):
            fields += ["CreatedDate", "CreatedById"]
        ids = dict.fromkeys(each.salesforce_id for each in some)
        if sobject == CAMPAIGN_MEMBER and _STATUS in wanted:
            fields.append(_CAMPAIGN)
            of_statuses += [
                select((_CAMPAIGN, "Label"), STATUS, f"{_CAMPAIGN} IN ({members})")
                for members in packed_in_queries([_CAMPAIGN], sobject, "Id", ids)
            ]
        queries += packed_in_queries(dict.fromkeys(fields), sobject, "Id", ids)
    desk.allowance.demand_calls()
    pages = query_all(desk.org.log_in(), [*queries, *of_statuses]).records
    read, told = pages[: len(queries)], pages[len(queries) :]
    statuses = {(each[_CAMPAIGN], each["Label"].casefold()) for page in told for each in page}
    return {each["Id"]: each for page in read for each in page}, statuses


@dataclass(slots=True)
class _ChildFields:
    """By object, what may belong to its records; described once in a delivery."""

    desk: Desk
    _known: dict[str, list[ChildField]] = field(default_factory=dict)

    def of(self, sobjects: Iterable[str]) -> Mapping[str, Sequence[ChildField]]:
        missing = [each for each in sobjects if each not in self._known]
        if missing:
            self.desk.allowance.demand_calls()
            asked = self.desk.schemas.subrequests(missing)
            answers = composite(self.desk.org.log_in(), asked)
            self._known |= {
                name: child_fields_of(name, answer)
                for name, answer in zip(missing, answers, strict=True)
            }
        return self._known


def _belonging(
    desk: Desk,
    due: Sequence[DueUndo],
    there: Mapping[str, Record],
    child_fields: _ChildFields,
) -> tuple[set[str], dict[str, list[str]]]:
    """What belongs to records that are to be gone, and stays.

    Returns:
        Those of them that wait, as something that belongs to them is to be gone first; and by
        record, the objects of what stays.
    """
    gone = [each for each in due if each.fields is None and each.salesforce_id in there]
    if not gone:
        return set(), {}
    by_object = {
        sobject: [each.salesforce_id for each in some]
        for sobject, some in groupby(gone, key=attrgetter("sobject"))
    }
    of_objects = child_fields.of(by_object)
    desk.allowance.demand_calls()
    found: dict[str, Sequence[tuple[str, str]]] = {}
    for sobject, ids in by_object.items():
        found |= children_of(desk.org.log_in(), of_objects[sobject], ids)
    children = {child for some in found.values() for _, child in some}
    with_it = going(desk.ledger, children) if children else {}
    waiting = {
        record_id
        for record_id, some in found.items()
        if any(with_it.get(child) is False for _, child in some)
    }
    staying = {
        record_id: [sobject for sobject, child in some if child not in with_it]
        for record_id, some in found.items()
    }
    return waiting, staying
