"""`crm-pipeline erasure`: people who are not to be processed any more."""

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from crm_pipeline.cli.arguments import AccountId, Yes
from crm_pipeline.cli.databases import pipeline, transaction
from crm_pipeline.cli.guards import agree
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import print_table, say

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crm_pipeline.inbound.tombstones import Hasher, Verb

app = typer.Typer(help="Removal of people on request, and proof of it.")

_ASKED = "The person's email address, or a phone number like +4930901820"


@app.command()
def suppress(account_id: AccountId) -> None:
    """Process somebody no more, and keep what is stored; asks for the address."""
    _ask(account_id, "suppress", None)


@app.command()
def erase(
    account_id: AccountId,
    in_org: Annotated[
        Literal["leave", "anonymize", "delete"] | None,
        typer.Option(help="The fate of the person in the org; none: as the account chose."),
    ] = None,
    yes: Yes = False,
) -> None:
    """Erase somebody for good; asks for the address. A cycle of the account does it."""
    agree(
        f"Whoever has this address is erased from account {account_id}: from the pipeline's tables "
        "for good, and from the org as chosen.",
        "Erase them?",
        yes=yes,
    )
    _ask(account_id, "erase", in_org)


@app.command()
def lift(account_id: AccountId) -> None:
    """Let somebody be processed again; asks for the address."""
    from crm_pipeline.inbound import tombstones

    with transaction() as connection:
        hasher, address = _person(connection, account_id)
        lifted = tombstones.lift(connection, hasher, address)
    if not lifted:
        mistake(f"Nobody of this address is kept from account {account_id}.")
    say(
        "Lifted: what comes about this person from now on is sent; `crm-pipeline account "
        f"send-again {account_id}` reads what was there before."
    )


@app.command()
def lost(yes: Yes = False) -> None:
    """Say that the file of tombstones is lost; accounts run again after a restored backup."""
    from crm_pipeline.inbound.tombstone_file import say_lost

    agree(
        "People who were removed after the backup was made may be imported again.",
        "Go on without their tombstones?",
        yes=yes,
    )
    with transaction() as connection:
        file = say_lost(connection)
    say(f"{file} begins anew.")


@app.command()
def scan(
    *,
    erased: Annotated[
        bool, typer.Option("--erased", help="Look for everybody who was erased, as each night.")
    ] = False,
) -> None:
    """Look for an address in every column of the databases; asks for it."""
    from crm_pipeline.database.engines import dagster_storage
    from crm_pipeline.inbound.scanning import is_empty, places_of, scan_for_erased

    own = pipeline()
    with dagster_storage() as dagster:
        if is_empty(dagster):
            say(
                "Dagster's database has no tables yet: where its daemon has another "
                "DAGSTER_DATABASE_URL, set that here, too.",
                err=True,
            )
        if erased:
            left = scan_for_erased(own, [dagster])
            print_table("", ("account", "place"), left, empty="Nobody who was erased is left.")
            is_left = bool(left)
        else:
            address = _typed()
            found = [
                (which, place, number)
                for which, database in (("pipeline", own), ("Dagster", dagster))
                for place, number in places_of(database, address)
            ]
            print_table("", ("database", "place", "rows"), found, empty="Nothing has it.")
            is_left = bool(found)
    if is_left:
        raise typer.Exit(1)


@app.command()
def compact(yes: Yes = False) -> None:
    """Rewrite the tables that had people's data, so that nothing remains in their free pages."""
    from crm_pipeline.inbound.compacting import compact as rewrite

    agree(
        "The tables that hold people's data are rewritten; cycles wait meanwhile.",
        "Rewrite them?",
        yes=yes,
    )
    for done in rewrite(pipeline()):
        say(done)


def _ask(
    account_id: str, does: "Verb", in_org: Literal["leave", "anonymize", "delete"] | None
) -> None:
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.inbound.asking import ask_for_removal

    with transaction() as connection:
        account = get_account(connection, account_id)
        hasher, address = _person(connection, account_id)
        received = ask_for_removal(
            connection, hasher, address, does=does, door="command", name=does, in_org=in_org
        )
    if (none := account.without_cycles) is not None:
        say(
            f"Account {account_id} is {none.is_a}, and no cycle does it: `{none.command}`.",
            err=True,
        )
    if not received.is_new:
        say(f"That was asked for before: request {received.request_id}.")
        return
    say(
        f"Request {received.request_id}: nothing more is sent of this person. The next cycle does "
        f"the rest; `crm-pipeline cycle {account_id}` runs one now."
    )


def _person(connection: "Connection", account_id: str) -> tuple["Hasher", str]:
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.inbound.tombstones import hasher_of

    account = get_account(connection, account_id)
    return hasher_of(connection, account), _typed()


def _typed() -> str:
    """Asks for an address: as an argument, it would stay in the shell's history."""
    from crm_pipeline.inbound.tombstones import number_in
    from crm_pipeline.salesforce.emails import email_key

    said = typer.prompt(_ASKED) if sys.stdin.isatty() else sys.stdin.readline()
    address = email_key(said) or number_in(said)
    if address is None:
        mistake("That is no email address, nor a phone number like +4930901820.")
    return address
