"""Evidence for the examiner: the warehouse's rows, the ledger's, the orgs' records."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, text

from crm_pipeline.accounts.store import get_account
from crm_pipeline.ledger.campaigns import campaign_links
from crm_pipeline.local_org.store import Org
from crm_pipeline.report import Tally

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Participation:
    """A registration or attendance, and the activity that it should have come to.

    `email` is as the warehouse has it; `at` is as Salesforce writes a time; `person` and `title`
    are the id and the job title of the warehouse's row; `stage` is what it says of its session;
    `polls` and `chats` what was said, each in its lines; `told` the names of event and session,
    when that begins, and the stage; `visit` when it began, and its minutes; `others` are the keys
    of further rows that it is one attendance with.
    """

    key: str
    email: str
    subject: str
    at: str
    description: str = ""
    person: int = 0
    title: str | None = None
    event: int = 0
    session: int = 0
    stage: str = "registered"
    polls: tuple[str, ...] = ()
    chats: tuple[str, ...] = ()
    told: tuple[str, str, str, str] = ("", "", "", "")
    visit: tuple[datetime, int] = (datetime(2026, 3, 1, tzinfo=UTC), 0)
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """The latest version of an operation."""

    key: str
    kind: str
    state: str
    person_key: str | None = None
    error_code: str | None = None


class CycleRow(NamedTuple):
    """A cycle that came to its end: what it says that it read, and what the ledger has of it."""

    cycle_id: int
    tally: Tally
    recorded: int
    unaccounted: int


class Happening(NamedTuple):
    """An event as its campaign shows it: its name, its first and its last day."""

    name: str
    starts: str
    ends: str


@dataclass(frozen=True, slots=True)
class Campaigns:
    """Evidence of an account that has campaigns.

    Attributes:
        events: its client's events, by id.
        links: campaigns that were named for events, by the event's id.
        records: campaigns of its org.
        members: campaign members of its org, deleted ones too.
    """

    events: Mapping[int, Happening]
    links: Mapping[int, str]
    records: Sequence[Record]
    members: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All about one account.

    Attributes:
        participations: of its client, as the warehouse has them now.
        former: those, and others, as the warehouse had them before.
        filters: its filter strings.
        operations: its ledger, the latest version of each.
        cycles: those that ended.
        people: Leads and Contacts of its org, by id, deleted ones too.
        events: its activities, deleted ones too.
        given: records that somebody else made.
        addresses: of records whose email somebody changed in the org: those they had before.
        had: the addresses that each record ever had, whoever wrote them.
        touched: records that somebody else wrote to.
        hidden: fields (`Lead.Title`) that were hidden from the account for a while.
        external_id: the field by which the account names its activities, if it does.
        campaigns: what it has of campaigns, where they are on.
        deletes: whether activities and memberships go with the rows that they are of.
        removed: activities that somebody else deleted.
        restored: records that somebody took out of the bin, each with the people who were there.
        renamed: the names that somebody else gave to campaigns, by the campaign's Id.
    """

    account: str
    participations: Sequence[Participation]
    filters: Sequence[str]
    operations: Sequence[Operation]
    cycles: Sequence[CycleRow]
    people: Mapping[str, Record]
    events: Sequence[Record]
    given: frozenset[str] = frozenset()
    addresses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    former: Sequence[Participation] = ()
    had: Mapping[str, Set[str]] = field(default_factory=dict)
    touched: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    external_id: str | None = None
    campaigns: Campaigns | None = None
    deletes: bool = False
    removed: frozenset[str] = frozenset()
    restored: Mapping[str, frozenset[str]] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)


def gather(
    connection: Connection,
    account: str,
    org: Org,
    *,
    given: frozenset[str] = frozenset(),
    addresses: Mapping[str, Sequence[str]] | None = None,
    said: Iterable[Participation] = (),
    had: Mapping[str, Set[str]] | None = None,
    touched: frozenset[str] = frozenset(),
    hidden: frozenset[str] = frozenset(),
    removed: frozenset[str] = frozenset(),
    restored: Mapping[str, frozenset[str]] | None = None,
    erased: Mapping[str, Record] | None = None,
    renamed: Mapping[str, str] | None = None,
) -> Evidence:
    """All about an account whose client in the warehouse has the same name.

    `said` is whatever the warehouse ever had, `erased` are records that are not even in the org's
    bin any more, as they were there; the others are as in `Evidence`.
    """

    def records(sobject: str) -> dict[str, Record]:
        prefix = org.table(sobject).type.key_prefix
        gone = {key: row for key, row in (erased or {}).items() if key[:3] == prefix}
        return {**gone, **org.table(sobject).rows}

    settings = get_account(connection, account).settings
    now = participations(connection, account)
    return Evidence(
        account=account,
        participations=now,
        former=sorted(set(said).difference(now), key=repr),
        filters=filters(connection, account),
        operations=operations(connection, account),
        cycles=cycles(connection, account),
        people={**records("Lead"), **records("Contact")},
        events=list(records("Event").values()),
        given=given,
        addresses=addresses or {},
        had=had or {},
        touched=touched,
        hidden=hidden,
        external_id=settings.activity_external_id_field,
        campaigns=campaigns(connection, account, org, records("CampaignMember"))
        if settings.campaigns
        else None,
        deletes=settings.vanished == "delete",
        removed=removed,
        restored=restored or {},
        renamed=renamed or {},
    )


def participations(connection: Connection, client: str) -> list[Participation]:
    """A client's registrations and attendances, as far as all that they belong to is there."""
    registered = connection.execute(_REGISTRATIONS, {"client": client}).mappings()
    attended = connection.execute(_ATTENDANCES, {"client": client}).mappings()
    return [
        *(_participation(row, "registration", "Webinar Registration") for row in registered),
        *(_participation(row, "attendance", "Webinar Attendance") for row in attended),
    ]


def campaigns(
    connection: Connection, account: str, org: Org, members: Mapping[str, Record]
) -> Campaigns:
    """Evidence of an account's campaigns, with the members that are or were in its org."""
    events = connection.execute(_EVENTS, {"account": account})
    return Campaigns(
        events={row.event_id: Happening(row.name, row.starts, row.ends) for row in events},
        links={int(key): link for key, link in campaign_links(connection, account).items()},
        records=list(org.table("Campaign").rows.values()),
        members=list(members.values()),
    )


def operations(connection: Connection, account: str) -> list[Operation]:
    """The latest version of each of an account's operations."""
    rows = connection.execute(_OPERATIONS, {"account": account})
    return [Operation(*row) for row in rows]


def cycles(connection: Connection, account: str) -> list[CycleRow]:
    """An account's cycles that came to their end, with what the ledger has of each."""
    rows = connection.execute(_CYCLES, {"account": account})
    return [
        CycleRow(row.cycle_id, Tally.stored(row.counts), row.recorded, row.unaccounted)
        for row in rows
    ]


def filters(connection: Connection, account: str) -> list[str]:
    """An account's filter strings."""
    asked = text("SELECT filter_string FROM crm.email_filter WHERE account_id = :account")
    return list(connection.scalars(asked, {"account": account}))


def _participation(row: RowMapping, kind: str, subject: str) -> Participation:
    polls = [
        _lines(("Poll", poll["question"]), ("Answer", poll["answer"]))
        for poll in row["polls"] or ()
    ]
    chats = [_lines(("Chat", message)) for message in row["chats"] or ()]
    stage = row["status"]
    if kind == "attendance":
        stage = "attended_on_demand" if row["kind"] == "on_demand" else "attended"
        stage = "absent" if _was_nobody_there(row) else stage
    return Participation(
        key=f"{kind}:{row['id']}",
        email=row["email"] or "",
        subject="Webinar On-Demand View" if stage == "attended_on_demand" else subject,
        at=salesforce_time(row["at"]),
        description=description(_header(row, stage, row["minutes_attended"]), polls, chats),
        person=row["person_id"],
        title=row["job_title"],
        event=row["event_id"],
        session=row["event_session_id"],
        stage=stage,
        polls=tuple(polls),
        chats=tuple(chats),
        told=(row["name"], row["session_title"], salesforce_time(row["starts_at"]), stage),
        visit=(row["at"], row["minutes_attended"] or 0),
    )


def _was_nobody_there(row: RowMapping) -> bool:
    """Returns whether a visit was of no minutes, or was over before its session began."""
    minutes = row["minutes_attended"]
    if minutes is None or row["kind"] == "on_demand":
        return bool(minutes == 0)
    return bool(minutes == 0 or row["at"] + timedelta(minutes=minutes) <= row["starts_at"])


def _header(row: RowMapping, stage: str, minutes: int | None) -> list[str]:
    told = (row["name"], row["session_title"], salesforce_time(row["starts_at"]), stage)
    return header(told, minutes)


def header(told: tuple[str, str, str, str], minutes: float | None) -> list[str]:
    """The lines before what was said: cancelled, the event, the session, how long."""
    event, session, starts, stage = told
    day, time = starts[:10], starts[11:16]
    lines = [f"Event: {event}", f"Session: {session}, {day} {time} UTC"]
    if stage == "cancelled":
        lines.insert(0, "Cancelled")
    if stage in ("attended", "attended_on_demand"):
        long = "" if minutes is None else "1 minute" if minutes == 1 else f"{minutes} minutes"
        if stage == "attended_on_demand":
            lines.append(f"Watched on demand: {long}" if long else "Watched on demand")
        else:
            lines.append(f"Attended: {long}, live" if long else "Attended: live")
    return lines


def _lines(*told: tuple[str, str | None]) -> str:
    return "\n".join(f"{label}: {said.strip()}" for label, said in told if said and said.strip())


def description(before: Sequence[str], polls: Sequence[str], chats: Sequence[str]) -> str:
    """The description of an activity of which this was said, after its first lines."""
    return "\n".join(each for each in (*before, *polls[-10:], *chats[-5:]) if each)


def _together(visits: Iterable[tuple[datetime, int]]) -> int:
    """The minutes in which somebody was there, each counted once."""
    return len(
        {at + timedelta(minutes=minute) for at, minutes in visits for minute in range(minutes)}
    )


def together(
    rows: Sequence[Participation], has_activity: Callable[[str], bool]
) -> list[Participation]:
    """The rows, but of each person and session one attendance: the row that has the activity."""
    groups: defaultdict[tuple[str, int, str], list[Participation]] = defaultdict(list)
    found = []
    for each in rows:
        if each.key.startswith("attendance:"):
            groups[address(each.email), each.session, each.subject].append(each)
        else:
            found.append(each)
    for mine in groups.values():
        mine.sort(key=lambda each: (each.at, int(each.key.partition(":")[2])))
        first = next((each for each in mine if has_activity(each.key)), mine[0])
        polls = [poll for each in mine for poll in each.polls]
        chats = [chat for each in mine for chat in each.chats]
        before = header(first.told, _together(each.visit for each in mine))
        found.append(
            replace(
                first,
                at=mine[0].at,
                description=description(before, polls, chats)
                if len(mine) > 1
                else first.description,
                others=tuple(each.key for each in mine if each is not first),
            )
        )
    return found


def address(email: str) -> str:
    """An email as it is compared: without outer blanks, in any case."""
    return email.strip().lower()


def salesforce_time(moment: datetime) -> str:
    """A time as the org shows it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


_EVENTS = text(
    """
    SELECT
        event_id,
        name,
        to_char(starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS starts,
        to_char(ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS ends
    FROM warehouse.event
    WHERE client_id = :account
    """
)

_REGISTRATIONS = text(
    """
    SELECT
        r.registration_id AS id,
        r.registered_at AS at,
        p.email,
        p.person_id,
        p.job_title,
        s.event_id,
        e.name,
        s.title AS session_title,
        s.starts_at,
        r.event_session_id,
        r.status,
        NULL AS kind,
        NULL AS minutes_attended,
        NULL AS polls,
        NULL AS chats
    FROM warehouse.registration AS r
    INNER JOIN warehouse.person AS p ON r.person_id = p.person_id
    INNER JOIN warehouse.event_session AS s ON r.event_session_id = s.event_session_id
    INNER JOIN warehouse.event AS e ON s.event_id = e.event_id
    WHERE r.client_id = :client
    """
)

_ATTENDANCES = text(
    """
    SELECT
        a.attendance_id AS id,
        a.attended_at AS at,
        p.email,
        p.person_id,
        p.job_title,
        s.event_id,
        e.name,
        s.title AS session_title,
        s.starts_at,
        a.event_session_id,
        NULL AS status,
        a.kind,
        a.minutes_attended,
        (
            SELECT json_agg(x ORDER BY x.answered_at, x.poll_answer_id)
            FROM (
                SELECT pa.poll_answer_id, pa.answered_at, pa.answer, pq.question
                FROM warehouse.poll_answer AS pa
                INNER JOIN warehouse.poll_question AS pq USING (poll_question_id)
                WHERE pa.attendance_id = a.attendance_id
                ORDER BY pa.answered_at DESC, pa.poll_answer_id DESC
                LIMIT 10
            ) AS x
        ) AS polls,
        (
            SELECT json_agg(x.message ORDER BY x.sent_at, x.chat_message_id)
            FROM (
                SELECT m.chat_message_id, m.sent_at, m.message
                FROM warehouse.chat_message AS m
                WHERE m.attendance_id = a.attendance_id
                ORDER BY m.sent_at DESC, m.chat_message_id DESC
                LIMIT 5
            ) AS x
        ) AS chats
    FROM warehouse.attendance AS a
    INNER JOIN warehouse.person AS p ON a.person_id = p.person_id
    INNER JOIN warehouse.event_session AS s ON a.event_session_id = s.event_session_id
    INNER JOIN warehouse.event AS e ON s.event_id = e.event_id
    WHERE a.client_id = :client
    """
)

_OPERATIONS = text(
    """
    SELECT DISTINCT ON (o.natural_key)
        CASE
            WHEN o.kind IN ('person', 'member') AND p.address IS NOT NULL
                THEN regexp_replace(o.natural_key, '[0-9]+$', p.address)
            ELSE o.natural_key
        END AS natural_key,
        o.kind, o.state, p.address AS person_key, o.error_code
    FROM crm.operation AS o
    LEFT JOIN crm.person AS p ON o.person_key = p.person_key
    WHERE o.account_id = :account
    ORDER BY o.natural_key, o.version DESC
    """
)

# Every intended activity that a cycle read is in the ledger, in one of the states there are.
_CYCLES = text(
    """
    SELECT
        c.cycle_id,
        c.counts,
        count(o.operation_id) AS recorded,
        count(o.operation_id) FILTER (
            WHERE o.state NOT IN (
                'done', 'pending', 'in_flight', 'failed', 'exhausted', 'superseded', 'left_out',
                'dropped'
            )
        ) AS unaccounted
    FROM crm.cycle AS c
    LEFT JOIN crm.operation AS o
        -- Nobody is known of a row that is rejected, also when a newer one has replaced it. Of one
        -- that was found in the org, or written there since, a restored ledger knows nothing else.
        ON
            c.cycle_id = o.read_by
            AND o.kind = 'activity'
            AND (
                o.person_key IS NOT NULL OR o.gone OR o.state = 'done'
            )
    WHERE c.account_id = :account AND c.counts <> '{}'
    GROUP BY c.cycle_id
    """
)
