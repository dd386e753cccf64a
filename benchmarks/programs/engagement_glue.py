"""A good engineer's glue for prospects: simple-salesforce, 200 records a request, in turn."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from simple_salesforce.api import Salesforce
from simple_salesforce.format import format_soql
from sqlalchemy import RowMapping, create_engine

from benchmarks import job
from benchmarks.programs.plainly import log_in
from benchmarks.task import Task
from crm_pipeline.database.statements import statement

SIZE = 200
"""Salesforce: records to a request of sObject collections."""

Fields = dict[str, Any]
Item = TypeVar("Item")

_PROSPECT = {
    "email": "Email__c",
    "first_name": "First_Name__c",
    "last_name": "Last_Name__c",
    "company": "Company__c",
    "phone": "Phone__c",
    "temperature": "Temperature__c",
    "visits": "Visits__c",
    "life_cycle": "Life_Cycle__c",
}


def load(task: Task) -> None:
    """Upserts definitions, prospects, what they have, and copies of that at their Leads."""
    salesforce = log_in(task)
    definitions, prospects = _read(task)
    for kind, sobject in (("tag", "SW_Tag"), ("score", "Score")):
        rows = [
            {f"{kind.title()}_Id__c": each["id"], "Name": each["name"]}
            for each in definitions
            if each["what"] == kind
        ]
        _upsert(salesforce, f"{sobject}__c", f"{kind.title()}_Id__c", rows)
    names = {(each["what"], each["id"]): each["name"] for each in definitions}
    _upsert(salesforce, "Prospect__c", "Prospect_Id__c", [_prospect(each) for each in prospects])
    for kind, sobject in (("tags", "SW_Prospect_Tag__c"), ("scores", "Prospect_Score__c")):
        rows = [
            {**given, "Prospect__r": {"Prospect_Id__c": each["prospect_id"]}}
            for each in prospects
            for given in _given(each, kind, names, each["prospect_id"])
        ]
        key = "Prospect_Tag_Key__c" if kind == "tags" else "Prospect_Score_Key__c"
        _upsert(salesforce, sobject, key, [_keyed(row, key) for row in rows])
    leads = _leads(salesforce, [each["email"] for each in prospects])
    matched = [(each, lead) for each in prospects for lead in leads.get(each["email"], ())]
    shown = [
        {
            "attributes": {"type": "Lead"},
            "Id": lead,
            "Prospect_Id__c": each["prospect_id"],
            "Favorite__c": bool(each["favorite"]),
            "Temperature__c": _number(each["temperature"]),
        }
        for each, lead in matched
    ]
    for some in _batches(shown):
        _checked(_call(salesforce, "", some))
    for kind, sobject in (
        ("tags", "SW_Tag_Segment_Trigger__c"),
        ("scores", "Prospect_Score_Instance__c"),
    ):
        rows = [
            {**given, "Lead__c": lead}
            for each, lead in matched
            for given in _given(each, kind, names, lead)
        ]
        _upsert(
            salesforce, sobject, "Record_Key__c", [_keyed(row, "Record_Key__c") for row in rows]
        )
    done = [{"Prospect_Id__c": e["prospect_id"], "Sync_Status__c": "Processed"} for e, _ in matched]
    _upsert(salesforce, "Prospect__c", "Prospect_Id__c", done)


def _read(task: Task) -> tuple[list[RowMapping], list[RowMapping]]:
    database = create_engine(task.database_url)
    everything = {"client_id": job.CLIENT, "since": "-infinity", "prospect_ids": None}
    with database.connect() as connection:
        found = [
            list(connection.execute(statement(f"extract/engagement/{name}"), everything).mappings())
            for name in ("definitions", "prospects")
        ]
    database.dispose()
    return found[0], found[1]


def _prospect(row: RowMapping) -> Fields:
    said = {field: row[column] for column, field in _PROSPECT.items()}
    said["Temperature__c"] = _number(row["temperature"])
    return {"Prospect_Id__c": row["prospect_id"], "Name": row["email"], **said}


def _given(
    row: RowMapping, kind: str, names: dict[tuple[str, str], str], owner: str
) -> Iterator[Fields]:
    for given, said in row[kind].items():
        fields: Fields = {"key": f"{owner}:{given}", "Name": names[kind.removesuffix("s"), given]}
        if kind == "tags":
            fields |= {"SW_Tag__r": {"Tag_Id__c": given}, "Times__c": said["times"]}
        else:
            fields |= {"Score__r": {"Score_Id__c": given}, "Value__c": said["value"]}
        yield fields


def _keyed(row: Fields, key: str) -> Fields:
    return {key: row.pop("key"), **row}


def _leads(salesforce: Salesforce, emails: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for some in _batches(emails):
        query = format_soql("SELECT Id, Email FROM Lead WHERE Email IN {}", some)
        for record in salesforce.query_all(query)["records"]:
            found.setdefault(record["Email"].lower(), []).append(record["Id"])
    return found


def _upsert(salesforce: Salesforce, sobject: str, key: str, rows: Sequence[Fields]) -> None:
    for some in _batches(rows):
        records = [{"attributes": {"type": sobject}, **row} for row in some]
        _checked(_call(salesforce, f"/{sobject}/{key}", records))


def _call(salesforce: Salesforce, path: str, records: Sequence[Fields]) -> Any:
    return salesforce.restful(
        f"composite/sobjects{path}", method="PATCH", json={"allOrNone": False, "records": records}
    )


def _checked(answers: list[Fields]) -> None:
    if failed := [each for each in answers if not each["success"]]:
        raise RuntimeError(f"{len(failed)} records were refused: {failed[0]['errors']}")


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), SIZE):
        yield items[start : start + SIZE]
