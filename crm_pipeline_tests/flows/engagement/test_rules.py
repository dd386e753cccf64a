"""The rules of the engagement workflow, without a database or an org."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from crm_pipeline.accounts.engagement import EngagementSettings
from crm_pipeline.flows.engagement.rules import (
    Basis,
    definition_of,
    definition_want,
    joined,
    person_wants,
    prospect_of,
    prospect_wants,
    status_of,
)
from crm_pipeline.ledger.engagement import (
    Definition,
    EngagedPerson,
    Prospect,
    ProspectToSay,
)
from crm_pipeline.ledger.records import ChildSet, RecordWant

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DEFINITIONS = {
    ("tag", "hot"): Definition("tag", "hot", NOW, {"name": "Hot"}),
    ("tag", "cold"): Definition("tag", "cold", NOW, {"name": "Cold"}),
    ("score", "fit"): Definition("score", "fit", NOW, {"name": "Fit"}),
}


def basis(**chosen: Any) -> Basis:
    return Basis(EngagementSettings(**chosen), DEFINITIONS, {}, NOW)


def ada(**changes: Any) -> Prospect:
    said: dict[str, Any] = {
        "prospect_id": "ada",
        "as_of": NOW,
        "email": "ada@x.example",
        "is_active": True,
        "columns": {"favorite": True, "temperature": 70},
        "tags": {"hot": {"times": 2}, "withdrawn": {}, "cold": {}},
        "scores": {"fit": {"value": 12, "grade": "B"}},
    }
    return Prospect(**(said | changes))


def to_say(**changes: Any) -> ProspectToSay:
    said: dict[str, Any] = {
        "is_gone": False,
        "is_due": True,
        "lead_attempts": 1,
        "contact_attempts": 0,
        "is_waiting": False,
        "has_given_up": False,
    }
    whole = {name: getattr(ada(), name) for name in Prospect.__dataclass_fields__}
    return ProspectToSay(**(whole | said | changes))


def lead(**changes: Any) -> EngagedPerson:
    said: dict[str, Any] = {
        "salesforce_id": "00Q1",
        "sobject": "Lead",
        "email": "ada@x.example",
        "is_there": True,
        "is_converted": False,
        "is_engaged": False,
        "columns": {},
    }
    return EngagedPerson(**(said | changes))


def fields_of(found: list[RecordWant | ChildSet], key: str) -> Mapping[str, Any] | None:
    [want] = [e for e in found if isinstance(e, RecordWant) and e.natural_key == key]
    return want.fields


@pytest.mark.parametrize(
    ("parts", "others"),
    [(("a:b", "c"), ("a", "b:c")), (("a\\", "b"), ("a", "\\:b")), (("a", ""), ("a:", ""))],
)
def test_no_two_pairs_have_one_key(parts: tuple[str, str], others: tuple[str, str]):
    assert joined(*parts) != joined(*others)


def test_a_name_fits_and_is_never_blank():
    def named(name: str) -> str:
        definition = Definition("tag", "hot", NOW, {"name": name})
        return str((definition_want(definition, basis()).fields or {})["Name"])

    assert named("\N{FIRE}" * 41) == "\N{FIRE}" * 40
    assert named(" " * 90 + "Hot") == "Hot"
    assert named(" ") == "-"


@pytest.mark.parametrize(
    ("life_cycle", "is_active"),
    [("Active", True), ("active", True), (None, True), ("Merged", False), ("Deleted", False)],
)
def test_a_prospect_is_active_unless_it_says_otherwise(life_cycle: str | None, is_active: bool):
    row = {
        "prospect_id": 17,
        "email": " Ada@X.example",
        "life_cycle": life_cycle,
        "tags": {"hot": {"times": 1, "since": None}},
        "scores": None,
        "changed_at": NOW,
    }
    found = prospect_of(row)
    assert found is not None
    assert (found.prospect_id, found.email, found.is_active) == ("17", "ada@x.example", is_active)
    assert (found.tags, found.scores) == ({"hot": {"times": 1}}, {})


def test_rows_without_an_id_say_nothing():
    row: dict[str, Any] = {
        "prospect_id": None,
        "email": None,
        "life_cycle": None,
        "tags": {},
        "scores": {},
    }
    for no_id in (None, "", " "):
        assert prospect_of({**row, "prospect_id": no_id}) is None
        assert definition_of({"what": "tag", "id": no_id, "name": "x"}) is None


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "Processed"),
        ({"is_waiting": True}, "Not Processed"),
        ({"has_given_up": True}, "Not Processed"),
        ({"is_waiting": True, "is_active": False}, "Processed"),
    ],
)
def test_a_prospect_is_processed_when_nothing_is_open(changes: dict[str, Any], status: str):
    assert status_of(to_say(**changes)) == status


def test_tags_that_nobody_defines_are_not_given():
    found = prospect_wants(to_say(), basis())
    sets = [each for each in found if isinstance(each, ChildSet)]
    assert {key for each in sets for key in each.natural_keys} == {
        "prospect_tag:ada:hot",
        "prospect_tag:ada:cold",
        "prospect_score:ada:fit",
    }


def test_one_that_is_not_due_says_only_how_it_stands():
    [want] = prospect_wants(to_say(is_due=False), basis())
    assert isinstance(want, RecordWant)
    assert (want.fields or {})["Lead_Sync_Attempts__c"] == 1


@pytest.mark.parametrize("gone", [{"is_gone": True}, {"clean_up": True}])
def test_what_is_gone_has_nothing(gone: dict[str, bool]):
    chosen = {name: on for name, on in gone.items() if name == "clean_up"}
    changes = {name: on for name, on in gone.items() if name == "is_gone"}
    found = prospect_wants(to_say(**changes), basis(**chosen))
    assert fields_of(found, "prospect:ada") is None
    assert all(not e.natural_keys for e in found if isinstance(e, ChildSet))


def test_fields_of_a_person_show_what_the_account_chose():
    shown = {
        "Id__c": "prospect_id",
        "Fav__c": "favorite",
        "Tags__c": "tags",
        "Fit__c": "score:fit",
        "Class__c": "grade:fit",
        "No__c": "score:withdrawn",
        "Visits__c": "visits",
    }
    found, is_engaged = person_wants(lead(), [ada()], basis(person_fields=shown))
    assert is_engaged
    assert fields_of(found, "engaged:00Q1") == {
        "Id__c": "ada",
        "Fav__c": True,
        "Tags__c": "Cold; Hot",
        "Fit__c": 12,
        "Class__c": "B",
        "No__c": None,
        "Visits__c": None,
    }


def test_of_several_the_last_speaks_and_copies_are_of_all():
    twin = ada(prospect_id="twin", tags={}, scores={"fit": {"value": 99}})
    found, _ = person_wants(lead(), [ada(), twin], basis())
    assert (fields_of(found, "engaged:00Q1") or {})["Prospect_Id__c"] == "twin"
    assert (fields_of(found, "person_score:00Q1:fit") or {})["Value__c"] == 99
    assert fields_of(found, "person_tag:00Q1:hot") is not None


@pytest.mark.parametrize(
    ("person", "prospects", "wants"),
    [
        (lead(), [], 0),
        (lead(is_converted=True), [ada()], 0),
        (lead(is_there=False), [ada()], 0),
        (lead(is_engaged=True), [], 2),
        (lead(is_engaged=True, is_there=False), [ada()], 1),
        (lead(is_engaged=True, is_converted=True), [], 0),
    ],
)
def test_who_has_no_prospect_gets_nothing(
    person: EngagedPerson, prospects: list[Prospect], wants: int
):
    found, is_engaged = person_wants(person, prospects, basis())
    assert len(found) == wants
    assert is_engaged is (person.is_converted and person.is_engaged)


def test_a_definition_that_is_gone_is_to_be_deleted():
    hot = DEFINITIONS["tag", "hot"]
    assert definition_want(hot, basis(), is_gone=True).fields is None
    assert (definition_want(hot, basis()).fields or {})["Name"] == "Hot"
