"""Metadata of a report type and reports about members of campaigns, in source format.

Sources: Metadata API Developer Guide, "ReportType", "Report", "Folder".
"""

from collections.abc import Mapping, Sequence
from typing import Any

from crm_pipeline.salesforce.metadata import ROOM, Project, xml

REPORT_TYPE = "Webinar_Members"
FOLDER = "Webinars"

_MEMBERS = "Campaign.CampaignMembers"
_PERSON = ("FirstName", "LastName", "Title", "CompanyOrAccount", "Email", "Phone")


def reports(
    *, campaign_type: str, to_call: Sequence[str], fields: Mapping[str, Sequence[str]]
) -> Project:
    """Returns a report type and two reports: the funnel by event, and whom to call.

    Args:
        campaign_type: of the campaigns that they are about.
        to_call: the statuses of whoever is to be called.
        fields: further fields, by object: Campaign, CampaignMember.
    """
    members = [*_PERSON, "Status", "HasResponded", *fields.get("CampaignMember", ())]
    campaigns = ["Name", "Type", "Status", "StartDate", "EndDate", *fields.get("Campaign", ())]
    folder = f"{ROOM}/reports/{FOLDER}"
    return {
        f"{ROOM}/reportTypes/{REPORT_TYPE}.reportType-meta.xml": xml(
            "ReportType", _report_type(campaigns, members)
        ),
        f"{folder}.reportFolder-meta.xml": xml(
            "ReportFolder",
            {"accessType": "Public", "name": FOLDER, "publicFolderAccess": "ReadOnly"},
        ),
        f"{folder}/Webinar_Funnel.report-meta.xml": xml(
            "Report",
            _report(
                "Webinar Funnel by Event",
                "How many of each event were registered, came, saw the recording, or stayed away.",
                campaign_type,
                columns=[f"{_MEMBERS}$LastName"],
                groups=["Campaign$Name", f"{_MEMBERS}$Status"],
                shows_details=False,
            ),
        ),
        f"{folder}/Webinar_Who_To_Call.report-meta.xml": xml(
            "Report",
            _report(
                "Webinar: Who to Call",
                "Attendees with what they did, by event.",
                campaign_type,
                columns=[
                    f"{_MEMBERS}${name}"
                    for name in (*_PERSON, "Status", *fields.get("CampaignMember", ()))
                ],
                groups=["Campaign$Name"],
                shows_details=True,
                statuses=to_call,
            ),
        ),
    }


def _report_type(campaigns: Sequence[str], members: Sequence[str]) -> dict[str, Any]:
    return {
        "baseObject": "Campaign",
        "category": "campaigns",
        "deployed": True,
        "description": "Events of the webinar platform with their participants.",
        "join": {"outerJoin": False, "relationship": "CampaignMembers"},
        "label": REPORT_TYPE.replace("_", " "),
        "sections": [
            _section("Campaigns", "Campaign", campaigns),
            _section("Campaign Members", _MEMBERS, members),
        ],
    }


def _section(label: str, table: str, fields: Sequence[str]) -> dict[str, Any]:
    return {
        "columns": [
            {"checkedByDefault": name in ("Name", "Status"), "field": name, "table": table}
            for name in fields
        ],
        "masterLabel": label,
    }


def _report(
    name: str,
    description: str,
    campaign_type: str,
    *,
    columns: Sequence[str],
    groups: Sequence[str],
    shows_details: bool,
    statuses: Sequence[str] = (),
) -> dict[str, Any]:
    conditions = [("Campaign$Type", campaign_type)]
    if statuses:
        # A comma is between values, unless it stands in quotes.
        quoted = (f'"{each}"' if "," in each else each for each in statuses)
        conditions.append((f"{_MEMBERS}$Status", ",".join(quoted)))
    return {
        "columns": [{"field": each} for each in columns],
        "description": description,
        "filter": {
            "criteriaItems": [
                {
                    "column": column,
                    "columnToColumn": False,
                    "isUnlocked": True,
                    "operator": "equals",
                    "value": value,
                }
                for column, value in conditions
            ]
        },
        "format": "Summary",
        "groupingsDown": [
            {"dateGranularity": "Day", "field": each, "sortOrder": "Asc"} for each in groups
        ],
        "name": name,
        "reportType": f"{REPORT_TYPE}__c",
        "scope": "organization",
        "showDetails": shows_details,
        "showGrandTotal": True,
        "showSubTotals": True,
        "timeFrameFilter": {"dateColumn": "Campaign$StartDate", "interval": "INTERVAL_CUSTOM"},
    }
