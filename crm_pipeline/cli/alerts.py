"""`crm-pipeline alerts`: what people are told, whether it reaches them, and pauses."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from crm_pipeline.cli.arguments import DAYS_AND_TIMES, AccountId, OneAccount, not_blank
from crm_pipeline.cli.databases import transaction
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import counted, print_table, say
from crm_pipeline.cli.who import who
from crm_pipeline.text import shown

if TYPE_CHECKING:
    from crm_pipeline.alerts.targets import AlertChoices, AlertTarget

app = typer.Typer(help="What people are told of: what is so now, who is told, pauses.")

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@app.command("list")
def list_(
    account_id: OneAccount = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=DAYS_AND_TIMES, help="With those that ended since then, UTC."),
    ] = None,
) -> None:
    """List the alerts that are open, the oldest first, and how it goes with each target."""
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.alerts.kept import kept_alerts, target_standings

    chosen = _choices()
    with transaction() as connection:
        if account_id is not None:
            get_account(connection, account_id)
        found = kept_alerts(connection, account_id, since and since.replace(tzinfo=UTC))
        standings = target_standings(connection)
    print_table(
        "",
        ("account", "severity", "cause", "since", "over", "told", "message"),
        [
            (
                each.account_id,
                chosen.severity(each.cause),
                each.cause,
                each.began_at,
                each.closed_at,
                each.told,
                each.message,
            )
            for each in found
        ],
        empty="There is no alert.",
    )
    print_table(
        "Targets",
        ("target", "from", "accounts", "took last", "failing since", "problem"),
        [
            (
                name,
                target.at_least,
                "all" if target.accounts is None else ", ".join(target.accounts),
                at.took_at if (at := standings.get(name)) else None,
                at and at.failing_since,
                at and at.problem,
            )
            for name, target in chosen.targets.items()
        ],
        empty="Only the log is told; docs/alerts.md says how others are.",
    )


@app.command("test")
def send_test(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[TARGET]", help="By default each of them.", callback=not_blank),
    ] = None,
) -> None:
    """Send a test alert and its end to targets, and say which took them; exit status 1 if not all.

    Says also of which accounts no target would be told.
    """
    chosen = _choices()
    if name is not None and name not in chosen.targets:
        known = ", ".join(chosen.targets) or "there is none"
        mistake(f"There is no target {name}; {known}.")
    if not chosen.targets:
        mistake("Only the log is told of alerts; docs/alerts.md says how others are.")
    tried = {
        each: _tried(target)
        for each, target in chosen.targets.items()
        if name is None or each == name
    }
    print_table(
        "",
        ("target", "took it", "problem"),
        [(each, problem is None, problem) for each, problem in tried.items()],
        empty="",
    )
    if name is None and (without := _accounts_without(chosen)):
        first = ", ".join(without[:10]) + (" and others" if len(without) > 10 else "")
        say(f"Of {counted(len(without), 'account')} no target would be told: {first}.", err=True)
    if any(tried.values()):
        raise typer.Exit(1)


def _tried(target: "AlertTarget") -> str | None:
    """Why a target has not taken a test; None: it has."""
    from crm_pipeline.alerts.channels import Notice, post

    now = datetime.now(UTC).isoformat()
    key = f"installation/test/{now}"
    message = f"This is a test of alerts, by {who()}; nothing is amiss."
    for over in (False, True):
        said = f"It is over: {message}" if over else message
        notice = Notice(None, "test", said, now, over=over, severity="info", key=key, began_at=now)
        if problem := post(target, [notice]).problem:
            return problem
    return None


def _accounts_without(chosen: "AlertChoices") -> list[str]:
    from crm_pipeline.accounts.store import list_accounts

    with transaction() as connection:
        enabled = [each.account_id for each in list_accounts(connection) if each.enabled]
    targets = chosen.targets.values()
    return [each for each in enabled if not any(t.takes(each, "critical") for t in targets)]


@app.command()
def pause(
    account_id: AccountId,
    *,
    length: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="So long, as in 30m, 8h, 2d.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=DAYS_AND_TIMES, help="Until then, UTC.")
    ] = None,
    why: Annotated[
        str | None, typer.Option(help="Why; it is told with the pause.", callback=not_blank)
    ] = None,
) -> None:
    """Have nobody be told of an account's alerts for a time, but the log.

    The pause itself is told as an alert. Ends of alerts are told meanwhile, and what is still so
    when the pause ends is told then.
    """
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.alerts import kept

    end = _end_of_pause(length, until)
    with transaction() as connection:
        get_account(connection, account_id)
        kept.pause(
            connection, account_id, until=end, paused_by=who(), why=(why and why.strip()) or None
        )
    say(f"Nobody is told of alerts of account {account_id} until {shown(end)}.")


def _end_of_pause(length: str | None, until: datetime | None) -> datetime:
    from crm_pipeline.alerts.kept import LONGEST_PAUSE

    if (length is None) == (until is None):
        mistake("Say either --for or --until, as in --for 8h.")
    now = datetime.now(UTC)
    if until is not None:
        end = until.replace(tzinfo=UTC)
    elif found := re.fullmatch(r"([1-9][0-9]{0,5})([mhd])", (length or "").strip()):
        end = now + timedelta(**{_UNITS[found[2]]: int(found[1])})
    else:
        mistake(f"{length} is no time; it looks like 30m, 8h or 2d.")
    if end <= now:
        mistake(f"{shown(end)} is over; it is {shown(now)}.")
    if end - now > LONGEST_PAUSE:
        mistake(f"A pause is at most {LONGEST_PAUSE.days} days long.")
    return end


@app.command()
def resume(account_id: AccountId) -> None:
    """End a pause: what is still so is told within a minute."""
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.alerts import kept

    with transaction() as connection:
        get_account(connection, account_id)
        was_paused = kept.resume(connection, account_id)
    if not was_paused:
        mistake(f"Alerts of account {account_id} are not paused.")
    say(f"People are told of alerts of account {account_id} again.")


def _choices() -> "AlertChoices":
    from crm_pipeline.alerts.targets import AlertsFileError, choices
    from crm_pipeline.settings import settings

    try:
        return choices(settings())
    except AlertsFileError as error:
        mistake(f"{error}.")
