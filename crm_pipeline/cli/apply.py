"""`crm-pipeline apply`: exactly what a plan says."""

import signal
from typing import Annotated
from uuid import uuid4

import typer

from crm_pipeline.cli.arguments import AccountId, Yes, ids
from crm_pipeline.cli.cycle import print_reports, stopped_by_ctrl_c
from crm_pipeline.cli.databases import pipeline, transaction
from crm_pipeline.cli.guards import agree_now
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.plans import print_departures
from crm_pipeline.cli.show import say
from crm_pipeline.cli.who import who
from crm_pipeline.text import shown


def apply(
    account_id: AccountId,
    plan_id: Annotated[
        int, typer.Argument(metavar="PLAN", help="The number of the plan.", callback=ids)
    ],
    *,
    yes: Yes = False,
) -> None:
    """Send what a plan says, and nothing else; what has changed since waits, and is named.

    Exit status 1 unless the cycle ends Complete. A draft stays a draft.
    """
    from crm_pipeline.accounts.account import AccountError
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.cycle.apply import apply_plan, plan_to_apply
    from crm_pipeline.cycle.cycle import collect_rarely
    from crm_pipeline.ledger.plans import numbers_of

    pipeline()
    try:
        with transaction() as connection:
            account = get_account(connection, account_id)
            plan = plan_to_apply(connection, account_id, plan_id)
            numbers = numbers_of(connection, plan_id)
    except AccountError as error:
        mistake(str(error))
    what = ", ".join(
        f"{each.records} {each.sobject} to {each.outcome}"
        for each in numbers
        if each.outcome in ("create", "update", "delete")
    )
    agree_now(
        f"Plan {plan_id} of {shown(plan.made_at)} for {account.login_url}: {what or 'no writes'}.",
        "Send that?",
        yes=yes,
    )
    collect_rarely()
    try:
        with stopped_by_ctrl_c() as stop:
            applied = apply_plan(
                account_id, plan_id, run_id=f"cli-{uuid4()}", by=who(), stop_asked=stop.is_set
            )
    except AccountError as error:
        mistake(str(error))
    print_reports([applied.report])
    if applied.report.state == "Complete":
        print_departures(applied.departures)
    named = sum(each.became == "waiting" for each in applied.departures)
    if waiting := applied.report.counts.waiting - named:
        say(f"{waiting} are new since the plan, or were not part of it, and wait.")
    if stop.is_set():
        raise typer.Exit(128 + signal.SIGINT)
    if applied.report.state != "Complete":
        raise typer.Exit(1)
