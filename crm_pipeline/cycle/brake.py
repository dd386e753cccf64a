"""The brake: a cycle that would do far more than usual is held before it sends anything.

An operation is held to the limits once. What was let through, or decided about by a person, is not
judged again, however often it is tried; what is read while an account is held waits, and is judged
by itself when the hold is over. What comes in pieces, as a cycle reads a share only, is judged with
the pieces before it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from crm_pipeline.accounts.account import Account
from crm_pipeline.accounts.limits import Limits
from crm_pipeline.exceptions import PicklableError
from crm_pipeline.ledger.account_ledger import AccountLedger
from crm_pipeline.ledger.holds import (
    Brake,
    Exceeded,
    NewRows,
    PastHold,
    Pile,
    Unjudged,
    Usual,
    brake_of,
    changed_people,
    hold,
    lapse,
    let_all_through,
    let_through,
    made_of_kinds,
    rows_of_cycles,
    take_left_out,
    unjudged,
    usual_of,
)
from crm_pipeline.report import CycleReport

_NAMES = {
    "person": "people",
    "activity": "activities",
    "campaign": "campaigns",
    "member": "memberships",
    "record": "records",
}


class AccountHeld(PicklableError):  # noqa: N818 - nothing is wrong, a decision is wanted
    """Nothing of the account is sent before a person has decided; one line, no personal data.

    Attributes:
        action: what is to be done.
    """

    def __init__(self, exceeded: Sequence[Exceeded]) -> None:
        self.action = (
            "`crm-pipeline approve ACCOUNT` sends that, `crm-pipeline reject ACCOUNT --why …` "
            "drops it, `crm-pipeline plan ACCOUNT` shows it first"
        )
        super().__init__(f"Held before anything was sent: {told(exceeded)}; {self.action}")


HOLD_COLUMNS = ("hold", "since", "what", "decision", "when", "by", "why")
"""How people are told of holds: see `hold_rows`."""


def hold_rows(found: Sequence[PastHold]) -> list[tuple[object, ...]]:
    """Returns the rows of a table of holds, by `HOLD_COLUMNS`. Pure."""
    return [
        (
            each.hold_id,
            each.held_at,
            told(each.exceeded),
            each.decision,
            each.decided_at,
            each.decided_by,
            each.why,
        )
        for each in found
    ]


def told(exceeded: Sequence[Exceeded]) -> str:
    """The limits that are exceeded, in one line for people."""
    return ", ".join(map(_told, exceeded))


def _told(each: Exceeded) -> str:
    match each.limit:
        case "changed people":
            what = f"{each.number} of {each.of} known people would change"
        case "new people":
            what = f"{each.number} {'person' if each.number == 1 else 'people'} would be new"
        case "deletions":
            what = f"{each.number} of {each.of} {_NAMES[str(each.kind)]} would be deleted"
        case "rejections":
            what = f"{each.number} of {each.of} new rows are rejected"
    by_then = "read" if each.limit == "rejections" else "let through"
    already = f", {each.before} of these {by_then} before" if each.before else ""
    return f"{what} (at most {each.most}){already}"


def demand_no_hold(
    account: Account, ledger: AccountLedger, report: CycleReport, *, reads_on: bool
) -> None:
    """Lets through what is to be sent where it is within the limits, or holds it. Commits.

    Args:
        account: whose cycle it is.
        ledger: its.
        report: its.
        reads_on: whether there is more of it to be read by the next cycle.

    Raises:
        AccountHeld: it is held, or something has been all along.
    """
    if exceeded := judge(account, ledger, report, reads_on=reads_on):
        raise AccountHeld(exceeded)


def judge(
    account: Account, ledger: AccountLedger, report: CycleReport, *, reads_on: bool
) -> Sequence[Exceeded]:
    """Lets through what is to be sent, or holds it and returns the limits that it exceeds. Commits.

    What is held already stays so, as long as any of that waits.
    """
    with ledger.step() as connection:
        return _judged(connection, account, ledger.cycle_id, report, reads_on=reads_on)


def judge_left_out_anew(account: Account, ledger: AccountLedger) -> None:
    """Has people wait, not let through, who were left out while the account made nobody. Commits.

    For a cycle by a plan: it sends of them whom the plan names, and the next one judges the others.
    """
    if account.settings.unknown_email != "neither":
        with ledger.step() as connection:
            take_left_out(connection, account.account_id)


def _judged(
    connection: Connection,
    account: Account,
    cycle_id: int,
    report: CycleReport,
    *,
    reads_on: bool,
) -> Sequence[Exceeded]:
    account_id = account.account_id
    brake = brake_of(connection, account_id)
    if brake.exceeded is not None:
        if not lapse(connection, account_id):
            return brake.exceeded
        brake = brake_of(connection, account_id)
    if brake.load_approved:
        let_all_through(connection, account_id)
        return ()
    if brake.has_left_out and account.settings.unknown_email != "neither":
        take_left_out(connection, account_id)
        brake = brake_of(connection, account_id)
    after = brake.passed_operation
    found = unjudged(connection, account_id, after) if brake.has_unjudged else []
    # Nothing may be left to be sent where all rows are rejected: that is told all the same.
    last = max((each.last_operation for each in found), default=after)
    rows = new_rows(report)
    first = min((each.first_cycle for each in found if each.first_cycle), default=cycle_id)
    if first < cycle_id:
        # They have read, and sent nothing: the account was held, or they were of some steps.
        earlier = rows_of_cycles(connection, account_id, first, cycle_id)
        rows = NewRows(rows.read + earlier.read, rows.rejected + earlier.rejected)
    exceeded, pile = _beyond(connection, account, brake, found, rows, reads_on=reads_on)
    if exceeded:
        hold(connection, account_id, cycle_id, after=after, last_operation=last, exceeded=exceeded)
    elif found or (rows.read if reads_on else brake.pile is not None):
        let_through(connection, account_id, last, pile if reads_on else None)
        report.counts.new_people += sum(each.new_people for each in found)
    return exceeded


def _beyond(
    connection: Connection,
    account: Account,
    brake: Brake,
    found: Sequence[Unjudged],
    rows: NewRows,
    *,
    reads_on: bool,
) -> tuple[list[Exceeded], Pile]:
    """The limits that are exceeded, and the pile with this.

    History is read only where a number alone is large, or a pile begins.
    """
    limits, account_id = account.settings.limits, account.account_id
    before = brake.pile or Pile()
    changed = before.changed + sum(each.known_people for each in found)
    if changed > limits.changed_people:
        now = changed_people(connection, account_id, brake.passed_operation)
        changed = before.changed + now
    deleted = Counter(before.deleted)
    deleted.update({each.kind: each.deletions for each in found if each.deletions})
    rows = NewRows(before.rows_read + rows.read, before.rows_rejected + rows.rejected)
    pile = replace(
        before,
        changed=changed,
        new=before.new + sum(each.new_people for each in found),
        deleted=dict(deleted),
        rows_read=rows.read,
        rows_rejected=rows.rejected,
    )
    many = {kind: number for kind, number in deleted.items() if number > limits.deletions}
    few = changed <= limits.changed_people and pile.new <= limits.new_people
    begins = reads_on and brake.pile is None and bool(found or rows.read)
    if few and not many and rows.rejected <= limits.rejections and not begins:
        return [], pile
    made = made_of_kinds(connection, account_id, list(many)) if many else {}
    made = {kind: number + before.deleted.get(kind, 0) for kind, number in made.items()}
    usual = usual_of(connection, account_id)
    pile = replace(pile, days=max(before.days, usual.days_since_read))
    # The pieces before this one are no measure of what is usual.
    usual = usual._replace(
        days_since_read=pile.days,
        row_count=max(usual.row_count - before.rows_read, 0),
        rejected=max(usual.rejected - before.rows_rejected, 0),
    )
    exceeded = beyond(
        limits, usual, changed=changed, new=pile.new, deleted=many, made=made, rows=rows
    )
    return [replace(each, before=_of_before(each, before)) for each in exceeded], pile


def _of_before(each: Exceeded, pile: Pile) -> int:
    """How much of what exceeds a limit was let through before."""
    match each.limit:
        case "changed people":
            return pile.changed
        case "new people":
            return pile.new
        case "deletions":
            return pile.deleted.get(str(each.kind), 0)
        case "rejections":
            return pile.rows_rejected


def new_rows(report: CycleReport) -> NewRows:
    """The new rows of a cycle, of all topics that count those that they read."""
    tally = report.tally
    topics = {topic for topic, outcome in tally if outcome == "rows_read"}
    return NewRows(
        sum(tally[topic, "rows_read"] - tally[topic, "known_already"] for topic in topics),
        sum(tally[topic, "rejected"] for topic in topics),
    )


def beyond(
    limits: Limits,
    usual: Usual,
    *,
    changed: int,
    new: int,
    deleted: dict[str, int],
    made: dict[str, int],
    rows: NewRows,
) -> list[Exceeded]:
    """The limits that these numbers exceed. Pure.

    After days in which nothing was read so much more may have come together: what may change or be
    new grows with them.

    Args:
        limits: the account's.
        usual: what is usual of it.
        changed: known people who would change.
        new: people of whom no record is known.
        deleted: what would be deleted, by kind.
        made: what we made in the org, by kind.
        rows: of the cycles that have read this.
    """
    days = usual.days_since_read
    found: list[Exceeded] = []
    if (most := limits.most_changed(usual.known_people * days)) is not None:
        found.append(Exceeded("changed people", changed, usual.known_people, most))
    if limits.times_usual:
        most = max(limits.new_people, int(limits.times_usual * usual.new_people_a_day * days))
        found.append(Exceeded("new people", new, None, most))
    if limits.deleted_share:
        for kind, number in deleted.items():
            there = max(made.get(kind, 0), number)
            most = max(limits.deletions, int(limits.deleted_share * there))
            found.append(Exceeded("deletions", number, there, most, kind))
    if limits.rejected_share:
        passing = 1 - usual.rejected / usual.row_count if usual.row_count else 1
        share = rows.read * (1 - (1 - limits.rejected_share) * passing)
        most = max(limits.rejections, int(share))
        found.append(Exceeded("rejections", rows.rejected, rows.read, most))
    return [each for each in found if each.number > each.most]
