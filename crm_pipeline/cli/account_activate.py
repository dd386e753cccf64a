"""`crm-pipeline account activate`: the cycles of a draft begin."""

from typing import TYPE_CHECKING, Annotated

import typer

from crm_pipeline.cli.arguments import AccountId, Yes
from crm_pipeline.cli.databases import transaction
from crm_pipeline.cli.guards import agree, rows_of_client
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import say
from crm_pipeline.text import shown

if TYPE_CHECKING:
    from crm_pipeline.accounts.account import Account


def activate(
    account_id: AccountId,
    *,
    since: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Sends nothing that happened before: sets start_at."),
    ] = None,
    from_now: Annotated[
        bool, typer.Option("--from-now", help="Sends nothing that happened before now.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Let the cycles of a draft begin; says first what they will send."""
    from crm_pipeline.accounts.store import (
        activate_account,
        get_account,
        hold_account,
        update_settings,
    )

    if since is not None and from_now:
        mistake("Say --since DATE or --from-now, not both.")
    start = "now" if from_now else since
    with transaction() as connection:
        hold_account(connection, account_id)
        account = get_account(connection, account_id)
        if start is not None:
            account = update_settings(connection, account_id, {"start_at": start})
        activate_account(connection, account_id)
        agree(_what_goes(account), "Activate it?", yes=yes)
    say(
        f"Account {account_id} is active: the daemon begins its first cycle within a minute, or "
        f"`crm-pipeline cycle {account_id}` now."
    )


def _what_goes(account: "Account") -> str:
    """Says what the first cycles will send."""
    from crm_pipeline.salesforce.budget import composite_calls, lookup_calls

    start = account.settings.start_at
    what = f"All that client {account.client_id} has goes to {account.login_url}"
    if client := rows_of_client(account.client_id):
        calls = lookup_calls(client.registrations) + composite_calls(
            {("Lead", "create"): client.registrations, ("Event", "create"): client.rows}
        )
        what = (
            f"{client.registrations} registrations and {client.attendances} attendances of "
            f"client {account.client_id} go to {account.login_url}, in about {calls} API calls"
        )
    if start is not None:
        return f"{what}; of them nothing that happened before {shown(start)}."
    return f"{what}, from the first one; --since DATE or --from-now leaves out what is older."
