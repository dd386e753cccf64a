"""The steps of the engagement workflow, by their names as topics."""

from collections.abc import Mapping

TAGS = "get_tags"
SCORES = "get_scores"
PROSPECTS = "get_prospects"
PROSPECT_TAGS = "prospect_tags"
PROSPECT_SCORES = "prospect_scores"
PAGES = "get_prospect_pages"
TO_LEADS = "match_prospects_to_leads"
TO_CONTACTS = "match_prospects_to_contacts"
MATCH_EVENTS = "publish_matches"
CLEAN_LEADS = "clean_leads"
CLEAN_CONTACTS = "clean_contacts"
AGGREGATE_TAGS = "aggregate_tags"
AGGREGATE_SCORES = "aggregate_scores"
AGGREGATE_TEMPERATURE = "aggregate_temperature"
OPPORTUNITY_TAGS = "create_opportunity_tags"
OPPORTUNITY_SCORES = "create_opportunity_scores"
CENSUS = "engagement_census"
PEOPLE_BACK = "engaged_people"

OF_DEFINITIONS: Mapping[str, str] = {"tag": TAGS, "score": SCORES}
OF_PROSPECTS: Mapping[str, str] = {"tag": PROSPECT_TAGS, "score": PROSPECT_SCORES}
MATCHES: Mapping[str, str] = {"Lead": TO_LEADS, "Contact": TO_CONTACTS}
CLEANS: Mapping[str, str] = {"Lead": CLEAN_LEADS, "Contact": CLEAN_CONTACTS}
AGGREGATES: Mapping[str, Mapping[str, str]] = {
    "Account": {"tag": AGGREGATE_TAGS, "score": AGGREGATE_SCORES},
    "Opportunity": {"tag": OPPORTUNITY_TAGS, "score": OPPORTUNITY_SCORES},
}

ALL_OF_THE_ORG = (
    TAGS,
    SCORES,
    PROSPECTS,
    PROSPECT_TAGS,
    PROSPECT_SCORES,
    PAGES,
    TO_LEADS,
    TO_CONTACTS,
    MATCH_EVENTS,
    AGGREGATE_TAGS,
    AGGREGATE_SCORES,
    AGGREGATE_TEMPERATURE,
    OPPORTUNITY_TAGS,
    OPPORTUNITY_SCORES,
)
"""Those of which records of the workflow stand in the org."""
