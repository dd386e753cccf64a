"""`crm-pipeline account session`: which event sessions go to Salesforce."""

from typing import TYPE_CHECKING, Annotated

import typer

from crm_pipeline.cli.arguments import AccountId, Yes, ids
from crm_pipeline.cli.databases import locked, say_done, transaction
from crm_pipeline.cli.guards import agree, if_the_warehouse_answers
from crm_pipeline.cli.questions import say_once
from crm_pipeline.cli.show import counted, print_table

if TYPE_CHECKING:
    from crm_pipeline.accounts.account import Account

app = typer.Typer(help="Event sessions to push; an account that lists none pushes all of its own.")

SessionId = Annotated[
    int, typer.Argument(metavar="SESSION", help="The warehouse's id of it.", callback=ids)
]


@app.command()
def add(account_id: AccountId, session: SessionId, yes: Yes = False) -> None:
    """List a session to be pushed; the first one listed stops all others."""
    from crm_pipeline.accounts.store import (
        get_account,
        hold_account,
        push_session,
        pushed_sessions,
    )

    with transaction() as connection:
        hold_account(connection, account_id)
        account = get_account(connection, account_id)
        is_first = not pushed_sessions(connection, account_id)
        with if_the_warehouse_answers(f"whether there is a session {session}"):
            _check(account, session, is_first=is_first, yes=yes)
        push_session(connection, account_id, session)
    say_done(f"Account {account_id} pushes session {session}, with all that it had so far.")


@app.command()
def remove(
    account_id: AccountId,
    session: SessionId,
    push_all: Annotated[
        bool,
        typer.Option(
            "--push-all", help="Even if it is the last: all go then, with all that they had so far."
        ),
    ] = False,
) -> None:
    """Take a session off the list; what of it is in Salesforce stays there."""
    from crm_pipeline.accounts.store import unpush_session

    with locked(account_id) if push_all else transaction() as connection:
        unpush_session(connection, account_id, session, may_push_all=push_all)
    say_done(f"Account {account_id} no longer lists session {session}.")


def _check(account: "Account", session: int, *, is_first: bool, yes: bool) -> None:
    """Says which session it is, and asks where it is none of the client's, or stops others."""
    from crm_pipeline.database.engines import engine
    from crm_pipeline.near_names import near
    from crm_pipeline.sources.clients import sessions

    of_client = {s.event_session_id: s for s in sessions(engine("warehouse"), account.client_id)}
    found = of_client.get(session)
    if found is None:
        likely = near(str(session), [str(known) for known in of_client])
        meant = f"; did you mean {' or '.join(likely)}?" if likely else "."
        what = f"Client {account.client_id} has no session {session} in the warehouse{meant}"
    else:
        what = f"Session {session} is {found.session_title!r} of {found.event_name!r}."
    stopped = [each for each in of_client.values() if each is not found] if is_first else []
    if stopped:
        rows = sum(each.rows for each in stopped)
        what += (
            f" As the first one that account {account.account_id} lists it stops all others: "
            f"{counted(len(stopped), 'session')} with {rows} registrations and attendances so far."
        )
    if stopped or found is None:
        agree(what, "List it?", yes=yes)
    else:
        say_once(what)


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
