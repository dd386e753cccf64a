"""The engagement workflow as Dagster shows it beside the counts. Pure."""

from crm_pipeline.declaration import Shown
from crm_pipeline.flows.engagement import NAME
from crm_pipeline.report import CycleReport


def switch(report: CycleReport) -> Shown:
    """Whether the account has the workflow on."""
    return {"engagement": "on" if NAME in report.flows else "off"}
