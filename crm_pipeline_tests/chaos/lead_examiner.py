"""The examiner of tracked leads: each person once, with both touches; in plain code of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from crm_pipeline.database.statements import statement
from crm_pipeline_tests.chaos.badge_examiner import OPEN
from crm_pipeline_tests.chaos.findings import Findings


@dataclass(frozen=True, slots=True)
class Wanted:
    """Somebody whom the tracker knows: the id of the first lead, and how the org is to have them.

    `email` and `phone` are None where there is none; `first` and `last` are the sources of the
    touches.
    """

    lead_id: str
    sobject: str
    email: str | None
    phone: str | None
    first: str
    last: str


def examine(
    rows: Connection,
    leads: Sequence[Mapping[str, Any]],
    contacts: Sequence[Mapping[str, Any]],
    wanted: Sequence[Wanted],
) -> Findings:
    """Breaches of the promise about tracked leads, by all living records of the org."""
    found = examine_records(leads, contacts, wanted)
    accounts = list(rows.scalars(text("SELECT account_id FROM crm.account")))
    verdicts = rows.execute(
        statement("checks/every_tracked_lead_is_accounted_for"), {"account_ids": accounts}
    )
    found.lost += [
        f"{each.unaccounted_for} leads unaccounted for" for each in verdicts if not each.passed
    ]
    found.queued += rows.scalars(
        text("SELECT natural_key || ' is ' || state FROM crm.operation WHERE state = any(:open)"),
        {"open": list(OPEN)},
    )
    return found


def examine_records(
    leads: Sequence[Mapping[str, Any]],
    contacts: Sequence[Mapping[str, Any]],
    wanted: Sequence[Wanted],
) -> Findings:
    """Breaches that the records alone show."""
    found = Findings()
    told: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for sobject, records in (("Lead", leads), ("Contact", contacts)):
        for record in records:
            if lead_id := record.get("Tracker_Id__c"):
                told.setdefault(lead_id, []).append((sobject, record))
            elif sobject == "Lead":
                found.wrong.append(f"a lead without an id of the tracker: {record['Id']}")
    for each in wanted:
        have = told.pop(each.lead_id, [])
        if not have:
            found.lost.append(f"whoever is behind lead {each.lead_id} is missing")
            continue
        if len(have) > 1:
            found.doubled.append(f"lead {each.lead_id} is {len(have)} people")
        sobject, record = have[0]
        is_so = (
            sobject,
            (record.get("Email") or "").lower() or None,
            record.get("Phone"),
            record.get("First_Source__c"),
            record.get("Last_Source__c"),
        )
        should = (each.sobject, each.email, each.phone, each.first, each.last)
        if is_so != should:
            found.wrong.append(f"lead {each.lead_id} is {is_so}, and not {should}")
    found.wrong += [f"lead {lead_id} is to be nobody, and is there" for lead_id in told]
    return found
