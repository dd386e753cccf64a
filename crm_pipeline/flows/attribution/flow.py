"""Attribution, declared: tracked leads as people of the org, opportunities back (spec 5)."""

from crm_pipeline.declaration import Flow, Outside, Promise, Topic
from crm_pipeline.flows.attribution import NAME, shown
from crm_pipeline.flows.attribution.reading import read
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
    ),
)

_OUTSIDE = (
    Outside(
        "warehouse/tracked_lead",
        "The leads of a tracker: calls, forms, chats, each with where it came from.",
        "postgres",
    ),
)

_PROMISES = (
    Promise(
        "every_tracked_lead_is_accounted_for",
        shown.LEADS,
        "Every tracked lead that was read was rejected with a reason, or is about a person who is "
        "delivered or queued.",
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
)
