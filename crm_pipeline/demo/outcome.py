"""The results of the demo's cycles, beside those that the sample data foresees."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection

from crm_pipeline.database.statements import statement
from crm_pipeline.report import Tally
from crm_pipeline.sample.accounts import SAMPLE_ACCOUNTS, SampleAccount
from crm_pipeline.sample.foreseen import Foreseen

_COLUMNS = {
    "regis- trations": "registrations",
    "atten- dances": "attendances",
    "tracked leads": "tracked_leads",
    "known already": "known",
    "rejected": "rejected",
    "leads created": "leads_created",
    "leads updated": "leads_updated",
    "contacts updated": "contacts_updated",
    "activi- ties": "activities",
    "tickets": "tickets",
    "waiting": "waiting",
    "exhausted": "exhausted",
}


@dataclass(frozen=True)
class EndedCycle:
    """The end of an account's cycle.

    Attributes:
        account: whose.
        found: its state and numbers.
        is_first: whether the account had no cycle before: then the numbers are foreseen too.
        reason: why it is not Complete; `notes`: what else is worth a line.
    """

    account: SampleAccount
    found: Foreseen
    is_first: bool = True
    reason: str = ""
    notes: str = ""
    api_calls: int = 0
    seconds: float = 0.0

    def is_as(self, foreseen: Foreseen) -> bool:
        """Returns whether it ended as the sample data foresees."""
        if self.is_first:
            return self.found == foreseen
        return self.found.state == foreseen.state


def outcomes(connection: Connection, after: int) -> list[EndedCycle]:
    """Each sample account's cycle after the cycle with this number; the first one, of several."""
    rows = connection.execute(statement("demo/cycles_since"), {"after": after}).mappings()
    by_account: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        by_account.setdefault(row["account_id"], dict(row))
    return [_outcome(account, by_account.get(account.account_id)) for account in SAMPLE_ACCOUNTS]


def _outcome(account: SampleAccount, row: Mapping[str, Any] | None) -> EndedCycle:
    if row is None:
        return EndedCycle(
            account, Foreseen("Disabled" if account.state == "Disabled" else "not run")
        )
    counts = row["counts"]
    tally = Tally.stored(counts)
    return EndedCycle(
        account,
        Foreseen(
            row["state"],
            registrations=tally["registrations", "rows"],
            attendances=tally["attendances", "rows"],
            tracked_leads=tally["tracked_leads", "rows_read"],
            known=tally.overall("known_already"),
            rejected=tally.overall("rejected"),
            leads_created=tally.overall("leads_created"),
            leads_updated=tally.overall("leads_updated"),
            contacts_updated=tally.overall("contacts_updated"),
            activities=tally.overall("activities_created") + tally.overall("activities_updated"),
            tickets=tally["feedback_records", "create"],
            waiting=counts.get("waiting", 0),
            exhausted=counts.get("exhausted", 0),
        ),
        is_first=row["is_first"],
        reason=row["reason"] or "",
        notes=row["notes"] or "",
        api_calls=counts.get("api_calls", 0),
        seconds=row["seconds"] or 0.0,
    )


def show(console: Console, ended: Iterable[EndedCycle], foreseen: Mapping[str, Foreseen]) -> bool:
    """Prints the table, a line per account, then what is not usual about any of them.

    Returns:
        Whether every account ended as foreseen.
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("account", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for column in (*_COLUMNS, "API calls", "seconds"):
        table.add_column(column, justify="right")
    notes: list[Text] = []
    as_foreseen = True
    for outcome in ended:
        expected = foreseen[outcome.account.account_id]
        right = outcome.is_as(expected)
        as_foreseen = as_foreseen and right
        table.add_row(
            outcome.account.account_id,
            Text(outcome.found.state, style=_COLOURS.get(outcome.found.state, "red")),
            *(str(getattr(outcome.found, name)) for name in _COLUMNS.values()),
            str(outcome.api_calls),
            f"{outcome.seconds:.1f}",
        )
        notes.append(Text.assemble((outcome.account.name, "bold"), f": {outcome.account.shows}."))
        said = filter(None, (outcome.reason, outcome.notes))
        notes += [Text(f"  {line}", style="dim") for line in said]
        if not right:
            notes.append(Text(f"  Not as foreseen: {expected}", style="red"))
    wide = Console(
        file=console.file,
        width=max(console.width, _NARROWEST),
        force_terminal=console.is_terminal,
    )
    wide.print(table)
    for note in notes:
        console.print(note)
    return as_foreseen


def show_values(console: Console, connection: Connection, account_id: str) -> None:
    """Prints the values of opportunities that the platform knows of an account's tracked leads."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(f"values told to the platform, {account_id}", no_wrap=True)
    for column in ("opportunities", "amount", "closed amount"):
        table.add_column(column, justify="right")
    rows = connection.execute(statement("opportunities/values_told"), {"account_id": account_id})
    for row in rows:
        amounts = (
            f"{amount or 0:,.2f} {row.currency}" for amount in (row.amount, row.closed_amount)
        )
        table.add_row(row.standing, str(row.opportunities), *amounts)
    console.print(table)


# A narrower terminal wraps lines rather than hide numbers.
_NARROWEST = 170
_COLOURS = {"Complete": "green", "Failed": "yellow", "Disabled": "dim"}
