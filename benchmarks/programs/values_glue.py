"""A good engineer's glue for values of opportunities: five queries, three tables kept, one outbox.

It does the same job in its own way: it reads what changed since its last run, deleted records
among it, and keeps opportunities, roles and people; matches by conversion, by the address and by
the number of contacts whatever something changed at; and puts the whole new state of each value
that differs into an outbox, with a version that grows, and a withdrawal where it belongs to
somebody else now. Ours alone knows late commits, merges, tracker ids, splits, filters, stages that
mean something else by now, removals, and why something waits.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import phonenumbers
import psycopg
from psycopg import sql
from simple_salesforce.api import Salesforce

REGION = "DE"

TABLES = """
CREATE TABLE glue_position (read_until timestamptz NOT NULL);
CREATE TABLE glue_opportunity (
    id text PRIMARY KEY, deleted boolean NOT NULL, record jsonb NOT NULL
);
CREATE TABLE glue_role (
    id text PRIMARY KEY, deleted boolean NOT NULL, opportunity_id text, contact_id text,
    is_primary boolean NOT NULL
);
CREATE INDEX ON glue_role (opportunity_id);
CREATE INDEX ON glue_role (contact_id);
CREATE TABLE glue_person (
    id text PRIMARY KEY, deleted boolean NOT NULL, email text, phones text [] NOT NULL,
    opportunity_id text
);
CREATE INDEX ON glue_person (opportunity_id);
CREATE TABLE glue_value (
    opportunity_id text, lead_id text, version bigint NOT NULL, body jsonb NOT NULL,
    PRIMARY KEY (opportunity_id, lead_id)
);
CREATE TABLE glue_outbox (
    message_id uuid PRIMARY KEY DEFAULT gen_random_uuid(), opportunity_id text NOT NULL,
    lead_id text NOT NULL, version bigint NOT NULL, body jsonb NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now()
)
"""

_BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
_OVERLAP = timedelta(minutes=5)

_OPPORTUNITIES = (
    "SELECT Id, IsDeleted, Name, StageName, IsClosed, IsWon, Probability, Amount, CloseDate,"
    " CreatedDate, (SELECT Id, CreatedDate, StageName, Probability FROM OpportunityHistories)"
    " FROM Opportunity WHERE SystemModstamp >= {since}"
)
_ROLES = (
    "SELECT Id, IsDeleted, OpportunityId, ContactId, IsPrimary, Contact.IsDeleted, Contact.Email,"
    " Contact.Phone, Contact.MobilePhone FROM OpportunityContactRole"
    " WHERE SystemModstamp >= {since}"
)
_LEADS = (
    "SELECT Id, IsDeleted, Email, Phone, MobilePhone, ConvertedOpportunityId FROM Lead"
    " WHERE IsConverted = TRUE AND SystemModstamp >= {since}"
)
_CONTACTS = (
    "SELECT Id, IsDeleted, Email, Phone, MobilePhone FROM Contact WHERE SystemModstamp >= {since}"
)
_STAGES = "SELECT MasterLabel, IsClosed, IsWon FROM OpportunityStage"

# Whatever changed, or has somebody around it who did.
_CONCERNED = """
SELECT o.id, o.deleted, o.record
FROM glue_opportunity AS o
WHERE
    o.id IN (SELECT id FROM read_glue_opportunity)
    OR o.id IN (SELECT opportunity_id FROM read_glue_role)
    OR o.id IN (SELECT opportunity_id FROM read_glue_person)
    OR o.id IN (
        SELECT r.opportunity_id
        FROM glue_role AS r
        WHERE r.contact_id IN (SELECT id FROM read_glue_person)
    )
"""
_AROUND = """
SELECT p.opportunity_id, 'converted_lead' AS way, false AS is_primary, p.email, p.phones
FROM glue_person AS p
WHERE p.opportunity_id = any(%(ids)s) AND NOT p.deleted
UNION ALL
SELECT r.opportunity_id, 'contact', r.is_primary, p.email, p.phones
FROM glue_role AS r
INNER JOIN glue_person AS p ON p.id = r.contact_id
WHERE r.opportunity_id = any(%(ids)s) AND NOT r.deleted AND NOT p.deleted
"""
_TELL = """
WITH gone AS (
    SELECT
        v.opportunity_id,
        v.lead_id,
        v.body || '{"standing": "withdrawn", "amount": null, "match": null}' AS body
    FROM glue_value AS v
    WHERE
        v.opportunity_id = any(%(ids)s)
        AND NOT EXISTS (
            SELECT FROM read_value AS r
            WHERE r.opportunity_id = v.opportunity_id AND r.lead_id = v.lead_id
        )
),

told AS (
    INSERT INTO glue_value AS v (opportunity_id, lead_id, version, body)
    SELECT r.opportunity_id, r.lead_id, 1, r.body FROM read_value AS r
    UNION ALL
    SELECT g.opportunity_id, g.lead_id, 1, g.body FROM gone AS g
    ON CONFLICT (opportunity_id, lead_id) DO UPDATE
    SET body = excluded.body, version = v.version + 1 WHERE v.body <> excluded.body
    RETURNING v.opportunity_id, v.lead_id, v.version, v.body
)

INSERT INTO glue_outbox (opportunity_id, lead_id, version, body)
SELECT opportunity_id, lead_id, version, body FROM told
"""


@dataclass(frozen=True, slots=True)
class _Tracked:
    """The tracker's leads, by address and by number."""

    by_email: dict[str, str] = field(default_factory=dict)
    by_phone: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, database: psycopg.Connection[Any]) -> "_Tracked":
        tracked = cls()
        rows = database.execute("SELECT lead_id, email, phone FROM crm.tracked_lead")
        for lead_id, email, phone in rows.fetchall():
            if email is not None:
                tracked.by_email[email] = lead_id
            if phone is not None:
                tracked.by_phone[phone.removeprefix("tel:")] = lead_id
        return tracked

    def lead_of(self, email: str | None, phones: Sequence[str]) -> tuple[str, str] | None:
        """Returns the rule, and the lead."""
        if email in self.by_email:
            return "email", self.by_email[email]
        return next((("phone", self.by_phone[n]) for n in phones if n in self.by_phone), None)


def tell(salesforce: Salesforce, database: psycopg.Connection[Any]) -> int:
    """Reads what changed since the last run, keeps it, matches it, and tells what differs.

    Args:
        salesforce: logged in.
        database: with the table of tracked leads, and `TABLES`.

    Returns:
        How many opportunities were matched.
    """
    begun = datetime.now(UTC)
    last = database.execute("SELECT read_until FROM glue_position").fetchone()
    since = (last[0] if last else _BEGINNING).strftime("%Y-%m-%dT%H:%M:%SZ")

    def read(query: str) -> Iterator[Any]:
        return iter(salesforce.query_all_iter(query.format(since=since), include_deleted=True))

    stages = salesforce.query_all_iter(_STAGES)
    meanings = {each["MasterLabel"]: (each["IsClosed"], each["IsWon"]) for each in stages}
    people = {each["Id"]: (*_person(each), each["ConvertedOpportunityId"]) for each in read(_LEADS)}
    roles = []
    for each in read(_ROLES):
        contact_id = each["ContactId"]
        if each["Contact"] and contact_id not in people:
            people[contact_id] = (*_person({**each["Contact"], "Id": contact_id}), None)
        roles.append(
            (each["Id"], each["IsDeleted"], each["OpportunityId"], contact_id, each["IsPrimary"])
        )
    if last:  # Before, each contact comes with its role.
        people |= {each["Id"]: (*_person(each), None) for each in read(_CONTACTS)}
    with database.cursor() as cursor:
        _keep(cursor, "glue_person", people.values())
        _keep(cursor, "glue_role", roles)
        _keep(cursor, "glue_opportunity", map(_opportunity, read(_OPPORTUNITIES)))
        concerned = cursor.execute(_CONCERNED).fetchall()
        told = _tell(cursor, concerned, meanings)
        cursor.execute("DELETE FROM glue_position")
        cursor.execute("INSERT INTO glue_position VALUES (%s)", [begun - _OVERLAP])
    database.commit()
    return told


def _keep(cursor: psycopg.Cursor[Any], table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Writes rows, each over the one that has its id."""
    names = {"table": sql.Identifier(table), "read": sql.Identifier(f"read_{table}")}
    made = "CREATE TEMPORARY TABLE {read} (LIKE {table}) ON COMMIT DROP"
    cursor.execute(sql.SQL(made).format(**names))
    with cursor.copy(sql.SQL("COPY {read} FROM STDIN").format(**names)) as copy:
        for row in rows:
            copy.write_row(row)
    found = cursor.execute(sql.SQL("SELECT * FROM {read} LIMIT 0").format(**names)).description
    columns = [sql.Identifier(each.name) for each in found or ()]
    as_read = [sql.SQL("{0} = excluded.{0}").format(each) for each in columns]
    kept = "INSERT INTO {table} SELECT * FROM {read} ON CONFLICT (id) DO UPDATE SET {as_read}"
    cursor.execute(sql.SQL(kept).format(**names, as_read=sql.SQL(", ").join(as_read)))


def _tell(
    cursor: psycopg.Cursor[Any],
    concerned: Sequence[tuple[str, bool, Mapping[str, Any]]],
    meanings: Mapping[str, tuple[bool, bool]],
) -> int:
    """Matches opportunities, and puts what differs into the outbox."""
    tracked = _Tracked.read(cursor.connection)
    ids = [opportunity_id for opportunity_id, _, _ in concerned]
    best: dict[str, tuple[bool, bool, bool, str, str]] = {}
    for opportunity_id, way, is_primary, email, phones in cursor.execute(_AROUND, {"ids": ids}):
        if found := tracked.lead_of(email, phones):
            # A conversion goes first, then an address, and then the primary contact.
            rule = way if way == "converted_lead" else found[0]
            one = (rule == "converted_lead", rule == "email", is_primary, rule, found[1])
            best[opportunity_id] = max(one, best.get(opportunity_id, one))
    cursor.execute(
        "CREATE TEMPORARY TABLE read_value (opportunity_id text, lead_id text, body jsonb)"
        " ON COMMIT DROP"
    )
    with cursor.copy("COPY read_value (opportunity_id, lead_id, body) FROM STDIN") as copy:
        for opportunity_id, deleted, record in concerned:
            if opportunity_id in best:
                *_, rule, lead_id = best[opportunity_id]
                body = _value(record, lead_id, rule, meanings, is_deleted=deleted)
                copy.write_row((opportunity_id, lead_id, orjson.dumps(body).decode()))
    cursor.execute(_TELL, {"ids": ids})
    return len(concerned)


def _opportunity(record: dict[str, Any]) -> tuple[str, bool, str]:
    rows = (record.pop("OpportunityHistories") or {"records": []})["records"]
    record["history"] = sorted(
        ({name: each[name] for name in _HISTORY} for each in rows),
        key=lambda each: (each["CreatedDate"], each["Id"]),
    )
    del record["attributes"]
    return record["Id"], record["IsDeleted"], orjson.dumps(record).decode()


_HISTORY = ("Id", "CreatedDate", "StageName", "Probability")


def _person(record: Mapping[str, Any]) -> tuple[str, bool, str | None, list[str]]:
    numbers = (_e164(record[name]) for name in ("Phone", "MobilePhone"))
    email = (record["Email"] or "").strip().lower() or None
    return record["Id"], record["IsDeleted"], email, [each for each in numbers if each]


def _value(
    opportunity: Mapping[str, Any],
    lead_id: str,
    rule: str,
    meanings: Mapping[str, tuple[bool, bool]],
    *,
    is_deleted: bool,
) -> dict[str, Any]:
    standing = "open"
    if is_deleted:
        standing = "deleted"
    elif opportunity["IsClosed"]:
        standing = "won" if opportunity["IsWon"] else "lost"
    amount = None if is_deleted else _cents(opportunity["Amount"])
    return {
        "lead": lead_id,
        "opportunity": opportunity["Id"],
        "name": opportunity["Name"],
        "standing": standing,
        "amount": amount,
        "closed_amount": amount if standing == "won" else "0.00",
        "whole_amount": _cents(opportunity["Amount"]),
        "currency": "EUR",
        "stage": opportunity["StageName"],
        "probability": opportunity["Probability"],
        "close_date": opportunity["CloseDate"],
        "history": list(_moves(opportunity, meanings)),
        "match": {"rule": rule},
    }


def _moves(
    opportunity: Mapping[str, Any], meanings: Mapping[str, tuple[bool, bool]]
) -> Iterator[dict[str, Any]]:
    stage = None
    for row in opportunity["history"]:
        if row["StageName"] != stage:
            stage = row["StageName"]
            is_closed, is_won = meanings.get(stage, (False, False))
            yield {
                "stage": stage,
                "at": row["CreatedDate"],
                "is_closed": is_closed,
                "is_won": is_won,
                "probability": row["Probability"],
            }


def _cents(amount: float | None) -> str | None:
    return None if amount is None else str(Decimal(str(amount)).quantize(Decimal("0.01")))


def _e164(text: str | None) -> str | None:
    if not text:
        return None
    try:
        number = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
