"""The object of an org that holds the platform's feedback tickets: the one declaration of it."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from crm_pipeline.accounts.spelling import FieldApiName, ObjectApiName
from crm_pipeline.accounts.templates import FieldSource
from crm_pipeline.salesforce.org_objects import OrgField, OrgObject
from crm_pipeline.salesforce.record_keys import KEY_LENGTH

_FIELDS: Mapping[str, OrgField] = {
    field.name: field
    for field in (
        OrgField("Status__c", "Status", "text", 255),
        OrgField("Team__c", "Team", "text", 255),
        OrgField("Project__c", "Project", "text", 255),
        OrgField("Feedback_Type__c", "Feedback Type", "text", 255),
        OrgField("Details__c", "Details", "long_text", 32_768),
        OrgField("Submitted_At__c", "Submitted At", "datetime"),
    )
}

_MAPPING: Mapping[str, str] = {
    "Name": "ticket_title",
    "Status__c": "status",
    "Team__c": "team",
    "Project__c": "project",
    "Feedback_Type__c": "feedback_type",
    "Details__c": "details",
    "Submitted_At__c": "submitted_at",
}


class FeedbackObject(BaseModel):
    """Each ticket of the platform as a record under the Lead or Contact of who submitted it.

    Attributes:
        object: its API name.
        key: the field by which records are upserted: an external id with the ticket's id.
        lead: the field that leads to a Lead; None: it has none.
        contact: the field that leads to a Contact; None: it has none.
        mapping: the column of the extract, or the template, for each other field.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    object: ObjectApiName = "Feedback__c"
    key: FieldApiName = "Ticket_Id__c"
    lead: FieldApiName | None = "Lead__c"
    contact: FieldApiName | None = "Contact__c"
    mapping: Mapping[str, FieldSource] = Field(default=_MAPPING, min_length=1)

    @property
    def people_fields(self) -> tuple[str, ...]:
        """The fields that lead to who submitted a ticket."""
        return tuple(field for field in (self.lead, self.contact) if field is not None)

    @property
    def org_object(self) -> OrgObject:
        """The object with what the flow needs of it.

        Fields of the account's own mapping may be of any type: of these nothing is demanded.
        """
        people = (("Lead", self.lead), ("Contact", self.contact))
        return OrgObject(
            self.object,
            "Feedback",
            "Feedback",
            "A feedback ticket of the platform, under the person who submitted it.",
            (
                OrgField(self.key, "Ticket Id", "text", KEY_LENGTH, is_key=True),
                *(
                    OrgField(field, sobject, "lookup", refers_to=sobject, children="Feedback")
                    for sobject, field in people
                    if field is not None
                ),
                *(_FIELDS[name] for name in self.mapping if name in _FIELDS),
            ),
        )
