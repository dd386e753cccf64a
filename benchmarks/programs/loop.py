"""The plain reading of spec 1: each registration on its own, by simple-salesforce."""

from typing import Any

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


def load() -> None:
    """Looks each person up, writes it, adds its activity."""
    task = Task.given()
    salesforce: Any = log_in(task)

    def first_of(sobject: str, fields: tuple[str, ...], email: str) -> Fields | None:
        wanted = f"SELECT Id, {', '.join(fields)} FROM {sobject} WHERE Email = {{}}"
        found = salesforce.query(format_soql(wanted, email))["records"]
        return found[0] if found else None

    for row in registrations(task):
        if known := first_of("Lead", LEAD_FIELDS, row["email"]):
            who_id = known["Id"]
            if changes := differing(lead(row), known):
                salesforce.Lead.update(who_id, changes)
        elif known := first_of("Contact", CONTACT_FIELDS, row["email"]):
            who_id = known["Id"]
            if changes := differing(contact(row), known):
                salesforce.Contact.update(who_id, changes)
        else:
            who_id = salesforce.Lead.create(lead(row))["id"]
        salesforce.Event.create(activity(row, who_id))


if __name__ == "__main__":
    perform(load)
