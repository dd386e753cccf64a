"""An account's choices for its campaigns (spec 2): plain, frozen values."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from crm_pipeline.accounts.spelling import BusinessUnitId, CustomFieldName
from crm_pipeline.accounts.stages import Stage, plain
from crm_pipeline.text import JsonText


class MemberStatus(BaseModel):
    """A status of campaign members: its label, and what it means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str = Field(min_length=1, max_length=40)
    has_responded: bool = False
    priority: int | float = Field(
        description="A status that people set stays where its priority is the higher one."
    )


class FollowUp(BaseModel):
    """A thing that somebody says or does who wants to be spoken to.

    Of label and value at least one is given; case and blanks do not matter.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    among: Literal["polls", "questions", "surveys", "resources", "links", "answers"] = Field(
        alias="in"
    )
    label: str | None = None
    value: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.label is None and self.value is None:
            raise ValueError("a label, a value, or both are expected")
        return self

    def is_in(self, columns: Mapping[str, Any]) -> bool:
        """Returns whether a row of the warehouse says it."""
        said = columns.get(self.among)
        inner = said.parsed() if isinstance(said, JsonText) else said
        if isinstance(inner, Mapping):
            pairs = list(inner.items())
        else:
            several = inner if isinstance(inner, list) else []
            pairs = [
                (label, each.get("answer", each.get("value")))
                for each in several
                if isinstance(each, Mapping)
                for label in (each.get("question"), each.get("label"), each.get("url"))
                if label is not None
            ]
        return any(
            (self.label is None or plain(label) == plain(self.label))
            and (self.value is None or plain(value) == plain(self.value))
            for label, value in pairs
        )


class AccountEngagement(BaseModel):
    """The business unit of Account Engagement that is told how far people came.

    A call each, from the account's budget; a login by OAuth with the scope pardot_api.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    business_unit: BusinessUnitId
    extension: str = Field(min_length=1, max_length=80)
    types: Mapping[Stage, str] = Field(
        min_length=1, description="The activity type of each stage that is told."
    )
    most_per_day: int = Field(ge=1, le=100_000, description="So many are told in 24 hours at most.")
    sandbox: bool = False


class CampaignSettings(BaseModel):
    """One client's choices for campaigns; `{}` is a complete choice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    external_id_field: CustomFieldName | None = Field(
        default=None,
        description="External-id text field of Campaign that holds the event's id; campaigns are "
        "found by it.",
    )
    create_campaigns: bool = Field(
        default=True, description="An event without a campaign gets a new one."
    )
    grain: Literal["event", "session", "both"] = Field(
        default="event",
        description="Whether each event has a campaign, each session, or each session one below "
        "its event's.",
    )
    series_parent: str | None = Field(
        default=None,
        min_length=1,
        description="Column of events.sql that says which series an event is of: each series gets "
        "a campaign above those of its events.",
    )
    campaign_type: str = Field(
        default="Webinar", min_length=1, max_length=255, description="Type of new campaigns."
    )
    keep_campaigns: Literal["never", "ours"] = Field(
        default="ours",
        description="Name, days and mapped fields of campaigns that we made follow their events, "
        "as long as people have not changed them; never: they stay as they were made.",
    )
    campaign_status: bool = Field(
        default=False,
        description="Status of campaigns that we made, by their days: Planned, In Progress, "
        "Completed.",
    )
    from_salesforce: Literal["off", "invite", "register"] = Field(
        default="off",
        description="Members that people put into linked campaigns with a status of register_from "
        "are told to the platform, to be invited or registered.",
    )
    register_from: tuple[str, ...] = Field(default=(), description="The labels of these statuses.")
    most_registrations_per_cycle: int = Field(
        default=500, ge=1, le=100_000, description="So many are told in a cycle at most."
    )
    join_link_field: CustomFieldName | None = Field(
        default=None,
        description="Field of CampaignMember that gets the person's own link (join_link).",
    )
    census: Literal["off", "daily"] = Field(
        default="off",
        description="Members of campaigns of the last 90 days are counted in the org each day: a "
        "call for 750 campaigns, and one for 1,000 that are told whether they are complete.",
    )
    account_engagement: AccountEngagement | None = Field(
        default=None,
        description="External activities of Account Engagement for stages that members come to "
        "from then on: a JSON object of business_unit, extension, types by stage, most_per_day, "
        "and sandbox; a call each.",
    )
    registered: MemberStatus = MemberStatus(label="Registered", priority=1)
    cancelled: MemberStatus | None = MemberStatus(label="Cancelled", priority=2)
    no_show: MemberStatus | None = MemberStatus(label="No Show", priority=3)
    attended: MemberStatus = MemberStatus(label="Attended", has_responded=True, priority=4)
    invited: MemberStatus | None = None
    pending: MemberStatus | None = None
    waitlisted: MemberStatus | None = None
    declined: MemberStatus | None = None
    substituted: MemberStatus | None = None
    attended_on_demand: MemberStatus | None = MemberStatus(
        label="Attended On-demand", has_responded=True, priority=3.5
    )
    follow_up_requested: MemberStatus = MemberStatus(
        label="Follow Up Requested", has_responded=True, priority=5
    )
    follow_up_when: tuple[FollowUp, ...] = Field(
        default=(),
        description='Whoever says or does one of these is follow_up_requested: `{"in": "surveys", '
        '"label": "May we call you?", "value": "Yes"}`; in: polls, questions, surveys, resources, '
        "links or answers.",
    )
    no_show_after_hours: float | None = Field(
        default=6,
        ge=0,
        le=24 * 365,
        description="Hours after a session's end after which whoever is registered and has not "
        "come is a no-show, if anybody came; none: only what the warehouse says.",
    )
    reregistration: bool = Field(
        default=True,
        description="A new registration for a session lifts Cancelled, Declined and No Show; "
        "false: whoever cancelled a session stays so.",
    )
    unknown_status: Literal["create", "report"] = Field(
        default="create",
        description="A status that a campaign lacks is created there, or reported, and nothing "
        "is sent before it is there.",
    )
    backfill_rows_per_cycle: int = Field(
        default=20_000,
        ge=1,
        le=2**31 - 1,
        description="Participations that a cycle reads again at most when a link or a mapping "
        "changed; at least one event.",
    )

    @model_validator(mode="after")
    def _says_from_which(self) -> Self:
        if self.from_salesforce != "off" and not self.register_from:
            raise ValueError("from_salesforce needs the labels of statuses in register_from")
        return self

    @model_validator(mode="after")
    def _labels_differ(self) -> Self:
        """Two meanings of one label, or of one priority, could not be told apart."""
        chosen = list(self.statuses.values())
        if len({status.label.casefold() for status in chosen}) < len(chosen):
            raise ValueError("two statuses have the same label")
        if len({status.priority for status in chosen}) < len(chosen):
            raise ValueError("two statuses have the same priority")
        return self

    @property
    def of_events(self) -> bool:
        """Whether events have campaigns."""
        return self.grain != "session"

    @property
    def of_sessions(self) -> bool:
        """Whether sessions have campaigns of their own."""
        return self.grain != "event"

    def wants_follow_up(self, columns: Mapping[str, Any]) -> bool:
        """Returns whether somebody asks to be spoken to, given the columns of a row of theirs."""
        return any(each.is_in(columns) for each in self.follow_up_when)

    @property
    def grace(self) -> timedelta | None:
        """The time after a session's end after which absentees are no-shows; None: never."""
        return (
            None if self.no_show_after_hours is None else timedelta(hours=self.no_show_after_hours)
        )

    def sent(self, *, recordings: bool) -> dict[Stage, MemberStatus]:
        """The statuses that are sent, by stage.

        Args:
            recordings: whether the warehouse tells who only saw the recording. Where it does not,
                or campaigns are to lack no status, there is one for that if the account chose it.
        """
        chosen = self.statuses
        by_default = recordings and self.unknown_status == "create"
        if not by_default and "attended_on_demand" not in self.model_fields_set:
            chosen.pop("attended_on_demand", None)
        return chosen

    @property
    def statuses(self) -> dict[Stage, MemberStatus]:
        """The statuses that are sent, by stage, the lowest priority first."""
        chosen: dict[Stage, MemberStatus | None] = {
            "registered": self.registered,
            "cancelled": self.cancelled,
            "no_show": self.no_show,
            "attended": self.attended,
            "invited": self.invited,
            "pending": self.pending,
            "waitlisted": self.waitlisted,
            "declined": self.declined,
            "substituted": self.substituted,
            "attended_on_demand": self.attended_on_demand,
            "follow_up_requested": self.follow_up_requested if self.follow_up_when else None,
        }
        known = [(stage, status) for stage, status in chosen.items() if status is not None]
        return dict(sorted(known, key=lambda each: each[1].priority))
