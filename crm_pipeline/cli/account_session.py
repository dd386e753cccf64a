"""`crm-pipeline account session`: which event sessions go to Salesforce."""

from typing import Annotated

import typer

from crm_pipeline.cli.arguments import AccountId
from crm_pipeline.cli.databases import transaction
from crm_pipeline.cli.show import print_table, say

app = typer.Typer(help="Event sessions to push; an account that lists none pushes all of its own.")

Session = Annotated[int, typer.Argument(metavar="SESSION", help="The warehouse's id of it.")]


@app.command()
def add(account_id: AccountId, session: Session) -> None:
    """List a session to be pushed; the first one listed stops all others."""
    from crm_pipeline.accounts.store import push_session

    with transaction() as connection:
        push_session(connection, account_id, session)
    say(f"Account {account_id} pushes session {session}, with all that it had so far.")


@app.command()
def remove(
    account_id: AccountId,
    session: Session,
    push_all: Annotated[
        bool, typer.Option("--push-all", help="Even if it is the last: all go from then on.")
    ] = False,
) -> None:
    """Take a session off the list; what of it is in Salesforce stays there."""
    from crm_pipeline.accounts.store import unpush_session

    with transaction() as connection:
        unpush_session(connection, account_id, session, may_push_all=push_all)
    say(f"Account {account_id} no longer lists session {session}.")


@app.command("list")
def list_(account_id: AccountId) -> None:
    """List the sessions that an account pushes."""
    from crm_pipeline.accounts.store import get_account, pushed_sessions

    with transaction() as connection:
        get_account(connection, account_id)
        sessions = pushed_sessions(connection, account_id)
    print_table(
        "",
        ("session", "read whole"),
        [
            (str(each.event_session_id), each.backfilled_at or "with the next cycle")
            for each in sessions
        ],
        empty=f"Account {account_id} lists no session, so all of its sessions go.",
    )
