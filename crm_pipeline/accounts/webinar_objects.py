"""Fields of an org that webinars and campaigns can fill: deployed, mapped and documented alike."""

from dataclasses import dataclass
from typing import Literal

from crm_pipeline.salesforce.org_objects import FieldKind, OrgField, OrgObject

OutOfRows = Literal["newest", "first", "last", "sum", "all together", "as it is", "ours"]
"""The value of several rows of a person; `ours`: the pipeline says it itself."""


@dataclass(frozen=True, slots=True)
class FilledField:
    """A field, where its value comes from, and how it is made.

    Attributes:
        sobject: its object.
        name: API name.
        label: as people read it.
        kind: its type.
        source: the column it is filled from; None: the pipeline fills it itself.
        rule: how one value is made of several rows.
        says: what it tells, for people in the org: the field's help.
        example: a value.
        length: of texts.
    """

    sobject: str
    name: str
    label: str
    kind: FieldKind
    source: str | None
    rule: OutOfRows
    says: str
    example: str
    length: int = 0

    @property
    def org_field(self) -> OrgField:
        """The field as it is deployed; its help says where it comes from, too."""
        is_key = self.source is None and self.kind == "text"
        origin = "Such as" if self.source is None else f"From {self.source} ({self.rule}), such as"
        help_text = f"{self.says} {origin} {self.example}."
        return OrgField(
            self.name, self.label, self.kind, self.length, is_key=is_key, says=help_text
        )


_M = "CampaignMember"

FIELDS: tuple[FilledField, ...] = (
    FilledField(
        *("Campaign", "Webinar_Event_Key__c", "Webinar Event Key", "text", None, "ours"),
        "The webinar platform's id of the event; the campaign is found by it.",
        "4711",
        64,
    ),
    FilledField(
        *("Campaign", "Members_Expected__c", "Members Expected", "number", None, "ours"),
        "How many members the webinar platform knows that are to be here.",
        "412",
    ),
    FilledField(
        *("Campaign", "Complete_As_Of__c", "Complete As Of", "datetime", None, "ours"),
        "When all members were last seen to be here; empty while some are not.",
        "2026-03-01T14:05:00Z",
    ),
    FilledField(
        *("Campaign", "Webinar_Series__c", "Webinar Series", "text", "series", "as it is"),
        "The series that a recurring webinar belongs to.",
        "Tuesdays with the team",
        255,
    ),
    FilledField(
        *("Activity", "Webinar_Key__c", "Webinar Key", "text", None, "ours"),
        "The webinar platform's id of the registration or attendance.",
        "registration:4711",
        64,
    ),
    FilledField(
        *(_M, "Webinar_Registered_At__c", "Webinar Registered At", "datetime", "registered_at"),
        "first",
        "When the person registered first; First Responded Date cannot be set afterwards.",
        "2026-02-12T09:30:00Z",
    ),
    FilledField(
        *(_M, "Webinar_Attended_At__c", "Webinar Attended At", "datetime", "first_attended_at"),
        "first",
        "When the person came first.",
        "2026-03-01T12:02:00Z",
    ),
    FilledField(
        *(_M, "Webinar_Left_At__c", "Webinar Left At", "datetime", "last_left_at", "last"),
        "When the person left last.",
        "2026-03-01T12:58:00Z",
    ),
    FilledField(
        *(_M, "Webinar_Minutes_Live__c", "Webinar Minutes Live", "number", "minutes_live", "sum"),
        "Minutes in the sessions; each counts once, though the person came by two devices.",
        "56",
    ),
    FilledField(
        *(_M, "Webinar_Minutes_Replay__c", "Webinar Minutes Replay", "number"),
        *("minutes_on_demand", "sum"),
        "Minutes of the recording that the person saw.",
        "20",
    ),
    FilledField(
        *(_M, "Webinar_Percent__c", "Webinar Percent Attended", "number", "percent_attended"),
        "all together",
        "Minutes of the sessions that the person was at, by their length; 100 at most.",
        "93",
    ),
    FilledField(
        *(_M, "Webinar_Polls_Answered__c", "Webinar Polls Answered", "number"),
        *("questions_answered", "sum"),
        "How many poll questions the person answered.",
        "3",
    ),
    FilledField(
        *(_M, "Webinar_Questions_Asked__c", "Webinar Questions Asked", "number"),
        *("questions_asked", "sum"),
        "How many questions the person asked the speakers.",
        "2",
    ),
    FilledField(
        *(_M, "Webinar_Downloads__c", "Webinar Downloads", "number"),
        *("resources_downloaded", "sum"),
        "How many resources the person downloaded.",
        "1",
    ),
    FilledField(
        *(_M, "Webinar_Links_Clicked__c", "Webinar Links Clicked", "number"),
        *("links_clicked", "sum"),
        "How many links the person clicked.",
        "1",
    ),
    FilledField(
        *(_M, "Webinar_Rating__c", "Webinar Rating", "text", "rating", "newest"),
        "How the person rated the webinar.",
        "4",
        80,
    ),
    FilledField(
        *(_M, "Webinar_Utm_Source__c", "Webinar UTM Source", "text", "utm_source", "newest"),
        "Where the link to the registration was.",
        "newsletter",
        255,
    ),
    FilledField(
        *(_M, "Webinar_Utm_Medium__c", "Webinar UTM Medium", "text", "utm_medium", "newest"),
        "The kind of place where the link to the registration was.",
        "email",
        255,
    ),
    FilledField(
        *(_M, "Webinar_Utm_Campaign__c", "Webinar UTM Campaign", "text", "utm_campaign", "newest"),
        "The campaign that the link to the registration was part of.",
        "spring-2026",
        255,
    ),
)

_LABELS = {
    "Activity": ("Activity", "Activities", "A registration or an attendance."),
    "Campaign": ("Campaign", "Campaigns", "An event of the webinar platform."),
    "CampaignMember": ("Campaign Member", "Campaign Members", "A participant of an event."),
}

OBJECTS: tuple[OrgObject, ...] = tuple(
    OrgObject(
        sobject,
        *labels,
        tuple(field.org_field for field in FIELDS if field.sobject == sobject),
    )
    for sobject, labels in _LABELS.items()
)
"""The standard objects, with the fields that are deployed to them."""
