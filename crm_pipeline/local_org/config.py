"""The file that describes an org, or several under `orgs:`; docs/local-org.md shows one.

Everything but `name` has a default. Paths are relative to the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AliasGenerator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

FieldType = Literal[
    "string", "textarea", "email", "phone", "url", "picklist", "multipicklist", "boolean", "int",
    "double", "currency", "percent", "date", "datetime", "reference", "master_detail",
]  # fmt: skip


Seconds = Annotated[float, Field(ge=0, le=31 * 24 * 60 * 60)]
"""A time to wait, of a month at most."""
Count = Annotated[int, Field(ge=0, le=1_000_000_000_000)]


class OrgConfigError(Exception):
    """The file cannot be used; the text says where and why."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class UserConfig(_Strict):
    """Somebody who may log in."""

    username: str
    password: str = Field(default="password", repr=False)
    security_token: str = Field(default="", repr=False)
    first_name: str | None = None
    last_name: str | None = None
    marketing_user: bool = True
    currency: str | None = None
    """The user's own, in an org with several; the corporate one if left out."""
    active: bool = True
    password_expired: bool = False


class ConnectedApp(_Strict):
    """An OAuth client of the org."""

    client_id: str
    client_secret: str = Field(default="", repr=False)
    run_as: str | None = None
    certificate: str | None = None
    rotate_refresh_tokens: bool = False
    scopes: tuple[str, ...] = ("api",)


class AccountEngagementConfig(_Strict):
    """A business unit of Account Engagement, with an extension and its types of activities."""

    business_unit: str
    extension: str
    types: tuple[str, ...]
    daily_calls: int = 25_000


class LoginConfig(_Strict):
    """The logins that the org takes, and how long a session holds."""

    soap: bool = True
    password_flow: bool = True
    session_minutes: float | None = 120


class FieldConfig(_Strict):
    """A custom field, or what is different about a standard one: mostly keys of describe."""

    model_config = ConfigDict(alias_generator=AliasGenerator(serialization_alias=to_camel))

    type: FieldType | None = None
    label: str | None = None
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    required: bool | None = None
    external_id: bool | None = None
    unique: bool | None = None
    case_sensitive: bool | None = None
    values: list[str] | None = None
    restricted: bool | None = Field(default=None, serialization_alias="restrictedPicklist")
    default: Any = Field(default=None, serialization_alias="defaultValue")
    createable: bool | None = None
    updateable: bool | None = None
    reference_to: str | list[str] | None = None
    relationship_name: str | None = None
    child_relationship_name: str | None = None
    on_delete: Literal["clear", "restrict", "cascade"] | None = None
    """The fate of a lookup when its record is deleted: null, a refusal, deletion as well."""
    reparentable: bool = False
    """True if a detail may be given to another master."""


class RecordTypeConfig(_Strict):
    """A record type; the first one is the users' default."""

    name: str
    active: bool = True


class ObjectConfig(_Strict):
    """A custom object, or what is added to a standard one."""

    label: str | None = None
    label_plural: str | None = None
    fields: dict[str, FieldConfig] = {}
    auto_number: str | None = Field(default=None, pattern=r"^[^{}]*\{0+\}[^{}]*$")
    """The name is a number: `T-{0000}`."""
    createable: bool | None = None
    """Rights of the users on the object, all of which they have if left out."""
    updateable: bool | None = None
    deletable: bool | None = None
    activities: bool = False
    """True if events and tasks may be about its records (WhatId)."""
    record_types: list[RecordTypeConfig] = []
    publish: Literal["immediately", "after_commit"] = "after_commit"
    """Of a platform event: whether a transaction that is rolled back takes its events along."""


class SubscriberConfig(_Strict):
    """Applies the events of an object to records, as a client's flow does.

    `match` and `set` are fields of the record to fields of the event; `create` makes a record where
    none matches; `drops` is the share of events that get lost.
    """

    event: str
    object: str
    match: dict[str, str] = Field(min_length=1)
    set: dict[str, str] = {}
    create: bool = False
    drops: float = Field(default=0.0, ge=0, le=1)
    seed: int = 0
    delay_seconds: Seconds = 0.0


class StageConfig(_Strict):
    """A stage of opportunities; probability (in percent) and category follow from its type."""

    label: str
    type: Literal["open", "won", "lost"] = "open"
    probability: float | None = Field(default=None, ge=0, le=100)
    forecast_category: Literal["Omitted", "Pipeline", "Best Case", "Commit", "Closed"] | None = None
    active: bool = True


class LeadStatusConfig(_Strict):
    """A status of leads; leads are converted to one that is `converted`."""

    label: str
    default: bool = False
    converted: bool = False


class QueueConfig(_Strict):
    """A queue, a Group that may own records."""

    name: str
    email: str | None = None


class DuplicateRule(_Strict):
    """Refuses (`block`) or warns of (`alert`) a record that matches one that is there.

    A record matches if all fields of `match` are filled and equal, whatever their case.
    """

    object: Literal["Lead", "Contact", "Account"]
    match: list[str] = ["Email"]
    against: list[Literal["Lead", "Contact", "Account"]] = []
    action: Literal["alert", "block"] = "alert"
    on_update: bool = True
    name: str = ""
    message: str = "Use one of these records?"


class ValidationRule(_Strict):
    """Refuses a record for which the formula `when` is true. See formulas.py."""

    object: str
    when: str
    error: str
    field: str | None = None
    on: Literal["create", "update", "both"] = "both"


class AssignmentRule(_Strict):
    """Gives a new or changed record to `owner` (a user name); the first that applies wins."""

    object: Literal["Lead", "Account"] = "Lead"
    owner: str
    when: str = "TRUE"
    id: str | None = None


class LimitsConfig(_Strict):
    """Salesforce: API request limits and allocations."""

    daily_api_requests: Count = 15_000
    concurrent_long_requests: Count = 25
    long_request_seconds: Seconds = 20.0
    daily_bulk_batches: Count = 15_000
    daily_bulk_query_jobs: Count = 10_000
    data_storage_mb: Count = 1_024
    """The number that `limits` tells; nothing is refused for want of it."""
    query_batch_size: int = Field(default=2_000, ge=1, le=2_000)
    """Records to a page at most; Salesforce may give fewer than asked."""
    bulk_seconds: Seconds = 0.0
    """Seconds that a Bulk job stays in each state before it is done."""


class Fault(_Strict):
    """Bad weather, asked for precisely: see weather.py for the kinds and the actions."""

    kind: str = "*"
    action: Literal[
        "reset_before", "reset_after", "hang", "hang_after", "slow", "html_503", "html_503_after",
        "error", "truncate", "wrong_length", "expire_session", "lock", "hold",
    ]  # fmt: skip
    nth: int | None = Field(default=None, ge=1)
    times: int | None = Field(default=None, ge=1)
    probability: float | None = Field(default=None, ge=0, le=1)
    seed: int = 0
    seconds: Seconds = 30.0
    status: int = Field(default=500, ge=100, le=599)
    code: str = "UNKNOWN_EXCEPTION"
    message: str = (
        "An unexpected error occurred. Please include this ErrorId if you contact support"
    )
    rows: list[int] | None = None
    """For `lock`: which rows of the request (from 1); None is all, or those drawn at random."""


class OpenQuestions(_Strict):
    """A switch for each question that documentation leaves open; the docs list them all."""

    updated_in_composite: bool = True
    """Whether a composite may ask for `updated` and `deleted`."""
    retrieve_many_in_composite: bool = True
    """Whether a composite may read records by their ids (`POST composite/sobjects/X`)."""
    emptied_lookups_lock: bool = False
    """With `lock_parents`: whether a new row locks what a lookup leads to that is just emptied.

    The Record Locking Cheat Sheet says no, an older article on lookup skew says yes.
    """
    unchanged_master: Literal["refused", "taken"] = "refused"
    """The fate of an update that repeats the master of a detail that is not reparentable."""
    missing_parent_error: Literal["INVALID_FIELD", "INVALID_CROSS_REFERENCE_KEY"] = "INVALID_FIELD"
    """The code of a record whose parent's external id is not there."""
    repeated_external_id_error: Literal["DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID"] = (
        "DUPLICATE_VALUE"
    )
    """The code of records of a chunk that have one external id."""
    repeated_id_saves: Literal["first", "last", "none"] = "first"
    """Which record is saved if several of a chunk have one Id; the others fail."""
    merge_stamps_children: bool = True
    """Whether a merge stamps the records that it moves to the winner."""
    retyped_stage_stamps_opportunities: bool = False
    """Whether opportunities are stamped when their stage is made open, won or lost."""
    queue_owner_email: bool = False
    """Whether Owner.Email of what a queue owns is the queue's email, not null."""
    opportunity_history: Literal["all", "stages"] = "all"
    """Whether OpportunityHistory has changes of amount, probability and close date too."""
    bulk_without_content: Literal["Failed", "JobComplete"] = "Failed"
    """How a Bulk 2.0 job ends that was closed without a byte of content."""


class OrgConfig(OpenQuestions):
    """One org."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    host: str | None = None
    id: str | None = Field(default=None, pattern=r"^00D[A-Za-z0-9]{12}([A-Z0-5]{3})?$")
    company: str | None = None
    edition: str = "Developer Edition"
    sandbox: bool = False
    users: list[UserConfig] = []
    connected_apps: list[ConnectedApp] = []
    logins: LoginConfig = LoginConfig()
    account_engagement: AccountEngagementConfig | None = None
    objects: dict[str, ObjectConfig] = {}
    hidden_fields: list[str] = []
    duplicate_rules: list[DuplicateRule] = []
    validation_rules: list[ValidationRule] = []
    assignment_rules: list[AssignmentRule] = []
    state_and_country_picklists: bool = False
    subscribers: list[SubscriberConfig] = []
    opportunity_stages: list[StageConfig] = []
    lead_statuses: list[LeadStatusConfig] = []
    queues: list[QueueConfig] = []
    unmapped_lead_fields: list[str] = []
    """Custom fields of leads that a conversion leaves behind; others go to the contact's."""
    currencies: dict[str, PositiveFloat] = {}
    """ISO codes, the corporate one first, with units to one of it; none: one currency only."""
    person_accounts: bool = False
    """Whether people may be accounts of their own: see person_accounts.py."""
    bulk_hard_delete: bool = False
    """Whether the users have the permission "Bulk API Hard Delete"."""
    limits: LimitsConfig = LimitsConfig()
    latency_ms: float = Field(default=0.0, ge=0, le=60 * 60 * 1000)
    lock_parents: bool = False
    """Whether what one request writes, and what that leads to, is locked for all others."""
    faults: list[Fault] = []
    records: dict[str, list[dict[str, Any]]] = {}
    file: Path | None = None
    folder: Path = Path()
    """The folder that paths in the configuration are relative to; set by `load`."""

    @model_validator(mode="after")
    def _somebody_may_log_in(self) -> OrgConfig:
        if not self.users:
            username = f"admin@{self.name}.test"
            self.users = [UserConfig(username=username, last_name="Admin")]
        return self


def dev_org() -> OrgConfig:
    """The org that is served when no file is named: anybody finds the way in."""
    org = OrgConfig(name="dev")
    app = {"client_id": "dev", "client_secret": "secret", "run_as": org.users[0].username}
    org.connected_apps = [ConnectedApp.model_validate(app)]
    return org


def load(path: Path) -> list[OrgConfig]:
    """Reads the orgs of one YAML file. Raises `OrgConfigError` naming the setting at fault."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OrgConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise OrgConfigError(f"{path}: is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise OrgConfigError(f"{path}: holds no settings of an org; `name` is needed at least")
    orgs = content.get("orgs", [content])
    if not isinstance(orgs, list) or not all(isinstance(each, dict) for each in orgs):
        raise OrgConfigError(f"{path}: `orgs` is not a list of orgs")
    return [_one(str(path), {**each, "folder": path.parent}) for each in orgs]


def _one(source: str, settings: dict[str, Any]) -> OrgConfig:
    try:
        return OrgConfig.model_validate(settings)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the org"
        raise OrgConfigError(f"{source}: {where}: {first['msg']}") from None
