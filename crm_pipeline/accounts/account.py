"""An account and what it may choose: plain, frozen values without a database."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from inspect import isclass
from typing import Annotated, Literal, NamedTuple, Self, get_args

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from crm_pipeline.accounts.activities import (
    ACTIVITY_TEXT,
    AS_IT_IS,
    ON_DEMAND,
    Activities,
    ActivityText,
    CancelledActivity,
    SubjectPattern,
)
from crm_pipeline.accounts.attribution import AttributionSettings
from crm_pipeline.accounts.campaigns import CampaignSettings
from crm_pipeline.accounts.engagement import EngagementSettings
from crm_pipeline.accounts.inbound import InboundSettings
from crm_pipeline.accounts.limits import Limits
from crm_pipeline.accounts.people import STAYS, FieldPolicy, UnknownEmail
from crm_pipeline.accounts.spelling import CustomFieldName, FieldApiName
from crm_pipeline.accounts.stages import (
    STAGES_OF_PEOPLE,
    Stage,
    UnknownStage,
    Words,
    plain,
)
from crm_pipeline.near_names import misspelt, near
from crm_pipeline.salesforce.hosts import host_of, local_address
from crm_pipeline.salesforce.limits import PARALLEL_REQUESTS
from crm_pipeline.salesforce.match_by import MatchBy, MatchFirst
from crm_pipeline.salesforce.values import is_record_id

OLDEST_API_VERSION = 52.0

Vanished = Literal["keep", "delete"]
"""The fate in the org of a row that the source no longer has, or that is filtered out."""

_ACCOUNT_ID = re.compile(r"[A-Za-z0-9_-]+")


class AccountError(Exception):
    """Something is wrong with one account; one line says what happened and what to do."""


class UnknownAccountError(AccountError):
    """There is no such account."""


_WORD = re.compile("[A-Za-z_ -]+")
"""A regular expression that is a mere word may be a kind that was mistyped."""

_VERSION = re.compile(r"[1-9][0-9]{1,2}\.0")

_EXPECTED = {
    "dict_type": "a JSON object is expected",
    "mapping_type": "a JSON object is expected",
    "model_type": "a JSON object is expected",
    "tuple_type": "a JSON list is expected",
}
"""In our words, where pydantic's would be of no use to people, by the type of its error."""


_AS_JSON = {
    "attribution": 'a JSON object is expected, such as {} or {"phone_region": "DE"}',
    "campaigns": 'a JSON object is expected, such as {} or {"create_campaigns": false}',
    "engagement": 'a JSON object is expected, such as {} or {"pages": true}',
    "inbound": "a JSON object is expected, such as {}",
    "limits": 'a JSON object is expected, such as {"new_people": 5000}',
    "person_field_policies": 'a JSON object is expected, such as {"Phone": "never"}',
    "match_fields": 'a JSON object is expected, such as {"Contact": ["Second_Email__c"]}',
    "redaction": 'a JSON list is expected, such as ["cards", "health"]',
    "roles": 'a JSON list is expected, such as ["attendee", "sponsor"]',
    "activity_text": 'a JSON list is expected, such as ["event", "minutes"]',
    "stage_of": 'a JSON object is expected, such as {"no vino": "no_show"}',
    "people_from_stages": 'a JSON list is expected, such as ["registered", "attended"]',
}
"""The form of settings that the command line expects as JSON."""


def _recent_enough(version: str) -> str:
    if not _VERSION.fullmatch(version):
        raise ValueError("a version is written as 62.0")
    if float(version) < OLDEST_API_VERSION:
        raise ValueError(
            f"{OLDEST_API_VERSION} is the oldest version that obeys the duplicate rule header"
        )
    return version


def _moment(chosen: object) -> object:
    return moment_of(chosen) if isinstance(chosen, str) else chosen


def moment_of(chosen: str) -> datetime:
    """Returns the moment that a text stands for, in UTC: a date is its midnight.

    Raises:
        ValueError: it is none; it says how one is written.
    """
    if chosen.strip().lower() == "now":
        return datetime.now(UTC).replace(microsecond=0)
    try:
        moment = datetime.fromisoformat(chosen.strip())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError("a date as 2026-11-01, a time as 2026-11-01T08:00Z, or now") from None


def _account_of_contacts(chosen: str) -> str:
    if chosen not in ("none", "by_domain") and not (
        is_record_id(chosen) and chosen.startswith("001")
    ):
        raise ValueError("none, by_domain or the Id of an Account is expected")
    return chosen


REDACTIONS = (
    "link_secrets",
    "cards",
    "bank_accounts",
    "national_ids",
    "emails",
    "phones",
    "postal_addresses",
    "health",
)
"""Kinds of what may be taken out of free texts, by name."""


def _pattern(chosen: str) -> str:
    if chosen not in REDACTIONS and _WORD.fullmatch(chosen):
        if likely := near(chosen, REDACTIONS, 1):
            raise ValueError(f"{chosen!r} is no kind; did you mean {likely[0]}?")
        raise ValueError(
            f"{chosen!r} is no kind: {', '.join(REDACTIONS)} are; a regular expression for the "
            rf"word itself is \\b{chosen}\\b"
        )
    try:
        re.compile(chosen)
    except re.error as error:
        raise ValueError(f"{chosen!r} is no regular expression: {error}") from None
    return chosen


ROLES = frozenset(("attendee", "speaker", "host", "panelist", "staff", "sponsor", "test"))
"""Roles as platforms call them; one may have others."""


def _role(chosen: str) -> str:
    meant = misspelt(plain(chosen), ROLES)
    if meant is not None and plain(chosen) != f"{meant}s":
        raise ValueError(f"{chosen!r} would let nobody in; did you mean {meant}?")
    return chosen


class AccountSettings(BaseModel):
    """The choices of one client; anything not chosen follows the defaults here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    api_version: Annotated[str, AfterValidator(_recent_enough)] = Field(
        default="62.0", description="Salesforce API version that is spoken to the org."
    )
    route: Literal["auto", "composite", "bulk"] = Field(
        default="auto",
        description="How records travel: chosen by volume and budget, or always one way.",
    )
    parallel_requests: int = Field(
        default=PARALLEL_REQUESTS,
        ge=1,
        le=10,
        description="Requests of this account that run at once; Salesforce allows a developer's "
        "org five that take over 20 seconds, others 25.",
    )
    api_day_share: float = Field(
        default=0.8,
        gt=0,
        le=1,
        description="Share of the org's daily API requests that may be spent, by all of its "
        "integrations together, before this account pauses.",
    )
    api_calls_per_cycle: int | None = Field(
        default=None,
        ge=1,
        le=2**31 - 1,
        description="Most API calls that one cycle may make; none: no cap.",
    )
    storage_share: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="New records of all kinds wait while more of the org's data storage than this "
        "is used: a call in each cycle that makes 200 or more; none: it is not asked.",
    )
    retry_share: float = Field(
        default=0.2, gt=0, le=1, description="Slice of a cycle's API calls that retries may use."
    )
    degrade_fields: bool = Field(
        default=True,
        description="A value that the org refuses is trimmed, mapped or left out, so that the "
        "rest of the record arrives.",
    )
    assignment_rules: bool = Field(
        default=False,
        description="The org's assignment rules run on new leads (Sforce-Auto-Assign).",
    )
    duplicate_rules: Literal["attach", "allow"] = Field(
        default="attach",
        description="When a duplicate rule stops a lead: attach to the record that it names, "
        "or save all the same where the rule allows it.",
    )
    activity_external_id_field: CustomFieldName | None = Field(
        default=None,
        description="External-id text field of Activity; where there is one, activities are "
        "upserted by it.",
    )
    missing_last_name: str = Field(
        default="[not provided]",
        min_length=1,
        max_length=80,
        description="LastName of a person who gave none (Salesforce requires one).",
    )
    missing_company: str = Field(
        default="[not provided]",
        min_length=1,
        max_length=255,
        description="Company of a lead who gave none (Salesforce requires one).",
    )
    start_at: Annotated[datetime | None, BeforeValidator(_moment)] = Field(
        default=None,
        description="What is from before is not sent: registrations, attendances and tracked leads "
        "that happened before; prospects, users and tickets that were changed last before; "
        "opportunities that were made before, unless they were told already. A date, a time (UTC "
        "unless it says another zone), or now; none: all go.",
    )
    lead_source: str = Field(
        default="Webinar", min_length=1, max_length=255, description="LeadSource of each person."
    )
    unknown_email: UnknownEmail = Field(
        default="Lead",
        description="The record made for a person not known to the org: Lead, Contact, neither.",
    )
    match_first: MatchFirst = Field(
        default="lead",
        description="Whether a person who is a Lead and a Contact in the org is the Lead or the "
        "Contact.",
    )
    match_fields: Mapping[Literal["Lead", "Contact"], tuple[FieldApiName, ...]] = Field(
        default={},
        description="Further fields that have an email address, by which people are found: a JSON "
        "object. Each costs as many calls as Email.",
    )
    person_id_field: FieldApiName | None = Field(
        default=None,
        description="Field of Lead and Contact that has the platform's id of the person "
        "(person_id): it is filled, and wins over addresses where people are found.",
    )
    several_matches: Literal["first", "report"] = Field(
        default="first",
        description="Where several records stand for a person: the oldest, or (report) none before "
        "somebody has merged them.",
    )
    alias: Literal["follow", "report"] = Field(
        default="report",
        description="Where attendances tell the address with which somebody joined (joined_as): "
        "another than theirs is told, or (follow) what comes with it is theirs from then on.",
    )
    contact_account: Annotated[str, AfterValidator(_account_of_contacts)] = Field(
        default="none",
        description="Account of new Contacts: none, by_domain (whose website is at the domain of "
        "the address, never one of free mail), or an Id.",
    )
    person_fields: FieldPolicy = Field(
        default="source",
        description="When a field of an existing Lead or Contact is written: source (what changed "
        "in the warehouse), when_empty, unless_edited (by people), newest (of the two), ask (a "
        "person, where people edited it), never.",
    )
    person_field_policies: Mapping[FieldApiName, FieldPolicy] = Field(
        default={},
        description="The same by field, a JSON object; LeadSource is when_empty unless it is named "
        "here. HasOptedOutOfEmail, HasOptedOutOfFax and DoNotCall are set by a clear no, and never "
        "cleared.",
    )
    stage_of: Mapping[str, Stage] = Field(
        default={},
        description="Further status words of the warehouse's registrations, and the stage of each, "
        "a JSON object.",
    )
    unknown_stage: UnknownStage = Field(
        default="report",
        description="A status word that nobody has explained is held and reported, or counts as "
        "registered.",
    )
    people_from_stages: tuple[Stage, ...] = Field(
        default=STAGES_OF_PEOPLE,
        description="Registrations and attendances of these stages become people and activities, "
        "a JSON list; whoever only waits, or was asked or denied, does not.",
    )
    roles: tuple[Annotated[str, AfterValidator(_role)], ...] = Field(
        default=("attendee",),
        min_length=1,
        description="Only people of these roles are sent, a JSON list, where the warehouse has "
        "the column role; who has none there is an attendee.",
    )
    attended_at_least_minutes: int = Field(
        default=1,
        ge=1,
        le=1440,
        description="Whoever was at a session for fewer minutes in all has not attended it, where "
        "the warehouse knows minutes.",
    )
    early_visits_count: bool = Field(
        default=False,
        description="Minutes before the planned start of a session count; else a visit that is "
        "over by then is no attendance, where the warehouse knows start and minutes.",
    )
    activities: Activities = Field(
        default="all",
        description="Activities are made of all registrations and attendances, of attendance "
        "alone, or none; people and members come all the same.",
    )
    redaction: tuple[Annotated[str, AfterValidator(_pattern)], ...] = Field(
        default=(),
        description="Taken out of what people write themselves, before it becomes CRM data or is "
        "told to the platform: a JSON list of link_secrets, cards, bank_accounts, national_ids, "
        "emails, phones, postal_addresses, health, and regular expressions.",
    )
    consent_clears_opt_out: bool = Field(
        default=False,
        description="A clear yes to emails clears HasOptedOutOfEmail where opted_out is mapped to "
        "it; else it is only ever set.",
    )
    on_demand_subject: str = Field(
        default=ON_DEMAND,
        min_length=1,
        max_length=255,
        description="Subject of the activity of whoever saw the recording; without "
        "attended_on_demand among people_from_stages there is none.",
    )
    activity_subject: SubjectPattern = Field(
        default=AS_IT_IS,
        min_length=1,
        max_length=255,
        description="Subject of activities: {subject} (Webinar Registration and the like), "
        "{event} and {session} stand for what they are of.",
    )
    activity_text: tuple[ActivityText, ...] = Field(
        default=ACTIVITY_TEXT,
        description="The description of activities, part by part: a JSON list of event, session, "
        "minutes, polls, questions, chats, surveys, resources, links.",
    )
    cancelled_activity: CancelledActivity = Field(
        default="mark",
        description="The activity of a registration that is cancelled: keep it, mark it (its "
        "first line says so), or delete it.",
    )
    vanished: Vanished = Field(
        default="keep",
        description="The fate of the activity and the membership of a row that vanishes from "
        "the warehouse, loses its person or is filtered out: keep, or delete what we made. "
        "A tracked lead that vanishes counts on, or no more. What was not sent yet is not sent any "
        "more.",
    )
    keep_replaced_values: bool = Field(
        default=False,
        description="The values that an update replaces are kept of every record, so that a cycle "
        "can be taken back whole: an API call for 10,000 records. Else they are kept where a "
        "look-up tells them anyway.",
    )
    read_back_minutes: int = Field(
        default=15,
        ge=0,
        le=1440,
        description="How often the org is asked for changes where a flow wants them, in minutes; "
        "0: in every cycle. Each time costs an API call for five objects.",
    )
    limits: Limits = Field(
        default=Limits(),
        description="A cycle that exceeds one of them is held before it sends, and a person asked: "
        "a JSON object; docs/holds.md says which there are.",
    )
    campaigns: CampaignSettings | None = Field(
        default=None,
        description="Events as campaigns, participants as their members: a JSON object, {} for "
        "the defaults; none: off.",
    )
    attribution: AttributionSettings | None = Field(
        default=None,
        description="Tracked leads as people with their attribution, and opportunities back: a "
        "JSON object, {} for the defaults; none: off.",
    )

    inbound: InboundSettings | None = Field(
        default=None,
        description="Requests from Salesforce: a JSON object, {} for the defaults; "
        "`crm-pipeline listener configure` takes it from a file. None: off.",
    )

    engagement: EngagementSettings | None = Field(
        default=None,
        description="Prospects with their tags, scores and pages: a JSON object, {} for the "
        "defaults; none: off.",
    )

    @field_validator(*_AS_JSON, mode="before")
    @classmethod
    def _from_text(cls, value: object, info: ValidationInfo) -> object:
        """The command line gives objects and lists as JSON."""
        if not isinstance(value, str):
            return value
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            raise ValueError(_AS_JSON[str(info.field_name)]) from None

    @field_validator("person_field_policies")
    @classmethod
    def _one_for_each_field(cls, policies: Mapping[str, FieldPolicy]) -> Mapping[str, FieldPolicy]:
        if len({name.lower() for name in policies}) < len(policies):
            raise ValueError("a field has two policies, in letters of another case")
        return policies

    @property
    def words(self) -> Words:
        """The meaning of the status words of registrations."""
        return Words(
            self.stage_of,
            self.unknown_stage,
            self.attended_at_least_minutes,
            self.early_visits_count,
        )

    def policy(self, field: str, *, softly: bool = False) -> str:
        """Returns when this field of an existing Lead or Contact is written.

        As in Salesforce, it does not matter in which case a field's name is written.

        Args:
            field: its name.
            softly: whether what is to be written weighs less than a salesperson's word; it
                matters where the account has not chosen for this very field.
        """
        chosen = {name.lower(): policy for name, policy in self.person_field_policies.items()}
        if field.lower() in chosen:
            return chosen[field.lower()]
        if self.attribution is not None and (policy := self.attribution.policy(field)):
            return policy
        if field in STAYS and self.person_fields != "never":
            return "when_empty"
        return "unless_edited" if softly and self.person_fields == "source" else self.person_fields

    @property
    def policies_in_use(self) -> frozenset[str]:
        """The policies that any field of a Lead or Contact has."""
        own = () if self.attribution is None else self.attribution.written_fields()
        fields = self.person_field_policies.values()
        return frozenset((self.person_fields, *fields, *(policy for _, policy in own)))

    @property
    def fields_that_go_together(self) -> Sequence[Collection[str]]:
        """Fields of a Lead or Contact of which none is filled without the others of its group."""
        return () if self.attribution is None else self.attribution.touches

    @property
    def codes(self) -> Collection[str]:
        """Fields of a Lead or Contact, in small letters, whose values are another one when cut."""
        return () if self.attribution is None else self.attribution.codes

    @property
    def knows_by_phone(self) -> bool:
        """True if people are known by a phone number alone, where there is no address."""
        return self.attribution is not None

    @property
    def match_by(self) -> MatchBy:
        """The things by which people are found in the org."""
        fields = {str(sobject): names for sobject, names in self.match_fields.items()}
        return MatchBy(self.match_first, fields, self.person_id_field)

    @property
    def tracker_id_field(self) -> str | None:
        """The field of a Lead or Contact that has the source's id of the person, if one has."""
        return None if self.attribution is None else self.attribution.id_field

    @property
    def phone_region(self) -> str | None:
        """The country in which numbers without a country code are read first, if one is chosen."""
        return None if self.attribution is None else self.attribution.phone_region

    def typed(self, name: str) -> str:
        """Returns a setting as it can be typed for `parse`; nothing for none."""
        value = getattr(self, name)
        if isinstance(value, BaseModel):
            return value.model_dump_json(exclude_unset=True)
        plain = self.model_dump(mode="json", include={name})[name]
        if plain is None:
            return ""
        return plain if isinstance(plain, str) else orjson.dumps(plain).decode()

    @classmethod
    def parse(cls, account_id: str, values: Mapping[str, object]) -> Self:
        """Settings out of JSON values or the command line's texts.

        Raises:
            AccountError: a value is impossible, or a name is unknown; it says which.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as refused:
            first = refused.errors(include_url=False)[0]
            name = ".".join(str(part) for part in first["loc"])
            if first["type"] == "extra_forbidden":
                known = ", ".join(_model_at(cls, first["loc"][:-1]).model_fields)
                last = str(first["loc"][-1])
                own = f"{last} is one of the account itself; " if last in cls.model_fields else ""
                message = f"there is no setting {name!r}; {own}those that exist: {known}"
            else:
                why = _EXPECTED.get(first["type"]) or first["msg"].removeprefix("Value error, ")
                message = f"setting {name} = {first['input']!r}: {why}"
        end = "" if message.endswith("?") else "."
        raise AccountError(f"Account {account_id}: {message}{end}")


def _model_at(model: type[BaseModel], path: Sequence[int | str]) -> type[BaseModel]:
    """The model of the group of settings at a place, which may lie within lists and objects."""
    for name in path:
        if isinstance(name, str) and name in model.model_fields:
            model = next(_models_in(model.model_fields[name].annotation))
    return model


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


class WithoutCycles(NamedTuple):
    """Why an account has no cycles, and the command that lets them begin, or run."""

    state: Literal["Draft", "Disabled"]
    is_a: str
    command: str
    verb: Literal["begin", "run"]


@dataclass(frozen=True, slots=True)
class Account:
    """One client's org, as the pipeline serves it.

    Attributes:
        account_id: opaque key of letters, digits, `_` and `-`; the Dagster partition.
        client_id: the warehouse's client whose webinars go to this org.
        name: what people call the client.
        login_url: where logins go, without a slash at its end.
        enabled: whether cycles run for it; never for a draft.
        settings: what the client chose.
        draft: whether nobody has let its cycles begin yet.
    """

    account_id: str
    client_id: str
    name: str
    login_url: str
    enabled: bool
    settings: AccountSettings
    draft: bool = False

    @property
    def without_cycles(self) -> WithoutCycles | None:
        """Why there are no cycles of it; None where there are."""
        command = "crm-pipeline account"
        if self.draft:
            activate = f"{command} activate {self.account_id}"
            return WithoutCycles("Draft", "a draft", activate, "begin")
        if not self.enabled:
            enable = f"{command} enable {self.account_id}"
            return WithoutCycles("Disabled", "disabled", enable, "run")
        return None


def checked_account_id(account_id: str) -> str:
    """The id itself.

    Raises:
        AccountError: it has characters that a Dagster partition key must not have.
    """
    if not _ACCOUNT_ID.fullmatch(account_id):
        raise AccountError(
            f"Account id {account_id!r}: use letters, digits, '-' and '_' only, as in acme-emea."
        )
    return account_id


def checked_login_url(account_id: str, login_url: str) -> str:
    """The address without blanks around it and without a slash at its end.

    Raises:
        AccountError: it is neither an https address of Salesforce's nor one of plain http on this
            machine. The address is not repeated, as it may carry a password.
    """
    address = login_url.strip().rstrip("/")
    if host_of(address) or local_address(address):
        return address
    if re.search(r"[@?#]", address):
        raise AccountError(
            f"Account {account_id}: the login URL must not carry a user, a password, a query or "
            "a fragment; credentials are set apart, with `crm-pipeline account credentials`."
        )
    if address.lower().startswith("http://"):
        raise AccountError(
            f"Account {account_id}: the login URL would send credentials unencrypted; "
            "use https (plain http is for orgs on this machine only, at ports 1 to 65535)."
        )
    raise AccountError(
        f"Account {account_id}: the login URL is not one of Salesforce's; give one like "
        "https://acme.my.salesforce.com (not lightning.force.com), with letters, digits, dots and "
        "hyphens."
    )
