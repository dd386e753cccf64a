"""A good engineer's glue for tracked leads: simple-salesforce, 200 records to a request."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import phonenumbers
from simple_salesforce.api import Salesforce
from simple_salesforce.format import format_soql
from sqlalchemy import RowMapping, create_engine

from benchmarks import job
from benchmarks.programs.plainly import log_in
from benchmarks.task import Task
from crm_pipeline.database.statements import statement

SIZE = 200
"""Salesforce: records to a request of sObject collections."""

REGION = "DE"

Fields = dict[str, Any]
Item = TypeVar("Item")


def load(task: Task) -> None:
    """Looks all people up, by address or number, and writes them, one request after the other."""
    salesforce = log_in(task)
    rows = _tracked_leads(task)
    emails = [row["email"] for row in rows if row["email"]]
    by_email = _by_email(salesforce, "Contact", emails) | _by_email(salesforce, "Lead", emails)
    by_number = _by_number(salesforce)
    changes: dict[str, list[Fields]] = {"Lead": [], "Contact": []}
    new = []
    for row in rows:
        found = by_email.get(row["email"]) if row["email"] else by_number.get(_key(row["phone"]))
        if found is None:
            new.append(_lead(row))
            continue
        sobject, record = found
        wanted = _details(row) | _touches(row)
        differing = {
            name: value
            for name, value in wanted.items()
            if value is not None
            and (not record.get(name) or (name.startswith("Last_") and record[name] != value))
        }
        if differing:
            changes[sobject].append({"Id": record["Id"], **differing})
    for sobject, records in changes.items():
        _write(salesforce, "PATCH", sobject, records)
    _write(salesforce, "POST", "Lead", new)


def _tracked_leads(task: Task) -> list[RowMapping]:
    database = create_engine(task.database_url)
    everything = {"client_id": job.CLIENT, "since": "-infinity"}
    with database.connect() as connection:
        rows = connection.execute(statement("extract/tracked_leads"), everything).mappings().all()
    database.dispose()
    return list(rows)


_READ = (
    "Id, Email, Phone, MobilePhone, FirstName, LastName, LeadSource, Tracker_Id__c, "
    "First_Source__c, First_Gclid__c, Last_Source__c, Last_Gclid__c"
)


def _by_email(
    salesforce: Salesforce, sobject: str, emails: Sequence[str]
) -> dict[str, tuple[str, Fields]]:
    wanted = f"SELECT {_READ} FROM {sobject} WHERE Email IN {{}}"
    found: dict[str, tuple[str, Fields]] = {}
    for some in _batches(emails):
        for record in salesforce.query_all(format_soql(wanted, some))["records"]:
            found.setdefault(record["Email"].lower(), (sobject, record))
    return found


def _by_number(salesforce: Salesforce) -> dict[str | None, tuple[str, Fields]]:
    """Everybody in the org who has a number of their own, by it."""
    found: dict[str | None, list[tuple[str, Fields]]] = {}
    for sobject in ("Lead", "Contact"):
        everybody = f"SELECT {_READ} FROM {sobject} WHERE Phone != null OR MobilePhone != null"
        for record in salesforce.query_all(everybody)["records"]:
            for number in {_key(record["Phone"]), _key(record["MobilePhone"])} - {None}:
                found.setdefault(number, []).append((sobject, record))
    return {number: people[0] for number, people in found.items() if len(people) == 1}


def _key(text: str | None) -> str | None:
    if not text:
        return None
    try:
        number = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _details(row: RowMapping) -> Fields:
    first, _, last = (row["contact_name"] or "").rpartition(" ")
    return {
        "FirstName": first or None,
        "LastName": last or None,
        "Email": row["email"],
        "Phone": _key(row["phone"]) or row["phone"],
        "LeadSource": "Web",
    }


def _touches(row: RowMapping) -> Fields:
    return {
        "Tracker_Id__c": str(row["lead_id"]),
        "First_Source__c": row["source"],
        "First_Gclid__c": row["gclid"],
        "Last_Source__c": row["source"],
        "Last_Gclid__c": row["gclid"],
    }


def _lead(row: RowMapping) -> Fields:
    wanted = _details(row) | _touches(row) | {"Company": row["company_name"] or "[not provided]"}
    said = {name: value for name, value in wanted.items() if value is not None}
    return {"LastName": "[not provided]", **said}


def _write(salesforce: Salesforce, method: str, sobject: str, records: Sequence[Fields]) -> None:
    for some in _batches(records):
        body: dict[str, Any] = {
            "allOrNone": False,
            "records": [{"attributes": {"type": sobject}, **record} for record in some],
        }
        results: Any = salesforce.restful("composite/sobjects", method=method, json=body)
        failed = [result["errors"] for result in results if not result["success"]]
        if failed:
            raise RuntimeError(f"{len(failed)} records of {sobject} failed, as {failed[0]}")


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), SIZE):
        yield items[start : start + SIZE]
