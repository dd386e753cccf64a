"""All commands in one tree."""

from typing import Annotated

import typer

from crm_pipeline.cli import (
    account,
    alerts,
    apply,
    brake,
    campaign,
    conflict,
    console,
    cycle,
    demo,
    engagement,
    erasure,
    find,
    init,
    listen,
    listener,
    metrics,
    migrate,
    operations,
    org,
    plan,
    plans,
    platform,
    replay,
    reporting,
    sample,
    state,
    undo,
    warehouse,
)
from crm_pipeline.cli.engagement_pages import clean_pages
from crm_pipeline.cli.mistakes import OneLineMistakes
from crm_pipeline.cli.show import say

app = typer.Typer(
    cls=OneLineMistakes,
    help="Keeps many clients' Salesforce orgs true to what happens in a webinar platform.",
    pretty_exceptions_enable=False,
)


def _say_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        say(f"crm-pipeline {version('crm_pipeline')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Tell it.")
    ] = False,
    _json: Annotated[
        bool,
        typer.Option("--json", help="Show it as one JSON document; anywhere in the command."),
    ] = False,
) -> None:
    pass


app.add_typer(account.app, name="account")
app.add_typer(alerts.app, name="alerts")
app.add_typer(campaign.app, name="campaign")
app.add_typer(conflict.app, name="conflict")
app.command("console")(console.console)
app.command("cycle")(cycle.cycle)
app.command("plan")(plan.plan)
app.command("plans")(plans.plans)
app.command("replay")(replay.replay)
app.command("apply")(apply.apply)
app.command("undo")(undo.undo)
app.command("approve")(brake.approve)
app.command("reject")(brake.reject)
app.command("state")(state.state)
app.command("find")(find.find)
engagement.app.command("clean-pages")(clean_pages)
app.add_typer(engagement.app, name="engagement")
app.add_typer(erasure.app, name="erasure")
app.command("listen")(listen.listen)
app.add_typer(listener.app, name="listener")
app.command("metrics")(metrics.metrics)
app.add_typer(operations.app, name="operations")
app.add_typer(org.app, name="org")
app.add_typer(platform.app, name="platform")
app.add_typer(reporting.app, name="reporting")
app.add_typer(sample.app, name="sample")
app.add_typer(warehouse.app, name="warehouse")
app.command("init")(init.init)
app.command("migrate")(migrate.migrate)
app.command("demo")(demo.demo)
