"""`crm-pipeline account remove`: the end of a contract."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_pipeline.cli.arguments import AccountId, Yes
from crm_pipeline.cli.databases import locked, transaction
from crm_pipeline.cli.files import private_file
from crm_pipeline.cli.guards import agree
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import counted, say
from crm_pipeline.spreadsheets import write_csv

if TYPE_CHECKING:
    from sqlalchemy import Connection

_ROWS_AT_ONCE = 5_000


def remove(
    account_id: AccountId,
    folder: Annotated[
        Path,
        typer.Option(
            "--to", metavar="FOLDER", help="For what is kept: choices, records made, receipts."
        ),
    ],
    yes: Yes = False,
) -> None:
    """Remove an account with all that is kept of it; what it made in the org stays there.

    First it writes the account's choices, the records that it has made in the org and the receipts
    of requests into files. Hashes of people who were removed on request stay as long as they are
    kept, and that the client was delivered to the org; and so do its numbers by day.
    """
    from crm_pipeline.accounts.files import stored_file
    from crm_pipeline.accounts.orgs import leave_client_in_org
    from crm_pipeline.accounts.store import get_account, remove_account
    from crm_pipeline.reporting.counting import count_requests

    with transaction() as connection:
        if get_account(connection, account_id).without_cycles is None:
            mistake(
                f"Account {account_id} has cycles; `crm-pipeline account disable {account_id}` "
                "ends them first."
            )
    folder.mkdir(parents=True, exist_ok=True)
    with locked(account_id) as connection:
        with private_file(folder / f"{account_id}.yaml") as opened:
            opened.write(stored_file(connection, account_id).written())
        made = _write_made(connection, account_id, folder / f"{account_id}-records.csv")
        receipts = _write_receipts(connection, account_id, folder / f"{account_id}-receipts.csv")
        stays = ", ".join(f"{number:,} {sobject}" for sobject, number in sorted(made.items()))
        agree(
            f"What account {account_id} made stays in the org: {stays or 'nothing'}. Here all that "
            f"is kept of it is deleted, for good, but for {folder}: its choices, the list of these "
            f"records and {counted(receipts, 'receipt')}, which have personal data.",
            "Remove it?",
            yes=yes,
        )
        leave_client_in_org(connection, account_id)
        count_requests(connection, account_id)
        remove_account(connection, account_id)
    say(f"Account {account_id} is removed.")


def _write_made(connection: "Connection", account_id: str, file: Path) -> Counter[str]:
    """Writes the records that the account made; returns how many, by object."""
    from crm_pipeline.database.statements import statement

    rows = connection.execute(
        statement("accounts/made_records"),
        {"account_id": account_id},
        execution_options={"yield_per": _ROWS_AT_ONCE},
    )
    made: Counter[str] = Counter()

    def counting() -> Iterable[Any]:
        for row in rows:
            made[row.sobject] += 1
            yield row

    _write(file, ("object", "record", "about", "made at"), counting())
    return made


def _write_receipts(connection: "Connection", account_id: str, file: Path) -> int:
    from crm_pipeline.database.statements import statement

    rows = connection.execute(statement("accounts/receipts"), {"account_id": account_id}).all()
    columns = ("request", "kind", "door", "received", "state", "finished", "receipt", "problem")
    _write(file, columns, rows)
    return len(rows)


def _write(file: Path, columns: Iterable[str], rows: Iterable[Any]) -> None:
    with private_file(file) as opened:
        write_csv(opened, columns, rows)
