"""The engagement workflow, declared: prospects in the org, matched to its people (spec 3)."""

from typing import TYPE_CHECKING

from crm_pipeline.accounts.engagement import EngagementSettings
from crm_pipeline.accounts.engagement_objects import DECLARED
from crm_pipeline.declaration import Flow, Outside, Promise, Topic
from crm_pipeline.flows.engagement import NAME, shown, topics
from crm_pipeline.flows.engagement.following import asks, follow, notice, take, watches
from crm_pipeline.flows.engagement.reading import read
from crm_pipeline.salesforce.org_objects import OrgObject
from crm_pipeline.sources.engagement import DEFINITIONS, PAGES, PROSPECTS
from crm_pipeline.sources.tables import COLUMNS_READ

if TYPE_CHECKING:
    from crm_pipeline.delivery.desk import Desk

_WRITTEN = ("examined", "create", "update", "delete", "unchanged", "failed", "calls")

_TOPICS = (
    Topic(
        topics.TAGS,
        "Tags that the source defines, for accounts that have the engagement workflow on: each is "
        "a record of the org; one that the source no longer has is deleted.",
        group=NAME,
        technology="salesforce",
        after=("warehouse/tag_definition",),
        counts=_WRITTEN,
        shows=shown.switch,
        reads=(DEFINITIONS.name,),
        records=True,
        sends=("record",),
        when_deleted="recreate",
    ),
    Topic(
        topics.SCORES,
        "Scores that the source defines: each is a record of the org; one that the source no "
        "longer has is deleted.",
        group=NAME,
        technology="salesforce",
        after=("warehouse/score_definition",),
        counts=_WRITTEN,
        reads=(DEFINITIONS.name,),
        records=True,
        sends=("record",),
        when_deleted="recreate",
    ),
    Topic(
        topics.PROSPECTS,
        "Prospects that changed. Each says whether its Leads and Contacts have all of it, and "
        "after how many tries. One that people delete is made anew when the source changes it.",
        group=NAME,
        technology="salesforce",
        after=("warehouse/prospect", "warehouse/prospect_tag", "warehouse/prospect_score"),
        counts=(*_WRITTEN, "known_already", "gone"),
        reads=(PROSPECTS.name,),
        records=True,
        reads_back=True,
        sends=("record",),
        when_deleted="leave",
    ),
    Topic(
        topics.PROSPECT_TAGS,
        "The tags of prospects that changed; those that they no longer have are deleted.",
        group=NAME,
        technology="salesforce",
        after=(topics.PROSPECTS, topics.TAGS),
        counts=_WRITTEN[1:],
        sends=("record",),
        when_deleted="recreate",
    ),
    Topic(
        topics.PROSPECT_SCORES,
        "The scores of prospects that changed; those that they no longer have are deleted.",
        group=NAME,
        technology="salesforce",
        after=(topics.PROSPECTS, topics.SCORES),
        counts=_WRITTEN[1:],
        sends=("record",),
        when_deleted="recreate",
    ),
    Topic(
        topics.PAGES,
        "Pages that prospects visited, forms and other events, for accounts that keep pages; those "
        "that the source no longer has are deleted.",
        group=NAME,
        technology="salesforce",
        after=("warehouse/prospect_page", topics.PROSPECTS),
        counts=_WRITTEN,
        reads=(PAGES.name,),
        records=True,
        sends=("record",),
        option="pages",
        when_deleted="recreate",
    ),
    Topic(
        topics.TO_LEADS,
        "Every open Lead with a prospect's address: its mapped fields, and copies of tags, scores "
        "and pages. What the org refuses is tried again, 30 times in all.",
        group=NAME,
        technology="salesforce",
        after=(topics.PROSPECTS, topics.PAGES),
        counts=_WRITTEN,
        reads_back=True,
        sends=("record",),
        when_deleted="recreate",
        gives_up=False,
    ),
    Topic(
        topics.TO_CONTACTS,
        "Every Contact with a prospect's address: its mapped fields, and copies of tags, scores "
        "and pages. What the org refuses is tried again, 30 times in all.",
        group=NAME,
        technology="salesforce",
        after=(topics.PROSPECTS, topics.PAGES),
        counts=_WRITTEN,
        reads_back=True,
        sends=("record",),
        when_deleted="recreate",
        gives_up=False,
    ),
    Topic(
        topics.MATCH_EVENTS,
        "Matches that are published as platform events, for accounts that have this on: what a "
        "Lead or Contact is to show of its prospect, or that it has none any more, which a flow of "
        "the client's applies. Each is confirmed once the org shows it, else published again, 30 "
        "times in all.",
        group=NAME,
        technology="salesforce",
        after=(topics.TO_LEADS, topics.TO_CONTACTS),
        counts=(*_WRITTEN[1:], "confirmed"),
        reads_back=True,
        sends=("record",),
        option="by_event",
        when_deleted="recreate",
        gives_up=False,
        publishes=True,
    ),
    Topic(
        topics.CLEAN_LEADS,
        "Leads of which no active prospect has the address any more: their mapped fields are "
        "emptied, and their copies deleted.",
        group=NAME,
        technology="salesforce",
        after=(topics.TO_LEADS,),
        counts=_WRITTEN[1:],
        sends=("record",),
        when_deleted="recreate",
        gives_up=False,
    ),
    Topic(
        topics.CLEAN_CONTACTS,
        "Contacts of which no active prospect has the address any more: their mapped fields are "
        "emptied, and their copies deleted.",
        group=NAME,
        technology="salesforce",
        after=(topics.TO_CONTACTS,),
        counts=_WRITTEN[1:],
        sends=("record",),
        when_deleted="recreate",
        gives_up=False,
    ),
    Topic(
        topics.AGGREGATE_TAGS,
        "Accounts have the tags of their Contacts, for accounts that have this on: since the "
        "earliest time, and as many times as all together.",
        group=NAME,
        technology="salesforce",
        after=(
            topics.TO_CONTACTS,
            topics.CLEAN_CONTACTS,
        ),
        counts=_WRITTEN,
        reads_back=True,
        sends=("record",),
        option="accounts",
        when_deleted="recreate",
        gives_up=False,
    ),
    Topic(
        topics.AGGREGATE_SCORES,
        "Accounts have the scores of their Contacts, for accounts that have this on: the median "
        "and the grade that most of them have.",
        group=NAME,
        technology="salesforce",
        after=(
            topics.TO_CONTACTS,
            topics.CLEAN_CONTACTS,
        ),
        counts=_WRITTEN,
        reads_back=True,
        sends=("record",),
        option="accounts",
        when_deleted="recreate",
        gives_up=False,
    ),
    Topic(
        topics.AGGREGATE_TEMPERATURE,
        "Accounts have the median temperature of their Contacts, for accounts that have this on; "
        "Contacts without one do not count.",
        group=NAME,
        technology="salesforce",
        after=(
            topics.TO_CONTACTS,
            topics.CLEAN_CONTACTS,
        ),
        counts=_WRITTEN,
        reads_back=True,
        sends=("record",),
        option="accounts",
        when_deleted="recreate",
        gives_up=False,
    ),
    Topic(
        topics.OPPORTUNITY_TAGS,
        "Opportunities have the tags of their Account, for accounts that have this on; "
        "they lose those that it no longer has.",
        group=NAME,
        technology="salesforce",
        after=(topics.AGGREGATE_TAGS,),
        counts=_WRITTEN,
        reads_back=True,
        sends=("record",),
        option="opportunity_tags",
        when_deleted="recreate",
        gives_up=False,
    ),
    Topic(
        topics.OPPORTUNITY_SCORES,
        "Opportunities have the scores of their Account, for accounts that have this on; "
        "they lose those that it no longer has.",
        group=NAME,
        technology="salesforce",
        after=(topics.AGGREGATE_SCORES,),
        counts=_WRITTEN,
        reads_back=True,
        sends=("record",),
        option="opportunity_scores",
        when_deleted="recreate",
        gives_up=False,
    ),
)

_BACK = Topic(
    topics.PEOPLE_BACK,
    "What people change at matched Leads and Contacts, as the source is told: Id, Email, Favorite, "
    "Name, First Name, Last Name, the owner's email and Prospect Id.",
    group=NAME,
    technology="salesforce",
    after=(topics.TO_LEADS, topics.TO_CONTACTS, topics.MATCH_EVENTS),
    counts=("told", "failed"),
    reads_back=True,
    sends=("message",),
)


def _take_census(desk: "Desk", chosen: EngagementSettings) -> None:
    # What acts is loaded by cycles only: it speaks to orgs.
    from crm_pipeline.flows.engagement.census import take_census

    take_census(desk, chosen)


_CENSUS = Topic(
    topics.CENSUS,
    "How many records of each object there are in the org, in the ledger and at the source, where "
    "`crm-pipeline engagement census` asked for it; what differs is named, and the source is told.",
    group=NAME,
    technology="salesforce",
    after=(
        topics.PROSPECT_TAGS,
        topics.PROSPECT_SCORES,
        topics.CLEAN_LEADS,
        topics.AGGREGATE_TEMPERATURE,
        topics.OPPORTUNITY_TAGS,
        topics.OPPORTUNITY_SCORES,
    ),
    counts=("objects", "differing", "told", "failed"),
    sends=("message",),
    acts=_take_census,
)

_TABLES = tuple(
    Outside(
        f"warehouse/{table}",
        f"The source's {what}.",
        "postgres",
        columns=COLUMNS_READ[table],
        rows_of=rows_of,
    )
    for table, what, rows_of in (
        ("tag_definition", "tags, as they are defined", ""),
        ("score_definition", "scores, as they are defined", ""),
        ("prospect", "prospects", PROSPECTS.name),
        ("prospect_tag", "tags that prospects have", ""),
        ("prospect_score", "scores that prospects have", ""),
        ("prospect_page", "pages that prospects visited, forms, other events", ""),
    )
)

_DECLARED = {
    each.name: each.fields
    for each in EngagementSettings(
        accounts=True, by_event=True, opportunity_tags=True, opportunity_scores=True, pages=True
    ).org_objects
}
"""The fields of each object where an account chooses all, and renames nothing."""

_OBJECTS = tuple(
    Outside(f"salesforce/{sobject}", what, "salesforce", after=after, fields=_DECLARED[sobject])
    for sobject, what, after in (
        ("SW_Tag__c", "Tags in the client's org.", (topics.TAGS,)),
        ("Score__c", "Scores in the client's org.", (topics.SCORES,)),
        ("Prospect__c", "Prospects in the client's org.", (topics.PROSPECTS,)),
        ("SW_Prospect_Tag__c", "Tags of prospects.", (topics.PROSPECT_TAGS,)),
        ("Prospect_Score__c", "Scores of prospects.", (topics.PROSPECT_SCORES,)),
        ("Page_Prospect__c", "Pages of prospects.", (topics.PAGES,)),
        (
            "SW_Tag_Segment_Trigger__c",
            "Tags of Leads and Contacts.",
            (topics.TO_LEADS, topics.TO_CONTACTS),
        ),
        (
            "Prospect_Score_Instance__c",
            "Scores of Leads and Contacts.",
            (topics.TO_LEADS, topics.TO_CONTACTS),
        ),
        ("Prospect_Match__e", "Matches, as events.", (topics.MATCH_EVENTS,)),
        (
            "Website_Visit__c",
            "Pages of Leads and Contacts.",
            (topics.TO_LEADS, topics.TO_CONTACTS),
        ),
        ("SW_Account_Tag_Segment_Trigger__c", "Tags of Accounts.", (topics.AGGREGATE_TAGS,)),
        ("Account_Score__c", "Scores of Accounts.", (topics.AGGREGATE_SCORES,)),
        ("SW_Opportunity_Tag__c", "Tags of Opportunities.", (topics.OPPORTUNITY_TAGS,)),
        ("Opportunity_Score__c", "Scores of Opportunities.", (topics.OPPORTUNITY_SCORES,)),
    )
)

_PROMISES = (
    Promise(
        "every_prospect_is_accounted_for",
        topics.PROSPECTS,
        "Every prospect that was read is delivered, queued, or gone.",
        numbers={
            "prospects": "Prospects that were read.",
            "to_be_said": "Those of which something is to be sent yet.",
            "unaccounted_for": "Those of which nothing is delivered or queued.",
        },
    ),
    Promise(
        "engagement_census",
        topics.CENSUS,
        "The org showed all records that it holds for the account, and no others of their objects, "
        "when they were counted last.",
        only_warns=True,
        numbers={
            "objects": "Objects of the workflow that were counted.",
            "not_seen": "Records that the account has there, and the org did not show.",
            "not_ours": "Records that the org showed, and the ledger does not know.",
            "hours_since_it_was_taken": "How long ago that was.",
        },
    ),
)


def _also_read(chosen: EngagementSettings) -> list[OrgObject]:
    """Objects of which nothing is written: owners, and Opportunities. Described in one call."""
    names = ("User", "Opportunity") if chosen.of_opportunities else ("User",)
    return [OrgObject(name, name, f"{name}s", "", ()) for name in names]


def _renamed(chosen: EngagementSettings) -> dict[str, str]:
    by_default = EngagementSettings()
    objects = {chosen.names.object(name): by_default.names.object(name) for name in DECLARED}
    return {**objects, chosen.event_name: by_default.event_name}


ENGAGEMENT = Flow(
    NAME,
    settings=lambda account: account.engagement,
    topics=(*_TOPICS, _BACK, _CENSUS),
    sources=(DEFINITIONS, PROSPECTS, PAGES),
    outside=(*_TABLES, *_OBJECTS),
    promises=_PROMISES,
    read=read,
    share=20_000,
    storage_share=lambda chosen: chosen.storage_share,
    confirm_minutes=lambda chosen: chosen.confirm_minutes if chosen.by_event else None,
    needs=lambda chosen: (*chosen.org_objects, *_also_read(chosen)),
    renamed=_renamed,
    watches=watches,
    notice=notice,
    take=take,
    asks=asks,
    follow=follow,
)
