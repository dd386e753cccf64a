"""Declared objects and fields that an org lacks, as a real describe shows them."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from crm_pipeline.local_org.config import OrgConfig
from crm_pipeline.local_org.declared_types import declared_types
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.org_objects import OrgField, OrgObject, lacking
from crm_pipeline.sample.org_objects import objects_of_org

KEY = OrgField("Badge_Key__c", "Badge Key", "text", 255, is_key=True)
LEAD = OrgField("Lead__c", "Lead", "lookup", refers_to="Lead", children="Badges")
MASTER = OrgField("Account__c", "Account", "master_detail", refers_to="Account", children="Badges")
TEXT = OrgField("Text__c", "Text", "text", 100)
OTHERS = (
    OrgField("Long__c", "Long", "long_text", 32_768),
    OrgField("Mail__c", "Mail", "email"),
    OrgField("Phone__c", "Phone", "phone"),
    OrgField("Url__c", "Url", "url"),
    OrgField("Yes__c", "Yes", "checkbox"),
    OrgField("Number__c", "Number", "number", scale=2),
    OrgField("Time__c", "Time", "datetime"),
)


def badge(*fields: OrgField) -> OrgObject:
    return OrgObject("Badge__c", "Badge", "Badges", "For tests.", fields)


def described(
    needed: OrgObject,
    without: str = "",
    changes: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    **rights: bool,
) -> dict[str, SObjectSchema]:
    """The schemas of an org that has an object, but for what is changed of its fields."""
    objects = objects_of_org([needed])
    fields = objects[needed.name]["fields"]
    fields.pop(without, None)
    for name, change in changes.items():
        fields[name] |= change
    types = declared_types(OrgConfig.model_validate({"name": "org", "objects": objects}))
    of = types[needed.name.lower()]
    shown = [each.describe for each in of.fields.values()]
    return {needed.name: SObjectSchema.from_describe({**of.describe, "fields": shown, **rights})}


def test_an_org_with_everything_lacks_nothing():
    whole = badge(KEY, LEAD, TEXT, *OTHERS)
    assert lacking([whole], described(whole)) == []
    detail = badge(KEY, MASTER)
    assert lacking([detail], described(detail)) == []


def test_an_object_that_is_not_seen_is_named():
    needed = badge(KEY)
    assert lacking([needed], {}) == ["Badge__c: not in the org, or hidden from the user"]


def test_a_field_that_is_not_seen_is_named():
    needed = badge(KEY, TEXT, LEAD)
    assert lacking([needed], described(needed, without="Text__c")) == [
        "Badge__c.Text__c: not in the org, or hidden from the user"
    ]


@pytest.mark.parametrize(
    ("field", "change", "told"),
    [
        (TEXT, {"type": "double"}, "is of type double, not string"),
        (TEXT, {"length": 80}, "has room for 80 characters, not 100"),
        (TEXT, {"updateable": False}, "the user may not write it"),
        (TEXT, {"createable": False}, "the user may not write it"),
        (KEY, {"type": "textarea"}, "is of type textarea, not string"),
        (KEY, {"length": 80}, "has room for 80 characters, not 255"),
        (KEY, {"external_id": False}, "is no external id"),
        (KEY, {"unique": False}, "is not unique"),
        (KEY, {"case_sensitive": False}, "does not tell capitals from small letters"),
        (LEAD, {"reference_to": "Contact"}, "does not lead to Lead"),
        (OTHERS[0], {"length": 255}, "has room for 255 characters, not 32768"),
        (OTHERS[4], {"type": "string"}, "is of type string, not boolean"),
        (OTHERS[5], {"type": "string"}, "is of type string, not double"),
        (OTHERS[6], {"type": "date"}, "is of type date, not datetime"),
    ],
)
def test_a_field_that_is_otherwise_is_named(field: OrgField, change: dict[str, Any], told: str):
    needed = badge(*dict.fromkeys((KEY, field)))
    found = lacking([needed], described(needed, changes={field.name: change}))
    assert found == [f"Badge__c.{field.name}: {told}"]


def test_all_that_is_wrong_of_a_field_is_told_at_once():
    needed = badge(KEY)
    change = {"unique": False, "length": 18}
    assert lacking([needed], described(needed, changes={KEY.name: change})) == [
        "Badge__c.Badge_Key__c: has room for 18 characters, not 255, is not unique"
    ]


def test_rights_on_the_object_are_named():
    needed = badge(KEY)
    shown = described(needed, createable=False, deletable=False)
    assert lacking([needed], shown) == ["Badge__c: the user lacks Create, Delete"]


def test_what_is_only_read_needs_no_right_to_write():
    shown = described(badge(TEXT), changes={TEXT.name: {"createable": False, "updateable": False}})
    assert lacking([badge(replace(TEXT, only_read=True))], shown) == []
    assert lacking([badge(replace(TEXT, only_read=True, length=200))], shown) == [
        "Badge__c.Text__c: has room for 100 characters, not 200"
    ]


@pytest.mark.parametrize(
    ("only_read", "told"), [(False, ["Lead: the user lacks Edit"]), (True, [])]
)
def test_of_a_standard_object_edit_is_needed_where_it_is_written(only_read: bool, told: list[str]):
    lead = OrgObject("Lead", "Lead", "Leads", "", (replace(TEXT, only_read=only_read),))
    assert lacking([lead], described(lead, updateable=False, deletable=False)) == told
    assert lacking([lead], described(lead, queryable=False)) == ["Lead: the user lacks Read"]


def test_a_field_of_another_type_serves_where_its_values_fit():
    needed = badge(KEY, OrgField("Mail__c", "Mail", "email"), OrgField("N__c", "N", "number"))
    change = {"Mail__c": {"type": "string"}, "N__c": {"type": "percent"}}
    assert lacking([needed], described(needed, changes=change)) == []
