"""`crm-pipeline plans`: the plans of an account, and what came of them."""

from typing import TYPE_CHECKING, Annotated

import typer

from crm_pipeline.cli.arguments import AccountId, ids
from crm_pipeline.cli.databases import transaction
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import print_table, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm_pipeline.ledger.plans import Departure

_SHOWN = 100
"""Departures that are named, of a plan from which there are more."""


def plans(
    account_id: AccountId,
    plan_id: Annotated[
        int | None,
        typer.Argument(metavar="[PLAN]", help="What came otherwise of one.", callback=ids),
    ] = None,
) -> None:
    """List an account's plans, and whether the cycle after each did what it says."""
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.ledger.plans import departures_of, kept_plan, kept_plans

    with transaction() as connection:
        get_account(connection, account_id)
        if plan_id is None:
            found = kept_plans(connection, account_id)
        elif (plan := kept_plan(connection, account_id, plan_id)) is None:
            mistake(f"Account {account_id} has no plan {plan_id}, or not any more.")
        elif not plan.is_compared:
            mistake(
                f"No cycle was compared with plan {plan_id}: only the next one is, where it sends "
                "all and the plan is of everybody."
            )
        else:
            departures = departures_of(connection, plan_id)
    if plan_id is not None:
        print_departures(departures)
        return
    print_table(
        "",
        ("plan", "made (UTC)", "cycle", "as planned", "otherwise", "of these unexplained"),
        [
            (
                each.plan_id,
                each.made_at,
                each.seen_by if each.as_planned is not None else None,
                each.as_planned,
                None if each.explained is None else each.explained + (each.unexplained or 0),
                each.unexplained,
            )
            for each in found
        ],
        empty=f"There is no plan; `crm-pipeline plan {account_id}` makes one.",
    )


def print_departures(departures: "Sequence[Departure]") -> None:
    """Names what did not come as planned, and why."""
    print_table(
        "Not as planned",
        ("about", "object", "planned", "became", "reason", "because"),
        [
            (
                each.about,
                each.sobject,
                each.foreseen or "nothing",
                each.outcome,
                each.reason,
                each.because,
            )
            for each in departures[:_SHOWN]
        ],
        empty="All came as it was planned.",
    )
    if len(departures) > _SHOWN:
        say(f"{len(departures) - _SHOWN} more did not come as planned.")
