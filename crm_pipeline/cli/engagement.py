"""`crm-pipeline engagement`: what the engagement workflow needs of an org."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crm_pipeline.cli.arguments import AccountId
from crm_pipeline.cli.databases import transaction
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import say

if TYPE_CHECKING:
    from crm_pipeline.accounts.account import Account
    from crm_pipeline.accounts.engagement import EngagementSettings

app = typer.Typer(help="The engagement workflow: prospects with tags, scores and pages.")

PERMISSION_SET = "Engagement_Workflow"


@app.callback()
def _group() -> None:
    pass


@app.command()
def metadata(
    account_id: AccountId,
    out: Annotated[Path, typer.Option(help="A folder; it must be empty, or not there yet.")],
) -> None:
    """Write what an admin deploys to the org: objects, fields and a permission set.

    `sf project deploy start` in that folder brings them there.
    """
    from crm_pipeline.salesforce.metadata import source_project

    account, chosen = engaged(account_id)
    if chosen.prefix.endswith("__"):
        mistake(
            f"Account {account_id}: {chosen.prefix} is the prefix of a package, which brings its "
            "objects with it; `crm-pipeline account test-login` tells what the org lacks."
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        mistake(f"{out} is not empty: name another folder, or empty it.")
    files = source_project(
        chosen.org_objects,
        permission_set=PERMISSION_SET,
        label=PERMISSION_SET.replace("_", " "),
        api_version=account.settings.api_version,
    )
    for path, text in files.items():
        file = out / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    say(
        f"Wrote {len(files)} files to {out}. Deploy them there with `sf project deploy start`, and "
        f"give the user of account {account_id} the permission set {PERMISSION_SET}."
    )


def engaged(account_id: str) -> "tuple[Account, EngagementSettings]":
    """Returns an account that has the engagement workflow on, and its choices; else ends."""
    from crm_pipeline.accounts.store import get_account

    with transaction() as connection:
        account = get_account(connection, account_id)
    if account.settings.engagement is None:
        mistake(
            f"Account {account_id} has the engagement workflow off; `crm-pipeline account set "
            f"{account_id} engagement={{}}` switches it on."
        )
    return account, account.settings.engagement
