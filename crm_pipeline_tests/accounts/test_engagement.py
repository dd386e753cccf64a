"""Choices of an account for the engagement workflow, and the objects that follow."""

from collections import Counter
from typing import Any

import pytest

from crm_pipeline.accounts.account import AccountError, AccountSettings
from crm_pipeline.accounts.engagement import EngagementSettings

ALL = EngagementSettings(pages=True, accounts=True, opportunity_tags=True, opportunity_scores=True)


def names(chosen: EngagementSettings) -> list[str]:
    return [each.name for each in chosen.org_objects]


def test_the_objects_have_the_names_of_the_product():
    assert names(ALL) == [
        "SW_Tag__c",
        "Score__c",
        "Prospect__c",
        "SW_Prospect_Tag__c",
        "Prospect_Score__c",
        "Page_Prospect__c",
        "SW_Tag_Segment_Trigger__c",
        "Prospect_Score_Instance__c",
        "Website_Visit__c",
        "SW_Account_Tag_Segment_Trigger__c",
        "Account_Score__c",
        "SW_Opportunity_Tag__c",
        "Opportunity_Score__c",
        "Lead",
        "Contact",
        "Account",
    ]


def test_only_what_is_switched_on_is_needed():
    assert names(EngagementSettings()) == [
        "SW_Tag__c",
        "Score__c",
        "Prospect__c",
        "SW_Prospect_Tag__c",
        "Prospect_Score__c",
        "SW_Tag_Segment_Trigger__c",
        "Prospect_Score_Instance__c",
        "Lead",
        "Contact",
    ]
    assert "Page_Prospect__c" in names(EngagementSettings(pages=True))
    assert "Account_Score__c" in names(EngagementSettings(accounts=True))
    assert "Lead" not in names(EngagementSettings(person_fields={}))


def test_each_custom_object_has_one_key_and_parents_before_it():
    seen: set[str] = {"Lead", "Contact", "Account", "Opportunity"}
    for each in ALL.org_objects:
        if each.is_custom:
            assert [field.is_key for field in each.fields].count(True) == 1
            assert {field.refers_to for field in each.fields if field.refers_to} <= seen
            seen.add(each.name)


def test_what_a_parent_calls_its_children_is_unique_there():
    called = Counter(
        (field.refers_to, field.children)
        for each in ALL.org_objects
        for field in each.fields
        if field.refers_to
    )
    assert set(called.values()) == {1}


def test_a_prefix_and_chosen_names_hold_everywhere():
    chosen = EngagementSettings(
        prefix="saleswings__",
        objects={"prospect": "Visitor__c"},
        fields={"prospect": {"email": "Mail__c"}},
    )
    of = {each.name: each for each in chosen.org_objects}
    assert "Mail__c" in [field.name for field in of["Visitor__c"].fields]
    tag = of["saleswings__SW_Prospect_Tag__c"]
    assert [(field.name, field.refers_to) for field in tag.fields if field.refers_to] == [
        ("saleswings__Prospect__c", "Visitor__c"),
        ("saleswings__SW_Tag__c", "saleswings__SW_Tag__c"),
    ]
    # What the client has deployed has no fields of a package.
    assert of["Visitor__c"].fields[0].name == "Prospect_Id__c"
    assert [field.name for field in of["Lead"].fields] == [
        "saleswings__Prospect_Id__c",
        "saleswings__Favorite__c",
        "saleswings__Temperature__c",
    ]


@pytest.mark.parametrize(
    ("chosen", "fields"),
    [
        ({}, ["Record__c", "Hot__c"]),
        ({"prefix": "our_"}, ["our_Record__c", "Hot__c"]),
        ({"prefix": "sales__"}, ["sales__Record__c", "sales__Hot__c"]),
        ({"prefix": "sales__", "event": "Match__e"}, ["Record__c", "Hot__c"]),
    ],
)
def test_an_event_of_the_clients_own_has_no_fields_of_a_package(
    chosen: dict[str, Any], fields: list[str]
):
    """Nobody could have deployed the field that was wanted there."""
    shown = {"sales__Hot__c": "temperature"}
    made = EngagementSettings(by_event=True, person_fields=shown, **chosen)
    [event] = [each for each in made.org_objects if each.is_event]
    assert [event.fields[0].name, event.fields[-1].name] == fields


def test_fields_of_people_have_the_type_of_what_they_show():
    chosen = EngagementSettings(
        person_fields={"Hot__c": "score:17", "Class__c": "grade:a:b", "Tags__c": "tags"}
    )
    [lead] = [each for each in chosen.org_objects if each.name == "Lead"]
    assert [(field.name, field.kind) for field in lead.fields] == [
        ("Hot__c", "number"),
        ("Class__c", "text"),
        ("Tags__c", "long_text"),
    ]


def test_details_of_accounts_are_a_choice():
    chosen = EngagementSettings(accounts=True, opportunity_tags=True, master_detail=("account",))
    of = {each.name: each for each in chosen.org_objects}
    assert of["Account_Score__c"].is_detail
    assert not of["SW_Opportunity_Tag__c"].is_detail
    assert not of["Prospect_Score_Instance__c"].is_detail


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"fields": {"prospect": {"mail": "M__c"}}}, "prospect has no field 'mail'"),
        ({"person_fields": {"Hot__c": "score:"}}, "Hot__c shows 'score:'"),
        ({"person_fields": {"Hot__c": "heat"}}, "Hot__c shows 'heat'"),
        ({"person_fields": {"Hot__c": "tags", "hot__C": "visits"}}, "two fields of Lead"),
        ({"objects": {"score": "SW_Tag__c"}}, "two objects have the name SW_Tag__c"),
        ({"fields": {"score": {"kind": "Score_Id__c"}}}, "two fields of Score__c"),
        ({"opportunity_tags": True}, "need accounts"),
        ({"person_fields": {"Email": "tags"}}, "Email says who a person is"),
        ({"person_fields": {"A" * 41 + "__c": "tags"}}, "too long: Salesforce takes 40 characters"),
        (
            {"prefix": "our_client_", "accounts": True},
            "our_client_SW_Account_Tag_Segment_Trigger__c is too long",
        ),
        ({"objects": {"tag": "A___c"}}, "A___c is no name that Salesforce takes"),
        ({"person_fields": {"a__b__Hot__c": "tags"}}, "no name that Salesforce takes"),
        ({"prefix": "sales"}, "engagement.prefix = 'sales': a text that ends in an underscore"),
        ({"prefix": "longer_than_15_characters__"}, "prefix of a package at most, which has 15"),
        ({"objects": {"tag": "Lead"}}, "the API name of a custom object is expected"),
        ({"event": "Match__c"}, "the API name of a platform event is expected"),
        (
            {"fields": {"tag": {"category": "sales__Kind__c"}}},
            "SW_Tag__c is of no package, so it has no field sales__Kind__c",
        ),
        ({"page": True}, "there is no setting 'engagement.page'"),
    ],
)
def test_what_cannot_be_is_refused(chosen: dict[str, object], told: str):
    with pytest.raises(AccountError, match="Account acme: ") as refused:
        AccountSettings.parse("acme", {"engagement": chosen})
    assert told in str(refused.value)


def test_a_template_of_a_prospect_is_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match="X__c shows one thing of the prospect"):
        EngagementSettings.model_validate({"person_fields": {"X__c": {"source": "visits"}}})
