"""Predicted against actual: the cycle after a plan is held against it, row by row.

A row may come otherwise for a reason that is known: the source or the settings say otherwise since,
the org has rules that no describe tells, its records were changed by others, a time had come. What
none of that explains is a bug.
"""

from crm_pipeline.database.statements import statement
from crm_pipeline.delivery.approval import Approval
from crm_pipeline.delivery.decisions import BY_DUPLICATE_RULE
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.salesforce.errors import ERROR_TABLE, Treatment
from crm_pipeline.salesforce.values import Why

_FORESEEABLE = [
    code
    for code, treatment in ERROR_TABLE.items()
    if treatment in (Treatment.MEND_ORG, Treatment.DEGRADE_FIELD)
]
"""Refusals that a describe tells beforehand: rights, required fields, values that do not fit."""


def hold_against_plan(desk: Desk, approval: Approval) -> None:
    """Keeps how a cycle that has come to its end departs from a plan. Commits.

    Cycles since the plan that did not come to theirs count with it.

    Asks the org only where nothing else explains a departure: a call for 10,000 records.

    Raises:
        SalesforceProblem: as `query_all`.
    """
    plan = {"plan_id": approval.plan.plan_id}
    cycle_id = desk.ledger.cycle_id
    begun_by = approval.plan.begun_by or cycle_id
    with desk.ledger.step() as connection:
        connection.execute(statement("plans/make_table"))
        connection.execute(
            statement("plans/fill_table"),
            {"account_id": desk.ledger.account_id, "cycle_id": begun_by},
        )
        connection.execute(statement("plans/forget_departures"), plan)
        connection.execute(
            statement("plans/note_departures"),
            {
                **plan,
                "cycle_id": cycle_id,
                "begun_by": begun_by,
                "binds": approval.binds,
                "touched": list(approval.touched),
                "foreseeable": _FORESEEABLE,
                "by_duplicate_rule": BY_DUPLICATE_RULE,
                "told_by_describes": list(Why),
            },
        )
    ids: dict[str, list[str]] = {}
    for sobject, record_id in connection.execute(statement("plans/records_to_ask"), plan):
        ids.setdefault(sobject, []).append(record_id)
    changed = desk.changed_since(approval.plan.org_time, ids)
    with desk.ledger.step() as connection:
        by_org = {**plan, "salesforce_ids": list(changed)}
        connection.execute(statement("plans/explain_by_org"), by_org)
        while connection.execute(statement("plans/explain_by_others"), plan).rowcount:
            pass
        unexplained = connection.execute(statement("plans/count_departures"), plan).scalar_one()
    if unexplained:
        desk.notes.lines.append(
            f"Nothing explains {unexplained} rows that came otherwise than plan "
            f"{approval.plan.plan_id} says: `crm-pipeline plans ACCOUNT "
            f"{approval.plan.plan_id}` lists them; please report it"
        )
