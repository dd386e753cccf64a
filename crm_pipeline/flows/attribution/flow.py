"""Attribution, declared: tracked leads as people of the org, opportunities back (spec 5)."""

from crm_pipeline.declaration import Flow, Outside, Promise, Topic
from crm_pipeline.flows.attribution import (
    NAME,
    following,
    numbers,
    opportunities,
    shown,
    values,
)
from crm_pipeline.flows.attribution.reading import read
from crm_pipeline.sources.tables import COLUMNS_READ
from crm_pipeline.sources.tracked_leads import TRACKED_LEADS

_TOPICS = (
    Topic(
        shown.LEADS,
        "Leads of the tracker (calls, forms, chats and others), for accounts that have "
        "attribution on: each with the person that it is about, and the first and the last touch "
        "of that person. They are sent with all other people.",
        group=NAME,
        technology="python",
        after=("warehouse/tracked_lead",),
        counts=("rows_read", "known_already", "leads_new", "leads_changed", "rejected"),
        shows=shown.tracked_leads,
        reads=(TRACKED_LEADS.name,),
        records=True,
        reads_back=True,
    ),
    Topic(
        opportunities.TOPIC,
        "Opportunities of the org, read back with their histories, their contacts' roles and the "
        "leads that became them: as they stand, and as they stood.",
        group=NAME,
        technology="salesforce",
        after=("salesforce/Opportunity", "salesforce/OpportunityContactRole"),
        counts=("read", "new", "changed", "unchanged"),
        reads_back=True,
    ),
    Topic(
        following.TOPIC,
        "The tracked leads to which an opportunity belongs, each by the rule that found it, with "
        "the reason; or why it waits. It is looked at again when somebody around it changes.",
        group=NAME,
        technology="python",
        after=(opportunities.TOPIC, shown.LEADS),
        counts=("looked_at", "matched", "waiting"),
        shows=following.shown,
        reads_back=True,
    ),
    Topic(
        values.TOPIC,
        "The value of an opportunity for each lead to which it belongs, as the source platform is "
        "told: amount and currency, stage and its history, won or lost; also when it goes back.",
        group=NAME,
        technology="python",
        after=(following.TOPIC,),
        counts=("told", "failed"),
        sends=("message",),
    ),
)

_OUTSIDE = (
    Outside(
        "warehouse/tracked_lead",
        "The leads of a tracker: calls, forms, chats, each with where it came from.",
        "postgres",
        columns=COLUMNS_READ["tracked_lead"],
        rows_of=TRACKED_LEADS.name,
    ),
    Outside(
        "salesforce/Opportunity",
        "Opportunities in the client's org, with their histories: only read.",
        "salesforce",
        columns=opportunities.OPPORTUNITY_COLUMNS,
    ),
    Outside(
        "salesforce/OpportunityContactRole",
        "The contacts of opportunities: only read.",
        "salesforce",
        columns=opportunities.ROLE_COLUMNS,
    ),
)

_PROMISES = (
    Promise(
        "every_tracked_lead_is_accounted_for",
        shown.LEADS,
        "Every tracked lead that was read was rejected with a reason, or is about a person who is "
        "delivered or queued.",
        numbers={
            "tracked_leads": "Tracked leads that were read.",
            "rejected": "Those that are not sent, for a reason.",
            "unaccounted_for": "Those not rejected, and of nobody who is delivered or queued.",
        },
    ),
    Promise(
        "no_tracked_lead_is_unread",
        shown.LEADS,
        "The last daily count found no tracked lead in the warehouse that was not read, or has no "
        "time of shipping.",
        numbers={
            "leads_counted": "Tracked leads that the warehouse had.",
            "leads_found_unread": "Those that had not been read, and were read then.",
            "leads_still_unread": "Those that could not be read.",
            "leads_without_a_time_of_shipping": "Those that no cycle reads for that.",
            "leads_vanished_from_the_warehouse": "Those that were read and are not there any more.",
            "hours_since_the_count": "How long ago that was counted.",
        },
    ),
    Promise(
        "every_opportunity_is_accounted_for",
        opportunities.TOPIC,
        "Every opportunity that was read is told of, unchanged, not asked for, or waits with a "
        "reason.",
        numbers={
            "opportunities": "Opportunities that were read of the org.",
            "due": "Those that are to be matched by the next cycle.",
            "waiting": "Those that wait with a reason.",
            "not_asked_for": "Those that the account's choices leave out.",
            "untold": "Those that are matched, and of which the platform was not told.",
        },
    ),
    Promise(
        "no_match_is_older_than_its_role",
        following.TOPIC,
        "No opportunity was matched before the last of its contacts' roles was read.",
        numbers={
            "older_than_a_role": "Opportunities matched before a role of theirs was read.",
        },
    ),
    Promise(
        "values_agree",
        values.TOPIC,
        "The amounts of matched opportunities add up to the same in the org and at the platform, "
        "in each currency.",
        numbers={
            "currencies": "Currencies of matched opportunities.",
            "currencies_that_differ": "Those whose sum in the org is not the platform's.",
        },
    ),
    Promise(
        "no_value_is_told_twice",
        values.TOPIC,
        "The platform is told nothing of a lead that it was told last.",
        numbers={
            "told_twice": "Messages that say what the one before had said.",
        },
    ),
)

ATTRIBUTION = Flow(
    NAME,
    settings=lambda account: account.attribution,
    topics=_TOPICS,
    sources=(TRACKED_LEADS,),
    outside=_OUTSIDE,
    promises=_PROMISES,
    read=read,
    share=50_000,
    needs=opportunities.needs,
    watches=lambda choices: (*numbers.WATCHED, *opportunities.watches(choices)),
    take=lambda taking: {**numbers.keep(taking), **opportunities.take(taking)},
    asks=opportunities.asks,
    follow=following.follow,
)
