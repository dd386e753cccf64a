"""An account's choices for what Salesforce may ask of it (spec 4): plain, frozen values."""

from collections.abc import Mapping
from typing import Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from crm_pipeline.accounts.feedback_records import FeedbackObject
from crm_pipeline.accounts.spelling import AddressName, FieldApiName, OrganizationId

InOrg = Literal["leave", "anonymize", "delete"]
"""The fate in the org of the Lead or Contact of a person who is removed, and of the activities."""

FieldType = Literal["text", "number", "boolean", "date", "datetime", "email", "choice"]


class _Choice(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Macro(_Choice):
    """A macro: what is to happen to a person.

    Attributes:
        does: `erase` removes the person, `suppress` has them processed no more, `tell` asks the
            platform to start a macro of its own.
        in_org: of `erase`: what becomes of the person in the org; None: the account's `in_org`.
        platform_macro: of `tell`: the platform's name of what it is to do.
    """

    does: Literal["erase", "suppress", "tell"]
    in_org: InOrg | None = None
    platform_macro: str | None = Field(default=None, min_length=1, max_length=200)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.does == "tell") is (self.platform_macro is None):
            raise ValueError("platform_macro goes with does=tell, and only with it")
        if self.in_org is not None and self.does != "erase":
            raise ValueError("in_org goes with does=erase only")
        return self


class UserListener(_Choice):
    """An address that triggers a macro.

    Attributes:
        macro: which.
        filter: columns of the platform's user, each with the values that pass; who does not pass
            is not found.
    """

    macro: AddressName
    filter: Mapping[str, tuple[str, ...]] = {}


class FormField(_Choice):
    """A field of a feedback form."""

    type: FieldType = "text"
    required: bool = False
    choices: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_choices(self) -> Self:
        if (self.type == "choice") is not bool(self.choices):
            raise ValueError("choices go with type=choice, and only with it")
        return self


class ExternalSource(_Choice):
    """An address that takes feedback: where it belongs, where it starts, how it is read.

    Attributes:
        project: the platform's project.
        feedback_type: the platform's type of feedback.
        team: with `status` the point of the workflow where it starts.
        status: see `team`.
        form: the fields of the feedback form.
        mapping: the form's field for each incoming field.
        submitter: the incoming field with the submitter's address; None: there is none.
        default_submitter: the platform's id of who submits what has no known submitter.
    """

    project: str = Field(min_length=1, max_length=200)
    feedback_type: str = Field(min_length=1, max_length=200)
    team: str = Field(default="Participants", min_length=1, max_length=200)
    status: str = Field(default="New", min_length=1, max_length=200)
    form: Mapping[str, FormField] = Field(min_length=1)
    mapping: Mapping[str, str] = Field(min_length=1)
    submitter: str | None = None
    default_submitter: str | None = Field(default=None, min_length=1, max_length=200)

    @model_validator(mode="after")
    def _fits_the_form(self) -> Self:
        filled = list(self.mapping.values())
        if strange := sorted(set(filled) - self.form.keys()):
            raise ValueError(f"the mapping fills {strange[0]!r}, which the form does not have")
        if twice := sorted({name for name in filled if filled.count(name) > 1}):
            raise ValueError(f"the mapping fills {twice[0]!r} twice")
        needed = {name for name, field in self.form.items() if field.required}
        if lacking := sorted(needed - set(filled)):
            raise ValueError(f"the form needs {lacking[0]!r}, which the mapping does not fill")
        return self


class UserData(_Choice):
    """An address that takes data to be stored with a user: the platform's field for each."""

    mapping: Mapping[str, str] = Field(min_length=1)


class InboundSettings(_Choice):
    """One client's choices for requests from Salesforce; `{}` is a complete choice."""

    in_org: InOrg = Field(
        default="leave",
        description="The fate in the org of a person who is removed, unless the macro says it.",
    )
    ignore_plus_parts: bool = Field(
        default=False, description="Who is removed as tom@x.com is so as tom+a@x.com, too."
    )
    keys_in_query: bool = Field(
        default=False, description="The key may come in the address, where proxies log it."
    )
    organization_id: OrganizationId | None = Field(
        default=None,
        description="The org whose outbound messages are taken.",
    )
    address_field: FieldApiName = Field(
        default="Email",
        description="The field of an outbound message's record that names the person.",
    )
    open_dsr: AddressName | None = Field(
        default=None, description="The listener that erasures by OpenDSR go to."
    )
    shipping_lag_minutes: int = Field(
        default=120,
        ge=0,
        le=10_080,
        description="How long an address that nobody knew is not imported after its removal.",
    )
    repeat_hours: int = Field(
        default=24,
        ge=1,
        le=8_760,
        description="Feedback that says the same within this time is the same.",
    )
    requests_per_minute: int = Field(
        default=600, ge=1, le=1_000_000, description="Requests that each key may make."
    )
    users_in_org: bool = Field(
        default=False, description="Each user of the platform is a Lead or Contact of the org."
    )
    feedback_in_org: FeedbackObject | None = Field(
        default=None,
        description="Each feedback ticket is a record under who submitted it: {} for the defaults.",
    )
    macros: Mapping[AddressName, Macro] = {}
    listeners: Mapping[AddressName, UserListener] = {}
    external_sources: Mapping[AddressName, ExternalSource] = {}
    user_data: Mapping[AddressName, UserData] = {}

    @field_validator("feedback_in_org", mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        """The command line gives an object as JSON."""
        if not isinstance(value, str):
            return value
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            raise ValueError("a JSON object is expected, such as {}") from None

    @property
    def filter_columns(self) -> tuple[str, ...]:
        """The columns of users that the filters of listeners name."""
        return tuple(sorted({name for each in self.listeners.values() for name in each.filter}))

    @model_validator(mode="after")
    def _names_what_is_there(self) -> Self:
        for name, listener in self.listeners.items():
            if listener.macro not in self.macros:
                raise ValueError(f"listener {name} triggers {listener.macro!r}, which is no macro")
        if self.open_dsr is not None:
            chosen = self.listeners.get(self.open_dsr)
            if chosen is None or self.macros[chosen.macro].does != "erase":
                raise ValueError("open_dsr names no listener whose macro erases")
        return self
