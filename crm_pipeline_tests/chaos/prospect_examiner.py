"""The examiner of prospects: what the org must hold, in plain code of its own.

It knows nothing of the pipeline's rules or tables: from the warehouse's rows and the org's people
it computes every record, and compares.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from sqlalchemy import Connection, text

from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.chaos.badge_examiner import OPEN, living
from crm_pipeline_tests.chaos.findings import Findings

Row = Mapping[str, Any]
Held = dict[str, tuple[Any, ...]]

KEYS = {
    "SW_Tag__c": "Tag_Id__c",
    "Score__c": "Score_Id__c",
    "Prospect__c": "Prospect_Id__c",
    "SW_Prospect_Tag__c": "Prospect_Tag_Key__c",
    "Prospect_Score__c": "Prospect_Score_Key__c",
    "Page_Prospect__c": "Page_Id__c",
    "SW_Tag_Segment_Trigger__c": "Record_Key__c",
    "Prospect_Score_Instance__c": "Record_Key__c",
    "Website_Visit__c": "Record_Key__c",
    "SW_Account_Tag_Segment_Trigger__c": "Record_Key__c",
    "Account_Score__c": "Record_Key__c",
    "SW_Opportunity_Tag__c": "Record_Key__c",
    "Opportunity_Score__c": "Record_Key__c",
}
"""The objects of the workflow, each with the field of its key."""

HAND = "hand"
"""How the keys of records begin that people made."""


@dataclass(slots=True)
class Source:
    """All that a client's product says, and the prospects in the order of their last changes."""

    tags: dict[str, str]
    scores: dict[str, str]
    prospects: list[dict[str, Any]]

    @classmethod
    def read(cls, rows: Connection, client: str, order: Sequence[str]) -> "Source":
        """Reads it from the warehouse."""

        def all_of(table: str) -> list[dict[str, Any]]:
            found = rows.execute(
                text(f"SELECT * FROM warehouse.{table} WHERE client_id = :c"), {"c": client}
            )
            return [dict(row) for row in found.mappings()]

        prospects = {
            e["prospect_id"]: e | {"tags": {}, "scores": {}, "pages": {}}
            for e in all_of("prospect")
        }
        for kind, id_ in (("tag", "tag_id"), ("score", "score_id"), ("page", "page_id")):
            for row in all_of(f"prospect_{kind}"):
                if row["prospect_id"] in prospects:
                    prospects[row["prospect_id"]][f"{kind}s"][row[id_]] = row
        return cls(
            {e["tag_id"]: e["name"] for e in all_of("tag_definition")},
            {e["score_id"]: e["name"] for e in all_of("score_definition")},
            [prospects[name] for name in order if name in prospects],
        )


@dataclass(frozen=True, slots=True)
class Model:
    """What the org must hold.

    Attributes:
        source: what the product says.
        org: where it is to be held.
        has_all: whether pages, Accounts and Opportunities are on.
        status: what each prospect says of itself; None: that comes with the next reading.
    """

    source: Source
    org: Org
    has_all: bool
    status: str | None

    def records(self) -> dict[str, Held]:
        """By object and key, the Name and what else is compared of it."""
        found: dict[str, Held] = {name: {} for name in KEYS}
        found["SW_Tag__c"] = {key: (name,) for key, name in self.source.tags.items()}
        found["Score__c"] = {key: (name,) for key, name in self.source.scores.items()}
        for each in self.source.prospects:
            name = each["prospect_id"]
            found["Prospect__c"][name] = (
                each["email"],
                float(each["temperature"]),
                bool(each["favorite"]),
                each["life_cycle"],
                self.status,
            )
            parts = ("SW_Prospect_Tag__c", "Prospect_Score__c", "Page_Prospect__c")
            self._given(found, parts, name, [each])
        for sobject in ("Lead", "Contact"):
            for person in self._people(sobject):
                parts = (
                    "SW_Tag_Segment_Trigger__c",
                    "Prospect_Score_Instance__c",
                    "Website_Visit__c",
                )
                self._given(found, parts, person["Id"], self.prospects_of(person))
        if self.has_all:
            for of, key, org_account in self._places():
                self._together(found, of, key, org_account)
        return found

    def prospects_of(self, person: Row) -> list[dict[str, Any]]:
        """The active prospects with a person's address, the one that changed last at the end."""
        email = (person.get("Email") or "").lower()
        return [
            each
            for each in self.source.prospects
            if email and each["life_cycle"] == "Active" and (each["email"] or "") == email
        ]

    def shown(self, person: Row) -> tuple[Any, ...]:
        """The mapped fields of a Lead or Contact."""
        of = self.prospects_of(person)
        if not of:
            return None, False, None
        return of[-1]["prospect_id"], bool(of[-1]["favorite"]), float(of[-1]["temperature"])

    def temperature(self, org_account: str) -> float | None:
        """That of an Account."""
        of = [self.prospects_of(each) for each in self._contacts(org_account)]
        known = [float(each[-1]["temperature"]) for each in of if each]
        return float(median(known)) if known else None

    def _people(self, sobject: str) -> list[Row]:
        rows = living(self.org.table(sobject).rows.values())
        return [each for each in rows if not each.get("IsConverted")]

    def _contacts(self, org_account: str) -> list[Row]:
        return [e for e in self._people("Contact") if e.get("AccountId") == org_account]

    def _places(self) -> Iterator[tuple[str, str, str]]:
        for each in living(self.org.table("Account").rows.values()):
            yield "Account", each["Id"], each["Id"]
        for each in living(self.org.table("Opportunity").rows.values()):
            if each.get("AccountId"):
                yield "Opportunity", each["Id"], each["AccountId"]

    def _given(
        self,
        found: dict[str, Held],
        objects: tuple[str, str, str],
        owner: str,
        prospects: Sequence[Mapping[str, Any]],
    ) -> None:
        tags, scores, pages = objects
        for each in prospects:
            for tag, said in each["tags"].items():
                if tag in self.source.tags:
                    name = self.source.tags[tag]
                    found[tags][f"{owner}:{tag}"] = (name, owner, tag, float(said["times"]))
            for score, said in each["scores"].items():
                if score in self.source.scores:
                    value = None if said["value"] is None else float(said["value"])
                    held = (self.source.scores[score], owner, score, value, said["grade"])
                    found[scores][f"{owner}:{score}"] = held
            for page, said in (each["pages"] if self.has_all else {}).items():
                key = page if pages == "Page_Prospect__c" else f"{owner}:{page}"
                found[pages][key] = (said["title"], owner)

    def _together(self, found: dict[str, Held], of: str, key: str, org_account: str) -> None:
        contacts = [self.prospects_of(each) for each in self._contacts(org_account)]
        everybody = {e["prospect_id"]: e for of_one in contacts for e in of_one}
        tag_object, score_object = (
            ("SW_Account_Tag_Segment_Trigger__c", "Account_Score__c")
            if of == "Account"
            else ("SW_Opportunity_Tag__c", "Opportunity_Score__c")
        )
        for tag, name in self.source.tags.items():
            times = [float(e["tags"][tag]["times"]) for e in everybody.values() if tag in e["tags"]]
            if times:
                found[tag_object][f"{key}:{tag}"] = (name, key, tag, sum(times))
        for score, name in self.source.scores.items():
            said = [
                next((e["scores"][score] for e in reversed(of_one) if score in e["scores"]), None)
                for of_one in contacts
            ]
            known = [each for each in said if each is not None]
            values = [float(each["value"]) for each in known if each["value"] is not None]
            grades = Counter(sorted(each["grade"] for each in known if each["grade"]))
            if known:
                held = (median(values) if values else None, _first(grades))
                found[score_object][f"{key}:{score}"] = (name, key, score, *held)


def _first(grades: Counter[str]) -> str | None:
    return max(grades, key=lambda each: (grades[each], -ord(each))) if grades else None


def examine(rows: Connection, model: Model) -> Findings:
    """What differs between the org and the model, and what is still to be done."""
    found = Findings()
    org, wanted = model.org, model.records()
    ids = {
        row["Id"]: row[key]
        for sobject, key in KEYS.items()
        if sobject.lower() in org.tables
        for row in org.table(sobject).rows.values()
    }
    for sobject, key in KEYS.items():
        if sobject.lower() not in org.tables:
            continue
        there: Held = {}
        for row in living(org.table(sobject).rows.values()):
            if str(row[key]).startswith(HAND) or is_of_a_converted_lead(org, row):
                continue
            if row[key] in there:
                found.doubled.append(f"{sobject} {row[key]}")
            there[row[key]] = _held(sobject, row, ids, status=model.status is not None)
        found.lost += [f"{sobject} {each}" for each in wanted[sobject].keys() - there.keys()]
        found.wrong += [f"{sobject} {e} is there" for e in there.keys() - wanted[sobject].keys()]
        found.wrong += [
            f"{sobject} {each} is {there[each]} and not {held}"
            for each, held in wanted[sobject].items()
            if each in there and there[each] != held
        ]
    for sobject in ("Lead", "Contact"):
        for row in living(org.table(sobject).rows.values()):
            names = ("Prospect_Id__c", "Favorite__c", "Temperature__c")
            shown = tuple(row.get(name) for name in names)
            if not row.get("IsConverted") and shown != model.shown(row):
                found.wrong.append(f"{row['Id']} shows {shown} and not {model.shown(row)}")
    if model.has_all:
        for row in living(org.table("Account").rows.values()):
            warm = row.get("Temperature__c")
            if warm != model.temperature(row["Id"]):
                found.wrong.append(f"{row['Id']} is {warm}, not {model.temperature(row['Id'])}")
    found.queued += rows.scalars(
        text("SELECT natural_key || ' is ' || state FROM crm.operation WHERE state = any(:open)"),
        {"open": list(OPEN)},
    )
    return found


def is_of_a_converted_lead(org: Org, row: Row) -> bool:
    """Returns whether a record is a copy at a Lead that was converted, which nobody touches."""
    lead = str(row.get("Record_Key__c") or "").partition(":")[0]
    known = org.table("Lead").rows.get(lead)
    return bool(known and known.get("IsConverted") and not known["IsDeleted"])


def _held(sobject: str, row: Row, ids: Mapping[str, str], *, status: bool) -> tuple[Any, ...]:
    """What is compared of a record; references by the keys of what they lead to."""
    if sobject == "Prospect__c":
        names = ("Email__c", "Temperature__c", "Favorite__c", "Life_Cycle__c")
        return (*(row.get(name) for name in names), row.get("Sync_Status__c") if status else None)
    owner = next(
        (
            row[n]
            for n in ("Prospect__c", "Lead__c", "Contact__c", "Account__c", "Opportunity__c")
            if row.get(n)
        ),
        None,
    )
    owner = ids.get(owner, owner) if owner else None
    if sobject in ("SW_Tag__c", "Score__c"):
        return (row["Name"],)
    if "Visit" in sobject or "Page" in sobject:
        return (row["Name"], owner)
    if "Tag" in sobject:
        return (row["Name"], owner, ids.get(row.get("SW_Tag__c") or ""), row.get("Times__c"))
    score = ids.get(row.get("Score__c") or "")
    return (row["Name"], owner, score, row.get("Value__c"), row.get("Grade__c"))
