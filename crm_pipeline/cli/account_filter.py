"""`crm-pipeline account filter`: whose email addresses are not to become leads."""

from typing import Annotated

import typer

from crm_pipeline.cli.account_again import tell_of_rows
from crm_pipeline.cli.arguments import AccountId, Yes
from crm_pipeline.cli.databases import say_done, transaction
from crm_pipeline.cli.guards import agree, if_the_warehouse_answers
from crm_pipeline.cli.questions import say_once
from crm_pipeline.cli.show import print_table

app = typer.Typer(help="Parts of email addresses that are not to reach Salesforce.")

FilterString = Annotated[
    str, typer.Argument(metavar="TEXT", help="Part of an address, in any case: @rival.example.")
]


@app.command()
def add(account_id: AccountId, filter_string: FilterString, yes: Yes = False) -> None:
    """Reject addresses that contain a text; says first how many that would have been."""
    from crm_pipeline.accounts.store import add_filter, get_account
    from crm_pipeline.database.engines import engine
    from crm_pipeline.sources.clients import rejections

    with transaction() as connection:
        client_id = get_account(connection, account_id).client_id
        add_filter(connection, account_id, filter_string)
        with if_the_warehouse_answers("how many people it rejects"):
            found = rejections(engine("warehouse"), client_id, filter_string)
            what = (
                f"Of the {found.people} people that client {client_id} has so far, "
                f"{filter_string.strip()!r} rejects {found.rejected}."
            )
            if found.rejected:
                agree(what, "Reject them, and those like them?", yes=yes)
            else:
                say_once(what)
    say_done(f"Account {account_id} rejects addresses that contain {filter_string.strip()!r}.")


@app.command()
def remove(account_id: AccountId, filter_string: FilterString, yes: Yes = False) -> None:
    """Stop rejecting addresses that contain a text; says how many, and how to get these.

    Asks where these are more people than a cycle would be held for.
    """
    from crm_pipeline.accounts.store import get_account, remove_filter
    from crm_pipeline.database.engines import engine
    from crm_pipeline.sources.clients import rejections

    with transaction() as connection:
        account = get_account(connection, account_id)
        remove_filter(connection, account_id, filter_string)
        with if_the_warehouse_answers("how many people it rejects"):
            found = rejections(engine("warehouse"), account.client_id, filter_string)
            what = (
                f"Of the {found.people} people that client {account.client_id} has so far, "
                f"{filter_string.strip()!r} rejects {found.rejected}."
            )
            most = account.settings.limits.most_changed(found.people)
            if most is not None and found.rejected > most:
                agree(what, "Reject them, and those like them, no more?", yes=yes)
            else:
                say_once(what)
        tell_of_rows(connection, account_id, "stay rejected")
    say_done(f"Account {account_id} no longer rejects {filter_string!r}.")


@app.command("list")
def list_(account_id: AccountId) -> None:
    """List an account's filters."""
    from crm_pipeline.accounts.store import filter_strings, get_account

    with transaction() as connection:
        get_account(connection, account_id)
        filters = filter_strings(connection, account_id)
    print_table(
        "", ("filter",), [(each,) for each in filters], empty=f"Account {account_id} has no filter."
    )
