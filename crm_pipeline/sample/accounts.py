"""The demo's clients: what each wants, what its org is like, and how its first cycle must end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from crm_pipeline.accounts.engagement import EngagementSettings
from crm_pipeline.accounts.feedback_records import FeedbackObject
from crm_pipeline.sample.org_objects import objects_of_org
from crm_pipeline.sample.subscribers import subscribers

SampleLogin = Literal["client_credentials", "jwt", "password"]


@dataclass(frozen=True)
class SampleAccount:
    """One client of the sample platform.

    Attributes:
        account_id: of the account, its client in the warehouse and its org.
        name: what people call it.
        shows: what it is in the demo for.
        login: how the pipeline logs in.
        state: in which its first cycle ends; `Disabled`: there is none.
        filters: email filter strings.
        every_second_session: whether it lists sessions, and leaves every second one out.
        known_people: whether its org knows some of the people already.
        refused_addresses: its org refuses leads with such an address, by a validation rule.
        mappings: sObject, field, and the column or the constant that it gets.
        settings: of the account, where they are not the default.
        org: what its local org has beside users, apps and records.
        wrong_password: whether the stored credentials are outdated.
    """

    account_id: str
    name: str
    shows: str
    login: SampleLogin = "client_credentials"
    state: Literal["Complete", "Failed", "Disabled"] = "Complete"
    filters: tuple[str, ...] = ()
    every_second_session: bool = False
    known_people: bool = False
    refused_addresses: str = ""
    mappings: tuple[tuple[str, str, str | None, str | None], ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    org: Mapping[str, Any] = field(default_factory=dict)
    wrong_password: bool = False


ENGAGEMENT = {
    "pages": True,
    "accounts": True,
    "opportunity_tags": True,
    "opportunity_scores": True,
    "by_event": True,
    "person_fields": {
        "Prospect_Id__c": "prospect_id",
        "Favorite__c": "favorite",
        "Temperature__c": "temperature",
        "Tags__c": "tags",
        "Interest__c": "score:s2",
        "Fit__c": "grade:s1",
    },
}
"""An account's choices for the engagement workflow, with all that there is."""

INBOUND: dict[str, Any] = {
    "in_org": "anonymize",
    "macros": {"forget": {"does": "erase"}},
    "listeners": {"gdpr": {"macro": "forget"}},
    "external_sources": {
        "ideas": {
            "project": "Webinars",
            "feedback_type": "Idea",
            "team": "Participants",
            "status": "New",
            "form": {"title": {"required": True}, "details": {}},
            "mapping": {"Subject": "title", "Description": "details"},
            "default_submitter": "1",
        }
    },
    "users_in_org": True,
    "feedback_in_org": {},
}
"""An account's choices for requests from Salesforce; it has the platform's users and tickets."""

SAMPLE_ACCOUNTS = (
    SampleAccount(
        "alder-finch",
        "Alder & Finch Consulting",
        "people the org knows already, addresses that it does not want, and prospects with tags, "
        "scores and pages, shown at leads, contacts, accounts and opportunities; it takes "
        "requests, and has the platform's users and feedback tickets",
        filters=("@rival.example", " MailTest "),
        known_people=True,
        settings={"engagement": ENGAGEMENT, "inbound": INBOUND},
        org={
            "objects": objects_of_org(
                [
                    *EngagementSettings.model_validate(ENGAGEMENT).org_objects,
                    FeedbackObject().org_object,
                ]
            ),
            "subscribers": subscribers(EngagementSettings.model_validate(ENGAGEMENT)),
        },
    ),
    SampleAccount(
        "banner-lane",
        "Banner Lane Media",
        "the legacy login, fields of its own, activities upserted by an external id, and "
        "campaigns: each event is one, each session one below it, with their participants as "
        "members; recurring webinars stand below their series",
        login="password",
        mappings=(
            ("Contact", "Employer__c", "company_name", None),
            ("Lead", "Webinar__c", "session_title", None),
            ("Lead", "Rating", None, "Warm"),
            ("Lead", "Title", None, None),
            ("CampaignMember", "Registered_By__c", "source", None),
            ("CampaignMember", "Minutes_Attended__c", "minutes_attended", None),
            ("CampaignMember", "Questions_Answered__c", "questions_answered", None),
            ("CampaignMember", "Percent_Attended__c", "percent_attended", None),
            ("CampaignMember", "Registered_At__c", "registered_at", None),
            ("CampaignMember", "Utm_Source__c", "utm_source", None),
            ("CampaignMember", "Budget__c", "answers.budget", None),
            ("Campaign", "BudgetedCost", "budget", None),
            ("Campaign", "Series__c", "series", None),
            ("Contact", "HasOptedOutOfEmail", "opted_out", None),
        ),
        settings={
            "activity_external_id_field": "Webinar_Key__c",
            "campaigns": {
                "external_id_field": "Event_Key__c",
                "campaign_status": True,
                "grain": "both",
                "series_parent": "series",
                "waitlisted": {"label": "Waitlisted", "priority": 0.5},
                "substituted": {"label": "Substituted", "priority": 2.5},
                "follow_up_when": [
                    {"in": "surveys", "label": "May we call you?", "value": "Yes, please"}
                ],
            },
            "alias": "follow",
            "activity_text": [
                *("event", "session", "minutes", "polls", "questions", "surveys", "links"),
            ],
        },
        known_people=True,
        org={
            "objects": {
                "Contact": {"fields": {"Employer__c": {"type": "string", "length": 255}}},
                "Lead": {"fields": {"Webinar__c": {"type": "string", "length": 255}}},
                "Campaign": {
                    "fields": {
                        "Series__c": {"type": "string", "length": 255},
                        "Event_Key__c": {
                            "type": "string",
                            "length": 64,
                            "external_id": True,
                            "unique": True,
                        },
                    }
                },
                "CampaignMember": {
                    "fields": {
                        "Registered_By__c": {"type": "string", "length": 255},
                        "Minutes_Attended__c": {"type": "double", "scale": 0},
                        "Questions_Answered__c": {"type": "double", "scale": 0},
                        "Percent_Attended__c": {"type": "double", "scale": 0},
                        "Registered_At__c": {"type": "datetime"},
                        "Utm_Source__c": {"type": "string", "length": 255},
                        "Budget__c": {"type": "string", "length": 255},
                    }
                },
                "Activity": {
                    "fields": {
                        "Webinar_Key__c": {
                            "type": "string",
                            "length": 64,
                            "external_id": True,
                            "unique": True,
                        }
                    }
                },
            }
        },
    ),
    SampleAccount(
        "cobalt-harbour",
        "Cobalt Harbour Logistics",
        "a login by JWT, only some of its sessions pushed, and the leads of a tracker: callers are "
        "known by their number, and each person has a first and a last touch",
        login="jwt",
        every_second_session=True,
        known_people=True,
        settings={
            "attribution": {
                "id_field": "Tracker_Id__c",
                "kind_field": "Tracker_Kind__c",
                "first_touch": {
                    "source": "First_Source__c",
                    "campaign": "First_Campaign__c",
                    "gclid": "First_Gclid__c",
                },
                "last_touch": {"source": "Last_Source__c", "landing_page": "Last_Page__c"},
                "further_fields": {"Recording__c": "recording_url"},
                "phone_region": "DE",
                "currency": "EUR",
            }
        },
        org={
            "objects": {
                sobject: {
                    "fields": {
                        name: {"type": "string", "length": 255}
                        for name in (
                            "Tracker_Id__c",
                            "Tracker_Kind__c",
                            "First_Source__c",
                            "First_Campaign__c",
                            "First_Gclid__c",
                            "Last_Source__c",
                            "Last_Page__c",
                            "Recording__c",
                        )
                    }
                }
                for sobject in ("Lead", "Contact")
            }
        },
    ),
    SampleAccount(
        "dovetail-health",
        "Dovetail Health",
        "an org that refuses some leads: they need a look, and their activities wait for them",
        refused_addresses="@kestrel.example",
    ),
    SampleAccount(
        "ember-institute",
        "Ember Institute",
        "an org with state and country picklists, slow as real ones are",
        org={"state_and_country_picklists": True, "latency_ms": 120},
    ),
    SampleAccount(
        "fathom-robotics",
        "Fathom Robotics",
        "a password that was changed in the org",
        login="password",
        state="Failed",
        wrong_password=True,
    ),
    SampleAccount(
        "granite-peak",
        "Granite Peak Software",
        "an org that is down: it answers 503 to everything",
        state="Failed",
        org={"faults": [{"kind": "*", "action": "html_503"}]},
    ),
    SampleAccount(
        "hollow-oak",
        "Hollow Oak Publishing",
        "a client who has left: the account is disabled",
        state="Disabled",
    ),
)


def clients(number: int) -> dict[str, str]:
    """Names by `client_id`: the demo's clients first, then as many more as are asked for."""
    named = {each.account_id: each.name for each in SAMPLE_ACCOUNTS[:number]}
    more = range(len(named) + 1, number + 1)
    return named | {f"client-{count:05}": f"Client {count}" for count in more}
