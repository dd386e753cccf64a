"""Single records over HTTP, as most tests of the org need them."""

from datetime import timedelta
from typing import Any

import requests

from crm_pipeline_tests.local_org.wire import Caller

LEAD = {"LastName": "Lovelace", "FirstName": "Ada", "Company": "Engines"}


def create(acme: Caller, sobject: str = "Lead", **fields: Any) -> str:
    """Creates a record (a lead with what a lead needs) and returns its id."""
    given = {**(LEAD if sobject == "Lead" else {}), **fields}
    answer = acme.post(f"sobjects/{sobject}", json=given)
    assert answer.status_code == 201, answer.text
    record_id: str = answer.json()["id"]
    return record_id


def read(acme: Caller, sobject: str, record_id: str) -> dict[str, Any]:
    """Reads all fields of a record."""
    answer = acme.get(f"sobjects/{sobject}/{record_id}")
    assert answer.status_code == 200, answer.text
    record: dict[str, Any] = answer.json()
    return record


def update(acme: Caller, sobject: str, record_id: str, **fields: Any) -> None:
    """Changes a record, which must work."""
    answer = acme.call("PATCH", f"sobjects/{sobject}/{record_id}", json=fields)
    assert answer.status_code == 204, answer.text


def refused(acme: Caller, sobject: str, **fields: Any) -> dict[str, Any]:
    """The error of a record that cannot be created."""
    return error(acme.post(f"sobjects/{sobject}", json=fields))


def error(answer: requests.Response) -> dict[str, Any]:
    """The only error of an answer."""
    assert answer.status_code >= 400, answer.text
    (only,) = answer.json()
    assert isinstance(only, dict)
    return only


def deleted(acme: Caller, sobject: str = "Lead") -> list[str]:
    """The ids that getDeleted has of the last hour."""
    acme.org.clock_shift += timedelta(minutes=2)
    now = acme.org.now()
    window = {"start": (now - timedelta(hours=1)).isoformat(), "end": now.isoformat()}
    answer = acme.get(f"sobjects/{sobject}/deleted", params=window)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["deletedRecords"]]


def admin(acme: Caller, action: str, body: Any = None, method: str = "POST") -> Any:
    """Calls the admin path, which must work; returns its JSON."""
    answer = acme.http.request(method, f"{acme.url}/_admin/{action}", json=body, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()
