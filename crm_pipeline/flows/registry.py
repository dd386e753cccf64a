"""All flows there are: a new one is a line here."""

from typing import Any

from crm_pipeline.declaration import Flow, declared
from crm_pipeline.flows.attribution.flow import ATTRIBUTION
from crm_pipeline.flows.campaigns.flow import CAMPAIGNS
from crm_pipeline.flows.engagement.flow import ENGAGEMENT
from crm_pipeline.flows.inbound.flow import INBOUND
from crm_pipeline.flows.platform.flow import FEEDBACK_RECORDS, PLATFORM_USERS
from crm_pipeline.flows.webinars.flow import WEBINARS

FLOWS: tuple[Flow[Any], ...] = declared(
    [ATTRIBUTION, WEBINARS, CAMPAIGNS, ENGAGEMENT, PLATFORM_USERS, FEEDBACK_RECORDS, INBOUND]
)
"""In the order in which a cycle comes to them."""

SYNC_STATE = "sync_state"
"""The topic that belongs to no flow: how the account stands after its cycle."""

ALL_TOPICS = frozenset((*(topic.name for flow in FLOWS for topic in flow.topics), SYNC_STATE))
