"""An account's choices for the engagement workflow (spec 3): plain, frozen values."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from crm_pipeline.accounts.engagement_objects import (
    DECLARED,
    MATCH,
    PERSON_SOURCES,
    Names,
    ObjectName,
)
from crm_pipeline.accounts.spelling import CustomObjectName, EventName, FieldApiName, Prefix
from crm_pipeline.salesforce.org_objects import OrgField, OrgObject, field_on, package_of

_API_NAME = re.compile(r"^([A-Za-z](_?[A-Za-z0-9]){0,14}__)?[A-Za-z](_?[A-Za-z0-9])*__[ce]$")
_LONGEST_NAME = 40
"""Characters of an API name of the client's own, without the package and what it ends in."""

_NOT_OURS = frozenset(
    ("id", "email", "name", "firstname", "lastname", "ownerid", "accountid", "recordtypeid")
)
"""Fields of Lead and Contact that may not be mapped, in small letters."""

_OF_A_SCORE: Mapping[str, OrgField] = {
    "score": OrgField("Score__c", "Score", "number", scale=2),
    "grade": OrgField("Grade__c", "Grade", "text", 40),
}
"""The form of one score that a field of a person may show: `score:17`, `grade:17`."""


class EngagementSettings(BaseModel):
    """One client's choices for the engagement workflow; `{}` is a complete choice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prefix: Prefix = Field(
        default="",
        description="Before the API name of each object and field, such as saleswings__.",
    )
    objects: Mapping[ObjectName, CustomObjectName] = Field(
        default={}, description="API names of objects that are called otherwise."
    )
    fields: Mapping[ObjectName, Mapping[str, FieldApiName]] = Field(
        default={},
        description="API names of fields that are called otherwise, by object.",
    )
    person_fields: Mapping[FieldApiName, str] | None = Field(
        default=None,
        description="Fields of Lead and Contact, and what of the prospect each shows: prospect_id, "
        "favorite, temperature, predictive_score, first_visit, last_visit, visits, life_cycle, "
        "tags, score:ID or grade:ID. No template: the field has the type of what it shows. None: "
        "Prospect_Id__c, Favorite__c and Temperature__c.",
    )
    temperature_of_account: FieldApiName | None = Field(
        default=None,
        description="Field of Account with the median temperature of its Contacts; none: "
        "Temperature__c.",
    )
    master_detail: tuple[Literal["account", "opportunity"], ...] = Field(
        default=(),
        description="Whether tags and scores are details of their Account or Opportunity, where "
        "the org has them so.",
    )
    pages: bool = Field(
        default=False, description="Pages are kept as well; they are many, so this is off."
    )
    accounts: bool = Field(
        default=False, description="Tags, scores and temperature are brought to Accounts."
    )
    opportunity_tags: bool = Field(
        default=False, description="With accounts: tags are brought to Opportunities."
    )
    opportunity_scores: bool = Field(
        default=False, description="With accounts: scores are brought to Opportunities."
    )
    by_event: bool = Field(
        default=False,
        description="Matches are published as platform events, which the client's flow applies "
        "to Leads and Contacts, instead of updating these at once.",
    )
    event: EventName | None = Field(
        default=None, description="API name of the event; none: Prospect_Match__e."
    )
    confirm_minutes: int = Field(
        default=60,
        ge=0,
        description="With by_event: minutes after which an event is published again whose Lead or "
        "Contact does not show what it said.",
    )
    storage_share: float = Field(
        default=0.9,
        ge=0,
        le=1,
        description="New records wait while more of the org's data storage than this is used.",
    )
    clean_up: bool = Field(
        default=False,
        description="All that the workflow has in the org is taken off; then it may be switched "
        "off.",
    )

    @field_validator("person_fields", mode="before")
    @classmethod
    def _has_no_template(cls, chosen: Any) -> Any:
        shown = chosen if isinstance(chosen, Mapping) else {}
        if made := [field for field, source in shown.items() if isinstance(source, Mapping)]:
            raise ValueError(
                f"{made[0]} shows one thing of the prospect, as temperature, and no template"
            )
        return chosen

    @cached_property
    def names(self) -> Names:
        """The API names in the client's org."""
        return Names(self.prefix, self.objects, self.fields)

    @property
    def shown_of_people(self) -> Mapping[str, str]:
        """The fields of Lead and Contact that are written, each with what it shows."""
        if self.person_fields is not None:
            return self.person_fields
        shown = ("prospect_id", "favorite", "temperature")
        return {f"{self.prefix}{PERSON_SOURCES[each].name}": each for each in shown}

    @property
    def event_name(self) -> str:
        """The API name of the event of a match."""
        return self.event or f"{self.prefix}Prospect_Match__e"

    def event_field(self, name: str) -> str:
        """The field of the event for something of a match, or for a field that is written."""
        said = f"{self.prefix}{MATCH[name].name}" if name in MATCH else name
        field = field_on(self.event_name, said)
        return field if field.endswith("__c") else f"{field}__c"

    @property
    def account_temperature(self) -> str:
        """The field of Account with its temperature."""
        return self.temperature_of_account or f"{self.prefix}Temperature__c"

    @property
    def of_opportunities(self) -> bool:
        """True if anything is brought to Opportunities."""
        return self.opportunity_tags or self.opportunity_scores

    @property
    def org_objects(self) -> tuple[OrgObject, ...]:
        """All that the org must have for what is chosen, parents before their children."""
        custom = [
            self.names.declared(name, self.master_detail) for name in DECLARED if self.keeps(name)
        ]
        person = tuple(
            _shown(field, source, only_read=self.by_event)
            for field, source in self.shown_of_people.items()
        )
        standard = [
            OrgObject(name, name, f"{name}s", "", person) for name in ("Lead", "Contact") if person
        ]
        if self.accounts:
            warmth = PERSON_SOURCES["temperature"]
            of_account = OrgField(
                self.account_temperature, warmth.label, warmth.kind, scale=warmth.scale
            )
            standard.append(OrgObject("Account", "Account", "Accounts", "", (of_account,)))
        events = [self._declared_event(person)] if self.by_event else []
        return (*custom, *standard, *events)

    def _declared_event(self, person: Sequence[OrgField]) -> OrgObject:
        told = (replace(each, name=self.event_field(name)) for name, each in MATCH.items())
        shown = (
            replace(each, name=self.event_field(each.name), only_read=False) for each in person
        )
        label, says = "Prospect Match", "A Lead or Contact is to show this of its prospect."
        fields = (*told, *shown)
        return OrgObject(self.event_name, label, "Prospect Matches", says, fields)

    def keeps(self, name: ObjectName) -> bool:
        """Returns whether records of an object are kept in the org."""
        match name:
            case "prospect_page" | "person_page":
                return self.pages
            case "account_tag" | "account_score":
                return self.accounts
            case "opportunity_tag":
                return self.opportunity_tags
            case "opportunity_score":
                return self.opportunity_scores
        return True

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        for of, fields in self.fields.items():
            for name in fields:
                if name not in DECLARED[of].fields:
                    raise ValueError(
                        f"{of} has no field {name!r}; those that exist: "
                        f"{', '.join(DECLARED[of].fields)}"
                    )
        for field, source in (self.person_fields or {}).items():
            if source not in PERSON_SOURCES and not _score_of(source):
                raise ValueError(
                    f"{field} shows {source!r}; there are {', '.join(PERSON_SOURCES)}, score:ID "
                    "and grade:ID"
                )
            if field.lower() in _NOT_OURS:
                raise ValueError(f"{field} says who a person is, and shows nothing of a prospect")
        if self.of_opportunities and not self.accounts:
            raise ValueError("opportunity_tags and opportunity_scores need accounts")
        for each in self.org_objects:
            for name in (each.name, *(field.name for field in each.fields)):
                _refuse_impossible(name)
                if each.is_custom and field_on(each.name, name) != name:
                    raise ValueError(f"{each.name} is of no package, so it has no field {name}")
            _refuse_twice([field.name for field in each.fields], f"fields of {each.name}")
        _refuse_twice([each.name for each in self.org_objects], "objects")
        return self


def _refuse_impossible(name: str) -> None:
    """Refuses a name of an object or field of the client's own that no org can have."""
    if not name.endswith(("__c", "__e")):
        return
    own = name[:-3].rsplit("__", maxsplit=1)[-1]
    if len(own) > _LONGEST_NAME:
        raise ValueError(f"{name} is too long: Salesforce takes {_LONGEST_NAME} characters")
    if not _API_NAME.match(name):
        raise ValueError(
            f"{name} is no name that Salesforce takes: letters, digits and single underscores, "
            "after the prefix of a package at most, which has 15 characters and two underscores"
        )


def _refuse_twice(names: list[str], which: str) -> None:
    lower = [name.lower() for name in names]
    if twice := sorted({name for name in names if lower.count(name.lower()) > 1}):
        raise ValueError(f"two {which} have the name {twice[0]}")


def _score_of(source: str) -> str | None:
    """Returns whether the score or the grade is meant; None for what is neither."""
    kind, _, score = source.partition(":")
    return kind if kind in _OF_A_SCORE and score else None


def _shown(field: str, source: str, *, only_read: bool) -> OrgField:
    kind = _score_of(source)
    declared = PERSON_SOURCES[source] if kind is None else _OF_A_SCORE[kind]
    label = field.removeprefix(package_of(field)).removesuffix("__c").replace("_", " ")
    return OrgField(
        field, label, declared.kind, declared.length, declared.scale, only_read=only_read
    )
