"""Marks by which tracked leads and the org's people know each other; noted as they come and go."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from typing import Any

from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.chaos.evidence import address

PEOPLE = ("Lead", "Contact")


def number(said: str | None) -> str:
    """A German phone number with its country's code, in digits."""
    digits = re.sub(r"\D", "", said or "")
    return "49" + re.sub("^(0049|49|0)", "", digits) if digits else ""


def marks(email: str | None, phone: str | None, lead_id: str | None) -> frozenset[str]:
    """Whatever somebody may be known by."""
    said = (("email", address(email or "")), ("phone", number(phone)), ("id", lead_id))
    return frozenset(f"{kind} {value}" for kind, value in said if value)


class Marks:
    """The marks that each Lead and Contact of an org ever had.

    Attributes:
        had: by the record's Id.
    """

    def __init__(self) -> None:
        self.had: defaultdict[str, set[str]] = defaultdict(set)

    def note(self, org: Org) -> None:
        """Notes how it is now."""
        for sobject in PEOPLE:
            for each in org.table(sobject).rows.values():
                of_record = marks(each.get("Email"), each.get("Phone"), each.get("Tracker_Id__c"))
                self.had[each["Id"]].update(of_record)


def became(people: Mapping[str, Mapping[str, Any]], record_id: str) -> str:
    """The record that stands for a person now, by conversions and merges."""
    while following := _next(people.get(record_id, {})):
        record_id = following
    return record_id


def lineage(people: Mapping[str, Mapping[str, Any]], record_id: str) -> Set[str]:
    """All records that became this one, and it itself."""
    return {each for each in people if became(people, each) == became(people, record_id)}


def reached(known: Iterable[str], leads: Mapping[str, frozenset[str]]) -> set[str]:
    """The leads that have one of these marks, or one that such a lead has, and so on."""
    found: set[str] = set()
    seen = set(known)
    while more := {lead for lead in leads.keys() - found if leads[lead] & seen}:
        found |= more
        seen |= {mark for lead in more for mark in leads[lead]}
    return found


def _next(record: Mapping[str, Any]) -> str | None:
    following: str | None = record.get("MasterRecordId") or record.get("ConvertedContactId")
    return following
