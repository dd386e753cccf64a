"""The objects that the engagement workflow keeps in an org (spec 3): the one declaration of them.

From it come what is written, the check of the org, the local org's objects, and the metadata that
a client's admin deploys.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from crm_pipeline.salesforce.org_objects import OrgField, OrgObject, field_on
from crm_pipeline.salesforce.record_keys import KEY_LENGTH

ObjectName = Literal[
    "tag",
    "score",
    "prospect",
    "prospect_tag",
    "prospect_score",
    "prospect_page",
    "person_tag",
    "person_score",
    "person_page",
    "account_tag",
    "account_score",
    "opportunity_tag",
    "opportunity_score",
]
"""The objects, by the names that the settings use for them; parents before their children."""

NAME_LENGTH = 80
"""Characters of the field Name, which every object has."""

_LONG = 32_768


@dataclass(frozen=True, slots=True)
class DeclaredObject:
    """An object: the API name by default, its labels, and its fields by the settings' names.

    The fields have their names by default too, and refer to objects by the settings' names.
    """

    name: str
    label: str
    plural: str
    says: str
    fields: Mapping[str, OrgField]


def _key(name: str, label: str) -> OrgField:
    return OrgField(name, label, "text", KEY_LENGTH, is_key=True)


def _text(name: str, label: str, length: int = 255) -> OrgField:
    return OrgField(name, label, "text", length)


def _lookup(name: str, label: str, refers_to: str, children: str) -> OrgField:
    return OrgField(name, label, "lookup", refers_to=refers_to, children=children)


def _number(name: str, label: str, scale: int = 0) -> OrgField:
    return OrgField(name, label, "number", scale=scale)


_OF_A_TAG = {
    "since": OrgField("Since__c", "Since", "datetime"),
    "times": _number("Times__c", "Times"),
}
_OF_A_SCORE = {"value": _number("Value__c", "Value", 2), "grade": _text("Grade__c", "Grade", 40)}
_OF_A_PAGE = {
    "kind": _text("Kind__c", "Kind", 40),
    "url": OrgField("URL__c", "URL", "url"),
    "title": _text("Title__c", "Title"),
    "referrer": OrgField("Referrer__c", "Referrer", "url"),
    "seconds": _number("Seconds__c", "Seconds"),
    "time": OrgField("Time__c", "Time", "datetime"),
}


def _of_a_person(children: str) -> dict[str, OrgField]:
    return {
        "key": _key("Record_Key__c", "Record Key"),
        "lead": _lookup("Lead__c", "Lead", "Lead", children),
        "contact": _lookup("Contact__c", "Contact", "Contact", children),
    }


DECLARED: Mapping[ObjectName, DeclaredObject] = {
    "tag": DeclaredObject(
        "SW_Tag__c",
        "Tag",
        "Tags",
        "A tag that prospects may have.",
        {
            "key": _key("Tag_Id__c", "Tag Id"),
            "category": _text("Category__c", "Category"),
            "description": OrgField("Description__c", "Description", "long_text", _LONG),
        },
    ),
    "score": DeclaredObject(
        "Score__c",
        "Score",
        "Scores",
        "A score that prospects may have: a number, or a grade.",
        {
            "key": _key("Score_Id__c", "Score Id"),
            "kind": _text("Kind__c", "Kind", 40),
            "description": OrgField("Description__c", "Description", "long_text", _LONG),
        },
    ),
    "prospect": DeclaredObject(
        "Prospect__c",
        "Prospect",
        "Prospects",
        "Somebody who is tracked, be it known who that is or not.",
        {
            "key": _key("Prospect_Id__c", "Prospect Id"),
            "email": OrgField("Email__c", "Email", "email"),
            "first_name": _text("First_Name__c", "First Name"),
            "last_name": _text("Last_Name__c", "Last Name"),
            "company": _text("Company__c", "Company"),
            "phone": OrgField("Phone__c", "Phone", "phone"),
            "favorite": OrgField("Favorite__c", "Favorite", "checkbox"),
            "temperature": _number("Temperature__c", "Temperature", 2),
            "predictive_score": _number("Predictive_Score__c", "Predictive Score", 2),
            "first_visit": OrgField("First_Visit__c", "First Visit", "datetime"),
            "last_visit": OrgField("Last_Visit__c", "Last Visit", "datetime"),
            "visits": _number("Visits__c", "Visits"),
            "life_cycle": _text("Life_Cycle__c", "Life Cycle", 40),
            "merged_into": _text("Merged_Into__c", "Merged Into"),
            "sync_status": _text("Sync_Status__c", "Sync Status", 40),
            "lead_attempts": _number("Lead_Sync_Attempts__c", "Lead Sync Attempts"),
            "contact_attempts": _number("Contact_Sync_Attempts__c", "Contact Sync Attempts"),
        },
    ),
    "prospect_tag": DeclaredObject(
        "SW_Prospect_Tag__c",
        "Prospect Tag",
        "Prospect Tags",
        "A tag of a prospect.",
        {
            "key": _key("Prospect_Tag_Key__c", "Prospect Tag Key"),
            "prospect": _lookup("Prospect__c", "Prospect", "prospect", "Prospect_Tags"),
            "tag": _lookup("SW_Tag__c", "Tag", "tag", "Prospect_Tags"),
            **_OF_A_TAG,
        },
    ),
    "prospect_score": DeclaredObject(
        "Prospect_Score__c",
        "Prospect Score",
        "Prospect Scores",
        "A score of a prospect.",
        {
            "key": _key("Prospect_Score_Key__c", "Prospect Score Key"),
            "prospect": _lookup("Prospect__c", "Prospect", "prospect", "Prospect_Scores"),
            "score": _lookup("Score__c", "Score", "score", "Prospect_Scores"),
            **_OF_A_SCORE,
        },
    ),
    "prospect_page": DeclaredObject(
        "Page_Prospect__c",
        "Prospect Page",
        "Prospect Pages",
        "A page that a prospect visited, a form submitted, or another event.",
        {
            "key": _key("Page_Id__c", "Page Id"),
            "prospect": _lookup("Prospect__c", "Prospect", "prospect", "Prospect_Pages"),
            **_OF_A_PAGE,
        },
    ),
    "person_tag": DeclaredObject(
        "SW_Tag_Segment_Trigger__c",
        "Engagement Tag",
        "Engagement Tags",
        "A tag of a Lead or Contact.",
        {
            **_of_a_person("Engagement_Tags"),
            "tag": _lookup("SW_Tag__c", "Tag", "tag", "Engagement_Tags"),
            **_OF_A_TAG,
        },
    ),
    "person_score": DeclaredObject(
        "Prospect_Score_Instance__c",
        "Engagement Score",
        "Engagement Scores",
        "A score of a Lead or Contact.",
        {
            **_of_a_person("Engagement_Scores"),
            "score": _lookup("Score__c", "Score", "score", "Engagement_Scores"),
            **_OF_A_SCORE,
        },
    ),
    "person_page": DeclaredObject(
        "Website_Visit__c",
        "Website Visit",
        "Website Visits",
        "A page that a Lead or Contact visited, a form submitted, or another event.",
        {**_of_a_person("Website_Visits"), **_OF_A_PAGE},
    ),
    "account_tag": DeclaredObject(
        "SW_Account_Tag_Segment_Trigger__c",
        "Account Tag",
        "Account Tags",
        "A tag that a Contact of an Account has.",
        {
            "key": _key("Record_Key__c", "Record Key"),
            "account": _lookup("Account__c", "Account", "Account", "Engagement_Tags"),
            "tag": _lookup("SW_Tag__c", "Tag", "tag", "Account_Tags"),
            **_OF_A_TAG,
        },
    ),
    "account_score": DeclaredObject(
        "Account_Score__c",
        "Account Score",
        "Account Scores",
        "A score that a Contact of an Account has.",
        {
            "key": _key("Record_Key__c", "Record Key"),
            "account": _lookup("Account__c", "Account", "Account", "Engagement_Scores"),
            "score": _lookup("Score__c", "Score", "score", "Account_Scores"),
            **_OF_A_SCORE,
        },
    ),
    "opportunity_tag": DeclaredObject(
        "SW_Opportunity_Tag__c",
        "Opportunity Tag",
        "Opportunity Tags",
        "A tag of an Opportunity's Account.",
        {
            "key": _key("Record_Key__c", "Record Key"),
            "opportunity": _lookup(
                "Opportunity__c", "Opportunity", "Opportunity", "Engagement_Tags"
            ),
            "tag": _lookup("SW_Tag__c", "Tag", "tag", "Opportunity_Tags"),
            **_OF_A_TAG,
        },
    ),
    "opportunity_score": DeclaredObject(
        "Opportunity_Score__c",
        "Opportunity Score",
        "Opportunity Scores",
        "A score of an Opportunity's Account.",
        {
            "key": _key("Record_Key__c", "Record Key"),
            "opportunity": _lookup(
                "Opportunity__c", "Opportunity", "Opportunity", "Engagement_Scores"
            ),
            "score": _lookup("Score__c", "Score", "score", "Opportunity_Scores"),
            **_OF_A_SCORE,
        },
    ),
}

PERSON_SOURCES: Mapping[str, OrgField] = {
    "prospect_id": _text("Prospect_Id__c", "Prospect Id"),
    **{
        column: declared
        for column, declared in DECLARED["prospect"].fields.items()
        if column
        in (
            "favorite",
            "temperature",
            "predictive_score",
            "first_visit",
            "last_visit",
            "visits",
            "life_cycle",
        )
    },
    "tags": OrgField("Tags__c", "Tags", "long_text", _LONG),
}
"""Values of a prospect that fields of a Lead or Contact may show, beside scores and grades."""

MATCH: Mapping[str, OrgField] = {
    "record": _text("Record__c", "Record Id", 18),
    "object": _text("Record_Object__c", "Record Object", 40),
    "prospect": _text("Prospect__c", "Prospect"),
    "version": _number("Match_Version__c", "Match Version"),
}
"""The fields of the event of a match, beside those that the record is to show.

Of one record a later version is greater; what is published again has the same.
"""

MASTERS: Mapping[ObjectName, str] = {
    "account_tag": "account",
    "account_score": "account",
    "opportunity_tag": "opportunity",
    "opportunity_score": "opportunity",
}
"""The lookups of objects that may be master-detail instead, where the account says so."""


@dataclass(frozen=True)
class Names:
    """The API names in one org.

    Attributes:
        prefix: before each name that is not chosen; that of a package not before fields of an
            object that is none of a package's.
        objects: chosen ones.
        fields: chosen ones, by object.
    """

    prefix: str
    objects: Mapping[ObjectName, str]
    fields: Mapping[ObjectName, Mapping[str, str]]

    def object(self, name: ObjectName) -> str:
        """The API name of an object."""
        return self.objects.get(name) or f"{self.prefix}{DECLARED[name].name}"

    def field(self, of: ObjectName, name: str) -> str:
        """The API name of a field of an object."""
        return self._api_names[of][name]

    @cached_property
    def values(self) -> Mapping[ObjectName, Mapping[str, str]]:
        """By object, the API names of the fields that are neither keys nor references."""
        return {
            of: {
                name: self.field(of, name)
                for name, field in declared.fields.items()
                if not field.is_key and field.refers_to is None
            }
            for of, declared in DECLARED.items()
        }

    @cached_property
    def _api_names(self) -> Mapping[ObjectName, Mapping[str, str]]:
        return {
            of: {
                name: self.fields.get(of, {}).get(name)
                or field_on(self.object(of), f"{self.prefix}{field.name}")
                for name, field in declared.fields.items()
            }
            for of, declared in DECLARED.items()
        }

    def declared(self, name: ObjectName, masters: tuple[str, ...]) -> OrgObject:
        """An object under these names; references of `masters` are master-detail."""
        of = DECLARED[name]
        return OrgObject(
            self.object(name),
            of.label,
            of.plural,
            of.says,
            tuple(self._fields(name, of, masters)),
        )

    def _fields(
        self, name: ObjectName, of: DeclaredObject, masters: tuple[str, ...]
    ) -> Iterator[OrgField]:
        for field, declared in of.fields.items():
            target: str | None = declared.refers_to
            for each in DECLARED:
                if each == target:
                    target = self.object(each)
            is_detail = field in masters and MASTERS.get(name) == field
            yield replace(
                declared,
                name=self.field(name, field),
                kind="master_detail" if is_detail else declared.kind,
                refers_to=target,
            )
