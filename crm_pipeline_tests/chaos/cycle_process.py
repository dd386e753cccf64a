"""Cycles apart from the harness, in a process that can be killed where that is wanted.

`serve` is given a task at a time: `cycle` is one cycle of an account, `settle` the normal cadence
until no account is due. A task that is to be killed is run in a fork, whose process id is told as
it begins; the others in the process itself, where all is warm. As a task ends, what came of it is
told.

Nothing of the pipeline is changed in here: a fault at a commit is met in the database driver's
connection, beneath SQLAlchemy. Only time flies: what is slept through takes a part of its time; and
where the environment has `CHAOS_SMALL_CALLS`, four records fill a call.
"""

import json
import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any, Literal
from unittest.mock import patch

import psycopg
import simple_salesforce  # noqa: F401
from psycopg.conninfo import make_conninfo
from sqlalchemy import Dialect, Engine, event, text
from sqlalchemy.exc import DBAPIError

import crm_pipeline.salesforce.login  # noqa: F401 - a fork has it, and need not read it anew
from crm_pipeline.accounts.account import AccountError
from crm_pipeline.accounts.store import get_account
from crm_pipeline.cadence.due import accounts_with_requests, claim, due_accounts
from crm_pipeline.cycle.apply import apply_plan
from crm_pipeline.cycle.attempts import PipelineDatabaseError
from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.cycle.plan import planned
from crm_pipeline.cycle.planning import Planning
from crm_pipeline.cycle.replay import Period, ask_replay, rows_of_period
from crm_pipeline.cycle.undo import CycleToUndo, plan_undo, undo_cycle
from crm_pipeline.database.engines import engine
from crm_pipeline.database.prepared import MOST_PREPARED, PreparingSession
from crm_pipeline.declaration import Flow
from crm_pipeline.flows.registry import ALL_TOPICS, FLOWS
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.report import CycleReport
from crm_pipeline.settings import PROJECT, settings
from crm_pipeline.source_platform.http import HttpPlatform
from crm_pipeline_tests.chaos.badge_rows import flow_of_tables
from crm_pipeline_tests.chaos.decisions import decide, think_better
from crm_pipeline_tests.small_calls import small_calls
from crm_pipeline_tests.small_flow.badges import TOPICS as BADGE_TOPICS

CommitAction = Literal[
    "kill_before", "kill_after", "cut_before", "cut_after", "acknowledgement_lost"
]
"""A fault at a commit: to the process before or after it, or to the line to PostgreSQL:
before it, after it, or in between, so that it is made and the pipeline is not told."""

MOST_CYCLES = 40
"""Cycles after which an account that is still due will never come to rest."""

_WAIT_FOR_A_DEAD_HOLDER = 5.0

SMALL_CALLS = "CHAOS_SMALL_CALLS"
"""In a task's environment it makes calls small."""

PLANS = "CHAOS_PLANS"
"""In a task's environment it has the case's cycles planned, and the plans applied."""

REPLAYS = "CHAOS_REPLAYS"
"""In a task's environment it has all rows so far replayed with each of the case's cycles: for the
kinds of operations that it names, or for `all`."""

UNDOES = "CHAOS_UNDOES"
"""In a task's environment it has the first cycle taken back instead of each of the case's: with
`again` by a person who repeats the command, with `once` by one who leaves what was agreed to to the
planner."""

AGAIN, ONCE = "again", "once"

DECIDES = "CHAOS_DECIDES"
"""In a task's environment it has a person decide about what is held, `approves` or `rejects`; and
what was rejected is sent after all when everything else is at rest."""

BADGES = "CHAOS_BADGES"
"""In a task's environment it adds the small flow; its value is the flow's `when_deleted`."""

PLATFORM, PLATFORM_SECRET = "CHAOS_PLATFORM", "of the walk"
"""In a task's environment it is the address to which the platform is told; else in tables."""

_HURRY = 20
"""So many times shorter are the waits for a bulk job, and those before another try."""


@dataclass(slots=True)
class CommitWatch:
    """Counts the commits of this process and strikes at one of them."""

    nth: int = 0
    action: CommitAction | None = None
    commits: int = 0

    def commit(self, connection: "WatchedConnection", commit: Callable[[], None]) -> None:
        """Commits, as far as the fault lets it."""
        self.commits += 1
        if self.commits != self.nth:
            commit()
            return
        match self.action:
            case "kill_before":
                os.kill(os.getpid(), signal.SIGKILL)
            case "kill_after":
                commit()
                os.kill(os.getpid(), signal.SIGKILL)
            case "cut_before":
                _cut(connection)
                commit()
            case "cut_after":
                commit()
                _cut(connection)
            case "acknowledgement_lost":
                commit()
                _cut(connection)
                raise psycopg.OperationalError("the connection is lost")


WATCH = CommitWatch()


class WatchedConnection(PreparingSession):
    """A connection whose commits are counted, but for those that end what was only read."""

    _ends_reading = False

    def commit(self) -> None:
        if self._ends_reading:
            super().commit()
        else:
            WATCH.commit(self, super().commit)

    def rollback(self) -> None:
        self._ends_reading = True
        try:
            super().rollback()
        finally:
            self._ends_reading = False


def _connect(
    _dialect: Dialect, _record: object, arguments: tuple[Any, ...], named: dict[str, Any]
) -> WatchedConnection:
    session = WatchedConnection.connect(*arguments, **named)
    session.prepared_max = MOST_PREPARED
    return session


def _cut(connection: WatchedConnection) -> None:
    """Ends the connection at PostgreSQL's side, as its restart or a firewall does."""
    address = make_conninfo(connection.info.dsn, password=connection.info.password)
    with psycopg.connect(address, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])


def cycle(account: str, nth_commit: int = 0, action: CommitAction | None = None) -> dict[str, Any]:
    """One cycle, or what the task asks for instead: a plan and what applies it, a replay, an undo.

    Raises whatever it raises, but where the pipeline's database is away.
    """
    WATCH.nth, WATCH.action, WATCH.commits = nth_commit, action, 0
    if os.environ.get(UNDOES):
        return _told(_undone, account)
    if os.environ.get(REPLAYS):
        return _told(_replayed, account)
    if os.environ.get(DECIDES):
        return _told(_decided, account)
    return _told(_by_plan if os.environ.get(PLANS) else _at_once, account)


def _at_once(account: str) -> CycleReport:
    return sync_account(account, run_id="chaos", flows=_flows(), **_badges())


def _by_plan(account: str) -> CycleReport:
    """Plans a cycle, keeps that, and applies it."""
    _let_go()
    with planned(account, Planning(), run_id="chaos", flows=_flows()) as plan:
        if plan.report.state != "Complete":
            return plan.report
        with engine("pipeline").begin() as connection:
            plan_id = plan.keep(connection)
    return apply_plan(account, plan_id, run_id="chaos", by="chaos", flows=_flows()).report


def _replayed(account_id: str) -> CycleReport:
    """Plans a replay of all there was so far, has it done, and runs the cycle that does."""
    _let_go()
    ever = Period(datetime(2000, 1, 1, tzinfo=UTC))
    named = os.environ[REPLAYS]
    kinds = None if named == "all" else frozenset(named.split())
    with engine("pipeline").connect() as connection:
        account = get_account(connection, account_id)
        found = rows_of_period(connection, engine("warehouse"), account, ever)
        connection.rollback()
    planning = Planning(replayed=found.rows, replayed_kinds=kinds)
    with planned(account_id, planning, run_id="chaos", flows=_flows()) as plan:
        if plan.report.state != "Complete":
            return plan.report
    with account_lock(engine("pipeline"), account_id) as connection:
        assert connection is not None
        ask_replay(connection, account, found.rows, kinds)
        connection.commit()
    return _at_once(account_id)


def _undone(account_id: str) -> CycleReport:
    """Shows what taking the account's first cycle back comes to, and does it."""
    _let_go()
    with engine("pipeline").connect() as connection:
        first = connection.scalar(text("SELECT min(cycle_id) FROM crm.cycle"))
        wanted = connection.scalar(text("SELECT count(*) FROM crm.operation WHERE kind = 'undo'"))
    if wanted and os.environ[UNDOES] == ONCE:
        return CycleReport(account_id, account_id, "chaos")
    of = CycleToUndo(account_id, first)
    shown = plan_undo(of, run_id="chaos")
    if shown.report.state != "Complete" or not shown.changing:
        return shown.report
    return undo_cycle(of, only=shown.changing, by="ann", run_id="chaos").report


def _decided(account_id: str) -> CycleReport:
    """Cycles, between which a person decides, until nothing is held any more."""
    _let_go()
    report = _at_once(account_id)
    while report.state == "Held":
        decision(account_id, os.environ[DECIDES])
        report = _at_once(account_id)
    return report


def decision(account: str, how: str) -> dict[str, Any]:
    """A person decides about an account, as `decide`, while no cycle of it runs."""
    _let_go()
    with account_lock(engine("pipeline"), account) as connection:
        assert connection is not None
        decide(connection, account, how)
        connection.commit()
    return {}


def _told(run: Callable[[str], CycleReport], account: str) -> dict[str, Any]:
    try:
        report = run(account)
    except (PipelineDatabaseError, DBAPIError) as error:
        said: dict[str, Any] = {"state": "NoDatabase", "reason": str(error)}
    else:
        said = {"state": report.state, "reason": report.reason, "counts": asdict(report.counts)}
    return {**said, "commits": WATCH.commits}


def _flows() -> list[Flow[Any]]:
    """All flows, the small one among them where the task asks for it."""
    when_deleted = os.environ.get(BADGES)
    return [*FLOWS, *([flow_of_tables(when_deleted)] if when_deleted else [])]


def _badges() -> dict[str, Any]:
    """The steps of the small flow, and where the platform is told, as the task asks for it."""
    asked: dict[str, Any] = {}
    if os.environ.get(BADGES):
        asked["steps"] = ALL_TOPICS | BADGE_TOPICS
    if url := os.environ.get(PLATFORM):
        asked["platform_of"] = lambda: HttpPlatform(url, PLATFORM_SECRET, read_timeout=10)
    return asked


DAYS_OF_BADGES = 4
"""Until what was deleted for good is taken for gone: three looks, the first at what is held."""


def settle() -> dict[str, Any]:
    """Lets the planner ask for accounts, hours apart, until none is due; a day later once more.

    Returns:
        `cycles`: account, state and reason of each; `rests`: whether it came to an end.
    """
    cycles: list[dict[str, str]] = []
    try:
        rests = _rests(cycles)
        for _ in range(DAYS_OF_BADGES if os.environ.get(BADGES) else 1):
            _a_day_passes()
            rests = _rests(cycles) and rests
    except AccountError as error:
        return {"cycles": cycles, "rests": False, "reason": str(error)}
    return {"cycles": cycles, "rests": rests}


def _rests(cycles: list[dict[str, str]]) -> bool:
    """Runs what is due, and notes it; whether in the end nothing is."""
    for _ in range(MOST_CYCLES):
        _hours_pass()
        of_the_planner = due_accounts(only_urgent=False, flows=_flows())
        due = {each.account_id: each.reason for each in of_the_planner}
        due |= dict.fromkeys(accounts_with_requests(), "asked for something")
        if not due:
            if _somebody_decides():
                continue
            return True
        for account_id, reason in due.items():
            ended = _told(_at_once, account_id)
            cycles.append(
                {
                    "account": account_id,
                    "due": reason,
                    "state": ended["state"],
                    "reason": ended["reason"],
                }
            )
    return False


def _somebody_decides() -> bool:
    """Whether a person has decided about anything that is held, or else was rejected."""
    if not (how := os.environ.get(DECIDES)):
        return False
    with engine("pipeline").begin() as connection:
        accounts = list(connection.scalars(text("SELECT account_id FROM crm.account")))
        done = [decide(connection, each, how) for each in accounts]
        if not any(done):
            done = [think_better(connection, each) for each in accounts]
    return any(done)


def _a_day_passes() -> None:
    """As if all rows had been counted against the ledger a day ago, and the org read back."""
    with engine("pipeline").begin() as connection:
        connection.execute(
            text("UPDATE crm.source_count SET counted_at = counted_at - interval '2 days'")
        )
        connection.execute(
            text("UPDATE crm.lead_count SET counted_at = counted_at - interval '2 days'")
        )
        connection.execute(
            text("UPDATE crm.campaign_census SET taken_at = taken_at - interval '2 days'")
        )
        connection.execute(
            text("UPDATE crm.org_position SET read_at = read_at - interval '2 days'")
        )
        connection.execute(text("UPDATE crm.org_sweep SET begun_at = begun_at - interval '2 days'"))


def _let_go() -> None:
    """Gives the server of a process that was just killed the moment that it needs to notice."""
    deadline = time.monotonic() + _WAIT_FOR_A_DEAD_HOLDER
    with engine("pipeline").connect() as connection:
        while connection.scalar(text("SELECT count(*) FROM crm.held_account")):
            if time.monotonic() > deadline:
                raise TimeoutError("an account is held although no cycle runs")
            time.sleep(0.1)


def _hours_pass() -> None:
    """As if hours had passed since the last cycle: whatever an account waits for is over."""
    _let_go()
    with engine("pipeline").connect() as connection:
        connection.execute(
            text("UPDATE crm.request SET next_attempt_at = next_attempt_at - interval '5 hours'")
        )
        connection.execute(
            text(
                "UPDATE crm.sync_state SET finished_at = finished_at - interval '5 hours',"
                " paused_until = NULL, claimed_until = NULL"
            )
        )
        connection.commit()


def keep_pace(cycles: int) -> dict[str, Any]:
    """Does as a daemon: asks the planner, claims the accounts, runs so many cycles.

    Returns:
        `cycles`: account, state and reason of each.
    """
    ran: list[dict[str, Any]] = []
    while len(ran) < cycles:
        due = due_accounts(only_urgent=False, flows=_flows())
        for account in claim([each.account_id for each in due]):
            ended = cycle(account)
            ran.append({"account": account, "state": ended["state"], "reason": ended["reason"]})
    return {"cycles": ran}


TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    "cycle": cycle,
    "settle": settle,
    "keep_pace": keep_pace,
    "decision": decision,
}


def _perform(task: dict[str, Any]) -> dict[str, Any]:
    settings.cache_clear()
    lines = _Lines()
    logging.getLogger().addHandler(lines)
    try:
        with (
            patch.dict(os.environ, task["environment"]),
            small_calls() if SMALL_CALLS in task["environment"] else nullcontext(),
        ):
            answer = TASKS[task["task"]](**task["arguments"])
    except Exception as error:  # noqa: BLE001 - the harness shows it
        answer = {"state": "Crashed", "reason": f"{type(error).__name__}: {error}"}
    finally:
        logging.getLogger().removeHandler(lines)
    return {**answer, "log": lines.lines}


def _perform_in_a_fork(task: dict[str, Any], line: Connection) -> dict[str, Any]:
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        for which in ("pipeline", "warehouse"):
            # The connections are the parent's.
            engine(which).dispose(close=False)
        with os.fdopen(write_end, "w", encoding="utf-8") as answer_to:
            answer_to.write(json.dumps(_perform(task), default=str))
        os._exit(0)
    os.close(write_end)
    line.send({"pid": child})
    with os.fdopen(read_end, encoding="utf-8") as answer:
        said = answer.read()
    _, status = os.waitpid(child, 0)
    return {"state": "Killed"} if os.WIFSIGNALED(status) else json.loads(said)


class _Lines(logging.Handler):
    """Keeps what the pipeline logs as a warning or worse.

    The driver says of a line that was cut that it cannot end in good order what goes on there.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith("psycopg"):
            self.lines.append(record.getMessage())


def serve(line: Connection, environment: dict[str, str]) -> None:
    """Serves the tasks that come by a line, in a process of its own, until nobody asks any more.

    Args:
        line: to who asks.
        environment: of who asks, with the addresses of the databases.
    """
    os.chdir(PROJECT)
    os.environ.clear()
    os.environ.update(environment)
    sleep = time.sleep
    time.sleep = lambda seconds: sleep(float(seconds) / _HURRY)
    event.listen(Engine, "do_connect", _connect)
    with suppress(EOFError):
        while True:
            task = line.recv()
            line.send(_perform_in_a_fork(task, line) if task["fork"] else _perform(task))
