"""The shared parts of the loop and the glue: the login, the extract, the mapping of spec 1."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from sqlalchemy import RowMapping, create_engine

from benchmarks import job
from benchmarks.task import Task
from crm_pipeline.database.statements import statement

PERSON_FIELDS = {
    "FirstName": "FirstName",
    "LastName": "LastName",
    "Salutation": "Salutation",
    "Title": "Title",
    "Street": "MailingStreet",
    "City": "MailingCity",
    "State": "MailingState",
    "PostalCode": "MailingPostalCode",
    "Country": "MailingCountry",
    "Phone": "Phone",
    "Email": "Email",
    "LeadSource": "LeadSource",
}
"""Fields of a Lead, and the same of a Contact."""

LEAD_FIELDS = (*PERSON_FIELDS, "Company")
CONTACT_FIELDS = tuple(PERSON_FIELDS.values())

Fields = dict[str, Any]


class _ToThisMachine(HTTPAdapter):
    """simple-salesforce knows https only: its requests go to the local org instead."""

    def __init__(self, org_url: str) -> None:
        super().__init__()
        self._netloc = urlsplit(org_url).netloc

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        parts = urlsplit(request.url or "")
        request.url = parts._replace(scheme="http", netloc=self._netloc).geturl()
        return super().send(request, *args, **kwargs)


def log_in(task: Task) -> Salesforce:
    """A simple-salesforce client of the org, by SOAP login."""
    session = requests.Session()
    session.mount("https://", _ToThisMachine(task.org_url))
    return Salesforce(
        username=task.username,
        password=task.password,
        security_token=task.security_token,
        session=session,
    )


def registrations(task: Task) -> Iterator[RowMapping]:
    """The job's registrations, by the statement that the pipeline itself reads them with."""
    engine = create_engine(task.database_url)
    everything: dict[str, Any] = {
        "client_id": job.CLIENT,
        "since": "-infinity",
        "sessions": None,
        "backfilled": [],
        "again": [],
    }
    with engine.connect().execution_options(stream_results=True) as connection:
        rows = connection.execute(statement("extract/registrations"), everything).mappings()
        yield from rows


def lead(row: RowMapping) -> Fields:
    """The fields of a registration's Lead."""
    lines = (row["address_1"], row["address_2"], row["address_3"])
    return {
        "FirstName": row["first_name"],
        "LastName": row["surname"],
        "Salutation": row["title"],
        "Title": row["job_title"],
        "Company": row["company_name"],
        "Street": "\n".join(line for line in lines if line),
        "City": row["city"],
        "State": row["county"],
        "PostalCode": row["postal_code"],
        "Country": row["country_code"],
        "Phone": row["phone_1"],
        "Email": row["email"],
        "LeadSource": "Webinar",
    }


def contact(row: RowMapping) -> Fields:
    """The fields of a registration's Contact."""
    return {PERSON_FIELDS[f]: value for f, value in lead(row).items() if f in PERSON_FIELDS}


def differing(wanted: Fields, found: Mapping[str, Any]) -> Fields:
    """The fields that the org has otherwise."""
    return {field: value for field, value in wanted.items() if found[field] != value}


def activity(row: RowMapping, who_id: str) -> Fields:
    """The activity of a registration at a Lead or a Contact."""
    moment = row["registered_at"]
    return {
        "Subject": "Webinar Registration",
        "ActivityDate": moment.date().isoformat(),
        "ActivityDateTime": moment.isoformat(),
        "DurationInMinutes": 0,
        "WhoId": who_id,
    }
