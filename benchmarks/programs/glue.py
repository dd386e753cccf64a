"""A good engineer's glue: the same with simple-salesforce, but 200 records to a request."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from simple_salesforce.api import Salesforce
from simple_salesforce.format import format_soql

from benchmarks.programs.plainly import (
    CONTACT_FIELDS,
    LEAD_FIELDS,
    Fields,
    activity,
    contact,
    differing,
    lead,
    log_in,
    registrations,
)
from benchmarks.task import Task, perform

SIZE = 200
"""Salesforce: records to a request of sObject collections."""

Item = TypeVar("Item")


def load() -> None:
    """Looks all people up, writes them, adds their activities, one request after the other."""
    task = Task.given()
    salesforce = log_in(task)
    rows = list(registrations(task))
    emails = [row["email"] for row in rows]
    leads = _find(salesforce, "Lead", LEAD_FIELDS, emails)
    others = [email for email in emails if email not in leads]
    contacts = _find(salesforce, "Contact", CONTACT_FIELDS, others)
    lead_changes, contact_changes, new_leads = [], [], []
    who_ids: dict[str, str] = {}
    for row in rows:
        email = row["email"]
        if known := leads.get(email):
            who_ids[email] = known["Id"]
            if changes := differing(lead(row), known):
                lead_changes.append({"Id": known["Id"], **changes})
        elif known := contacts.get(email):
            who_ids[email] = known["Id"]
            if changes := differing(contact(row), known):
                contact_changes.append({"Id": known["Id"], **changes})
        else:
            new_leads.append(lead(row))
    _write(salesforce, "PATCH", "Lead", lead_changes)
    _write(salesforce, "PATCH", "Contact", contact_changes)
    ids = _write(salesforce, "POST", "Lead", new_leads)
    who_ids |= {fields["Email"]: made for fields, made in zip(new_leads, ids, strict=True)}
    events = [activity(row, who_ids[row["email"]]) for row in rows]
    _write(salesforce, "POST", "Event", events)


def _find(
    salesforce: Salesforce, sobject: str, fields: tuple[str, ...], emails: Sequence[str]
) -> dict[str, Fields]:
    wanted = f"SELECT Id, {', '.join(fields)} FROM {sobject} WHERE Email IN {{}}"
    found: dict[str, Fields] = {}
    for some in _batches(emails):
        for record in salesforce.query_all(format_soql(wanted, some))["records"]:
            found.setdefault(record["Email"].lower(), record)
    return found


def _write(
    salesforce: Salesforce, method: str, sobject: str, records: Sequence[Fields]
) -> list[str]:
    ids = []
    for some in _batches(records):
        body: dict[str, Any] = {
            "allOrNone": False,
            "records": [{"attributes": {"type": sobject}, **record} for record in some],
        }
        results: Any = salesforce.restful("composite/sobjects", method=method, json=body)
        failed = [result["errors"] for result in results if not result["success"]]
        if failed:
            raise RuntimeError(f"{len(failed)} records of {sobject} failed, as {failed[0]}")
        ids += [result["id"] for result in results]
    return ids


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), SIZE):
        yield items[start : start + SIZE]


if __name__ == "__main__":
    perform(load)
