"""All commands in one tree."""

import typer

from crm_pipeline.cli import account, campaign, cycle, migrate, operations, org, state
from crm_pipeline.cli.mistakes import OneLineMistakes
from crm_pipeline.demo.command import demo
from crm_pipeline.sample.commands import app as sample

app = typer.Typer(
    cls=OneLineMistakes,
    help="Keeps many clients' Salesforce orgs true to what happens in a webinar platform.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(account.app, name="account")
app.add_typer(campaign.app, name="campaign")
app.command("cycle")(cycle.cycle)
app.command("state")(state.state)
app.add_typer(operations.app, name="operations")
app.add_typer(org.app, name="org")
app.add_typer(sample, name="sample")
app.command("migrate")(migrate.migrate)
app.command("demo")(demo)
