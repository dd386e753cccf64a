"""Rules of opportunities when they are saved: stages, history, and their contacts' roles."""

from datetime import date
from typing import Any

from crm_pipeline.local_org.schema import Row
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table
from crm_pipeline.local_org.transaction import WriteContext

_STAGE_FLAGS = ("IsClosed", "IsWon", "ForecastCategory", "ForecastCategoryName")
_UNKNOWN_STAGE: Row = {
    "IsClosed": False,
    "IsWon": False,
    "ForecastCategory": "Pipeline",
    "ForecastCategoryName": "Pipeline",
    "DefaultProbability": 0.0,
}
_HISTORIC = ("StageName", "Amount", "Probability", "CloseDate", "ForecastCategory")


def stage_of(org: Org, label: str) -> Row:
    """The stage of that label; one that is not set up is open, as the picklist takes any text."""
    stages = org.table("OpportunityStage")
    found = stages.lookup("MasterLabel", label)
    return stages.rows[found[0]] if found else _UNKNOWN_STAGE


def first_open_stage(org: Org) -> str:
    """The stage in which an opportunity begins."""
    rows = org.table("OpportunityStage").rows.values()
    stages = [row for row in rows if row["IsActive"]]
    first = next((row for row in stages if not row["IsClosed"]), stages[0])
    return str(first["MasterLabel"])


def before_opportunity(context: WriteContext, _table: Table, row: Row, old: Row | None) -> None:
    """Sets what follows from stage, amount and close date."""
    stage = stage_of(context.org, row["StageName"])
    if old is None or old["StageName"] != row["StageName"]:
        if row.get("Probability") == (old or {}).get("Probability"):
            row["Probability"] = float(stage["DefaultProbability"])
        row.update({name: stage[name] for name in _STAGE_FLAGS})
        if old is not None:
            row["LastStageChangeDate"] = context.now
    amount = row.get("Amount")
    row["ExpectedRevenue"] = None if amount is None else amount * row["Probability"] / 100
    close = date.fromisoformat(row["CloseDate"])
    row["FiscalYear"], row["FiscalQuarter"] = close.year, (close.month + 2) // 3
    row["Fiscal"] = f"{row['FiscalYear']} {row['FiscalQuarter']}"


def after_opportunity(context: WriteContext, table: Table, row: Row, old: Row | None) -> None:
    """Its history; and ContactId, which one can only give on creation, makes the primary role."""
    _write_history(context, row, old)
    if old is None and row.get("ContactId"):
        roles = context.org.table("OpportunityContactRole")
        context.insert(
            roles, {"OpportunityId": row["Id"], "ContactId": row["ContactId"], "IsPrimary": True}
        )
    if old is not None and row.get("AccountId") != old.get("AccountId"):
        _tell_activities(context, table, row)


def _write_history(context: WriteContext, row: Row, old: Row | None) -> None:
    changed = [name for name in _HISTORIC if old is None or row.get(name) != old.get(name)]
    if context.org.config.opportunity_history == "stages":
        changed = [name for name in changed if name == "StageName"]
    if not changed:
        return
    history: dict[str, Any] = {
        "OpportunityId": row["Id"],
        **{name: row.get(name) for name in (*_HISTORIC, "ExpectedRevenue", "CurrencyIsoCode")},
        "PrevAmount": old.get("Amount") if old else None,
        "PrevCloseDate": old.get("CloseDate") if old else None,
    }
    if old is None:
        history["CreatedDate"] = row["CreatedDate"]
    context.insert(context.org.table("OpportunityHistory"), history)


def _tell_activities(context: WriteContext, table: Table, row: Row) -> None:
    for child, lookup in table.type.children:
        if lookup.name == "WhatId":
            activities = context.org.table(child.name)
            for each in list(activities.children_of("WhatId", row["Id"])):
                changed = {**each, "AccountId": row.get("AccountId")}
                context.change(activities, changed, "cascade", stamped=False)


def follow_primary_role(context: WriteContext, roles: Table, role: Row) -> None:
    """Lets the opportunity's ContactId say who is in the primary role, if anybody is.

    It is a value of another record: the opportunity is not stamped.
    """
    opportunities = context.org.table("Opportunity")
    opportunity = opportunities.live(role["OpportunityId"])
    if opportunity is None:
        return
    held = roles.children_of("OpportunityId", opportunity["Id"])
    contact_id = next((each["ContactId"] for each in held if each["IsPrimary"]), None)
    if opportunity.get("ContactId") != contact_id:
        changed = {**opportunity, "ContactId": contact_id}
        context.change(opportunities, changed, "cascade", stamped=False)


def before_stage(_context: WriteContext, _table: Table, row: Row, _old: Row | None) -> None:
    """A stage that is won is closed, and its forecast category has two names."""
    row["IsClosed"] = bool(row["IsClosed"] or row["IsWon"])
    row["ApiName"] = row.get("ApiName") or row["MasterLabel"]


def after_stage(context: WriteContext, _table: Table, row: Row, old: Row | None) -> None:
    """The opportunities in a stage that is retyped or renamed follow it.

    Whether a new type stamps them is a setting; a new name does.
    """
    if old is None:
        return
    renamed = old["MasterLabel"] != row["MasterLabel"]
    retyped = any(old[name] != row[name] for name in _STAGE_FLAGS)
    stamped = renamed or context.org.config.retyped_stage_stamps_opportunities
    opportunities = context.org.table("Opportunity")
    for each in list(opportunities.rows.values()) if renamed or retyped else ():
        if each["StageName"] == old["MasterLabel"] and not each["IsDeleted"]:
            flags = {name: row[name] for name in _STAGE_FLAGS}
            changed = {**each, "StageName": row["MasterLabel"], **flags}
            context.change(opportunities, changed, "cascade", stamped=stamped)
