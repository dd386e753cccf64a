"""An account's choices for tracked leads and their opportunities (spec 5): plain, frozen values."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from crm_pipeline.accounts.people import FieldPolicy
from crm_pipeline.accounts.spelling import FieldApiName
from crm_pipeline.accounts.templates import FieldSource

LeadKind = Literal[
    "call", "form", "chat", "text_message", "appointment", "transaction", "email", "event"
]
"""How somebody got in touch, as the tracker says it."""

Trigger = Literal["new", "updated", "matching_filter"]
"""The views of the one stream of opportunities."""

Split = Literal["primary", "equal", "first_touch"]
"""How the value of an opportunity is dealt out to its leads, where it has several."""


def _known_region(region: str) -> str:
    import phonenumbers

    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("a country's two letters are expected, in capitals, such as DE")
    return region


def _currency_code(code: str) -> str:
    if not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
        raise ValueError("an ISO code is expected, in capitals, such as EUR")
    return code


class TouchFields(BaseModel):
    """The fields of Lead and Contact that hold one touch; one without a name is not written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: FieldApiName | None = None
    medium: FieldApiName | None = None
    campaign: FieldApiName | None = None
    keyword: FieldApiName | None = None
    content: FieldApiName | None = None
    landing_page: FieldApiName | None = None
    referrer: FieldApiName | None = None
    gclid: FieldApiName | None = None
    gbraid: FieldApiName | None = None
    wbraid: FieldApiName | None = None
    fbclid: FieldApiName | None = None

    @cached_property
    def named(self) -> dict[str, str]:
        """The field of each part of a touch that has one, by the extract's column."""
        return {column: field for column, field in self if field is not None}


TOUCH_COLUMNS = tuple(TouchFields.model_fields)
"""The columns of the extract that say where a lead came from, click ids among them."""

CLICK_IDS = ("gclid", "gbraid", "wbraid", "fbclid")
"""Those of them that an ad platform gave: cut, they are nobody's."""


class OpportunityCondition(BaseModel):
    """A condition on a field of an opportunity, judged by us; text is compared in any case."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: FieldApiName
    operator: Literal["=", "!=", ">", ">=", "<", "<=", "in"] = "="
    value: str | float | bool | tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _value_fits(self) -> Self:
        if (self.operator == "in") is not isinstance(self.value, tuple):
            wanted = "a list of texts" if self.operator == "in" else "one value"
            raise ValueError(f"{self.operator} takes {wanted}")
        if self.operator[0] in "<>" and (self.value is None or isinstance(self.value, bool)):
            raise ValueError(f"{self.operator} takes a number, a text or a day such as 2026-12-31")
        return self


class AttributionSettings(BaseModel):
    """One client's choices for tracked leads and what becomes of them; `{}` is a complete choice.

    The first part is about leads that go to the org, the second about opportunities that come
    back.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id_field: FieldApiName | None = Field(
        default=None,
        description="Field of Lead and Contact that holds the tracker's id of their first lead.",
    )
    kind_field: FieldApiName | None = Field(
        default=None,
        description="Field of Lead and Contact that says how they got in touch first: call, form.",
    )
    first_touch: TouchFields = Field(
        default=TouchFields(), description="Where the first touch goes, part by part."
    )
    last_touch: TouchFields = Field(
        default=TouchFields(), description="Where the last touch goes, part by part."
    )
    first_touch_policy: FieldPolicy = Field(
        default="when_empty",
        description="When fields of the first touch, the id and the kind of an existing record "
        "are written.",
    )
    last_touch_policy: FieldPolicy = Field(
        default="source",
        description="When fields of the last touch of an existing record are written.",
    )
    further_fields: Mapping[FieldApiName, FieldSource] = Field(
        default={},
        description="Further fields of Lead and Contact, and the column of the extract, or the "
        "template, for each.",
    )
    kinds: tuple[LeadKind, ...] = Field(
        default=(
            "call",
            "form",
            "chat",
            "text_message",
            "appointment",
            "transaction",
            "email",
            "event",
        ),
        description="The kinds of leads that are sent.",
    )
    lead_source: str = Field(
        default="Web",
        min_length=1,
        max_length=255,
        description="LeadSource of people who come through the tracker.",
    )
    phone_region: Annotated[str, AfterValidator(_known_region)] | None = Field(
        default=None,
        description="Country in which phone numbers without a country code are read; none: the "
        "country of the person, or they match nobody.",
    )

    opportunity_id_field: FieldApiName | None = Field(
        default=None, description="Field of Opportunity that holds the tracker's id of a lead."
    )
    triggers: tuple[Trigger, ...] = Field(
        default=("new", "updated"),
        description="Which opportunities are told: new ones, those that were updated since they "
        "were read first, those that entered the filter; one that was told is followed from then "
        "on. None: opportunities are not read at all.",
    )
    opportunity_filter: tuple[OpportunityCondition, ...] = Field(
        default=(),
        description="Conditions that an opportunity must meet, all of them, for matching_filter.",
    )
    filter_fires_again: bool = Field(
        default=False,
        description="An opportunity that comes back into the filter fires matching_filter again.",
    )
    split: Split = Field(
        default="primary",
        description="Who of several leads has an opportunity's value: primary (whom the rules "
        "name first), equal (equal parts), first_touch (whom the tracker met first).",
    )
    first_reading_days: int = Field(
        default=90,
        ge=0,
        le=3650,
        description="How far back the first reading of opportunities goes; with more days later, "
        "it is begun again from there.",
    )
    currency: Annotated[str, AfterValidator(_currency_code)] | None = Field(
        default=None,
        description="ISO code of the org's amounts, where it has one currency only: such an org "
        "does not name it.",
    )

    @model_validator(mode="after")
    def _each_field_once(self) -> Self:
        """Two values for one field could not both be there."""
        fields = [field.lower() for field, _ in self.written_fields()]
        if twice := sorted({field for field in fields if fields.count(field) > 1}):
            raise ValueError(f"two values go to one field: {', '.join(twice)}")
        return self

    def written_fields(self) -> Iterator[tuple[str, FieldPolicy]]:
        """The fields of Lead and Contact that hold the attribution, each with its policy."""
        for field in (self.id_field, self.kind_field, *self.first_touch.named.values()):
            if field is not None:
                yield field, self.first_touch_policy
        for field in self.last_touch.named.values():
            yield field, self.last_touch_policy
        for field in self.further_fields:
            yield field, self.last_touch_policy

    @property
    def touches(self) -> Sequence[Collection[str]]:
        """The fields of each touch: they say one lead's word together, and none alone."""
        return [touch.named.values() for touch in (self.first_touch, self.last_touch)]

    @property
    def codes(self) -> Collection[str]:
        """The fields that hold the tracker's id or a click id, in small letters."""
        named = [
            touch.named.get(column)
            for touch in (self.first_touch, self.last_touch)
            for column in CLICK_IDS
        ]
        return frozenset(name.lower() for name in (self.id_field, *named) if name is not None)

    def policy(self, field: str) -> str | None:
        """Returns when this field is written; None for one that holds no attribution."""
        return next(
            (chosen for name, chosen in self.written_fields() if name.lower() == field.lower()),
            None,
        )

    def model_post_init(self, _: Any, /) -> None:
        """Refuses a filter that nothing asks for, or that is asked for and lacking."""
        if ("matching_filter" in self.triggers) is not bool(self.opportunity_filter):
            raise ValueError("opportunity_filter and the trigger matching_filter go together")
