"""The client's flow in a local org: applies events of matches to Leads and Contacts."""

from typing import Any

from crm_pipeline.accounts.engagement import EngagementSettings


def subscribers(chosen: EngagementSettings, **more: Any) -> list[dict[str, Any]]:
    """The part `subscribers` of an org's file; `more` is of each: the share that it drops."""
    return [
        {
            "event": chosen.event_name,
            "object": sobject,
            "match": {"Id": chosen.event_field("record")},
            "set": {field: chosen.event_field(field) for field in chosen.shown_of_people},
            **more,
        }
        for sobject in ("Lead", "Contact")
    ]
