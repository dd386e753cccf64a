"""An installation of the first release, with open operations of every state, goes on.

`release_1.json.gz` is what that release's own code left in its tables, in the warehouse and in the
orgs of its accounts. Each account is named after what had befallen it: `then-killed-4` is one
whose second cycle was killed at its fourth call, after the org had worked.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection, Engine, text

from crm_pipeline.accounts.credentials import set_credentials
from crm_pipeline.cadence.due import due_accounts
from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.database.migrations import migrate, migrations
from crm_pipeline.database.statements import statement
from crm_pipeline.local_org.seeding import restore, snapshot
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.local_org.store import Org
from crm_pipeline.report import CycleReport
from crm_pipeline.salesforce.credentials import PasswordToken
from crm_pipeline.settings import settings

LAST_OF_IT = "0008_sessions_of_members"
LEFT: dict[str, Any] = json.loads(
    gzip.decompress((Path(__file__).parent / "release_1.json.gz").read_bytes())
)
ACCOUNTS = sorted(LEFT["orgs"])
USERS = ("OwnerId", "CreatedById", "LastModifiedById")
USER = {"username": "api@chaos.test", "password": "secret", "security_token": "TOKEN"}

NOBODY_FROM_ATLANTIS = {
    "object": "Lead",
    "when": "Country = 'Atlantis'",
    "error": "No leads from there",
}
REFUSED = {
    "refused-events": ("Event",),
    "refused-campaigns": ("Campaign",),
    "refused-members": ("CampaignMember",),
    "dropped-campaigns": ("Campaign",),
    "dropped": ("Event", "CampaignMember"),
}
WHEN = {
    "Event": "Subject = 'Webinar Registration'",
    "Campaign": "Name = 'Expo'",
    "CampaignMember": "Status = 'Registered'",
}
"""By object, of which records an org wants nothing."""

MOST_ROUNDS = 12


@dataclass(frozen=True, slots=True)
class Installation:
    """The tables and orgs of the former release, under the code of this one."""

    pipeline: Engine
    orgs: Mapping[str, Org]

    def settle(self) -> list[CycleReport]:
        """Lets the planner ask for accounts, hours apart, until none is due."""
        reports: list[CycleReport] = []
        for _ in range(MOST_ROUNDS):
            with self.pipeline.begin() as connection:
                connection.execute(text("UPDATE crm.operation SET next_attempt_at = NULL"))
                connection.execute(
                    text(
                        "UPDATE crm.sync_state SET finished_at = finished_at - interval '5 hours',"
                        " paused_until = NULL, claimed_until = NULL"
                    )
                )
            due = due_accounts(only_urgent=False)
            if not due:
                return reports
            reports += [sync_account(each.account_id, run_id="test") for each in due]
        raise AssertionError(f"does not come to rest: {due}")

    def records(self, account: str, sobject: str) -> list[dict[str, Any]]:
        """The records of an account's org that are not deleted."""
        rows = self.orgs[account].table(sobject).rows.values()
        return [row for row in rows if not row["IsDeleted"]]

    def emails(self, account: str) -> dict[str, str]:
        """The local parts of the leads' addresses, by Id."""
        leads = self.records(account, "Lead")
        return {lead["Id"]: lead["Email"].partition("@")[0] for lead in leads}


def orgs_of_accounts() -> list[dict[str, Any]]:
    return [
        {
            "name": account,
            "users": [USER],
            "validation_rules": [
                NOBODY_FROM_ATLANTIS,
                *(
                    {"object": sobject, "when": WHEN[sobject], "error": "no"}
                    for sobject in REFUSED.get(account, ())
                ),
            ],
        }
        for account in ACCOUNTS
    ]


def put_back(org: Org, left: Mapping[str, list[dict[str, Any]]]) -> None:
    """The org has these records, as they were."""
    taken = snapshot(org)
    user = next(iter(org.users.values())).id
    for sobject, rows in left.items():
        of = org.table(sobject).type
        blank: dict[str, Any] = {
            each.name: False if each.type == "boolean" else None
            for each in of.fields.values()
            if each.name not in of.computed
        }
        blank |= {name: user for name in USERS if name in blank}
        taken.rows[sobject] = {row["Id"]: {**blank, **row} for row in rows}
        taken.counters[sobject] = 10_000
    restore(org, taken)


def fill_tables(connection: Connection) -> None:
    """The tables of that release, with what its code left in them."""
    connection.execute(text("DROP SCHEMA IF EXISTS crm, platform_inbox, daily, reporting CASCADE"))
    connection.execute(statement("migrations/create_log"))
    for file in migrations("crm"):
        if file.stem <= LAST_OF_IT:
            connection.execute(text(file.read_text(encoding="utf-8")))
            connection.execute(statement("migrations/note"), {"folder": "crm", "name": file.stem})
    connection.execute(text("SET session_replication_role = replica"))
    for table, rows in LEFT["tables"].items():
        columns = ", ".join(dict.fromkeys(name for row in rows for name in row))
        connection.execute(
            text(
                f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns}"
                f" FROM jsonb_populate_recordset(NULL::{table}, CAST(:rows AS jsonb))"
            ),
            {"rows": orjson.dumps(rows).decode()},
        )
    connection.execute(text("SET session_replication_role = origin"))
    for column in ("operation.operation_id", "cycle.cycle_id", "sending.sending_id"):
        table, name = column.split(".")
        connection.execute(
            text(
                f"SELECT setval(pg_get_serial_sequence('crm.{table}', '{name}'),"
                f" (SELECT max({name}) FROM crm.{table}))"
            )
        )


@pytest.fixture(scope="module")
def installation(module_pipeline: Engine) -> Iterator[Installation]:
    with pytest.MonkeyPatch.context() as patch, LocalOrgServer(*orgs_of_accounts()) as server:
        patch.setenv("LOST_ANSWER_GRACE_SECONDS", "0")
        patch.setenv("RETRY_BACKOFF_SECONDS", "0")
        settings.cache_clear()
        for account in ACCOUNTS:
            put_back(server.org(account), LEFT["orgs"][account])
        with module_pipeline.begin() as connection:
            fill_tables(connection)
        migrate(module_pipeline, "crm")
        with module_pipeline.begin() as connection:
            for account in ACCOUNTS:
                connection.execute(
                    text("UPDATE crm.account SET login_url = :url WHERE account_id = :account"),
                    {"url": server.url_of(account), "account": account},
                )
                set_credentials(connection, account, PasswordToken(**USER))
        orgs = {account: server.org(account) for account in ACCOUNTS}
        made = Installation(module_pipeline, orgs)
        reports = made.settle()
        assert {report.state for report in reports} == {"Complete"}
        yield made


def test_it_left_operations_of_every_kind_and_state() -> None:
    left = {(each["kind"], each["state"]) for each in LEFT["tables"]["crm.operation"]}
    sent = {"done", "pending", "in_flight", "exhausted", "superseded", "dropped"}
    assert left == {
        *((kind, state) for kind in ("person", "activity", "campaign", "member") for state in sent),
        *((kind, "failed") for kind in ("person", "activity", "member")),
        *((kind, "rejected") for kind in ("activity", "member")),
    }
    assert LEFT["tables"]["crm.sending"], "noted as on its way, by processes that were killed"


@pytest.mark.parametrize("account", ACCOUNTS)
def test_each_person_is_there_once_as_the_source_says(
    installation: Installation, account: str
) -> None:
    leads = {
        lead["Email"]: (lead["LastName"][:4], lead.get("Title"))
        for lead in installation.records(account, "Lead")
    }
    assert len(installation.records(account, "Lead")) == len(leads)
    assert leads == {
        f"p{number}@{account}.example": ("Last", "CTO" if number == 2 else None)
        for number in (1, 2, 5)
    }


@pytest.mark.parametrize("account", ACCOUNTS)
def test_each_activity_is_there_once(installation: Installation, account: str) -> None:
    people = installation.emails(account)
    events = Counter(
        (people[event["WhoId"]], event["Subject"].removeprefix("Webinar "))
        for event in installation.records(account, "Event")
    )
    registered = [] if "Event" in REFUSED.get(account, ()) else ["p1", "p2", "p5"]
    assert events == Counter([("p1", "Attendance"), *((who, "Registration") for who in registered)])


@pytest.mark.parametrize("account", ACCOUNTS)
def test_each_membership_is_there_once(installation: Installation, account: str) -> None:
    people = installation.emails(account)
    campaigns = installation.records(account, "Campaign")
    members = Counter(
        (people[member["LeadId"]], member["Status"])
        for member in installation.records(account, "CampaignMember")
    )
    if account == "refused-campaigns":
        assert (campaigns, members) == ([], Counter())
        return
    # That release renamed no campaign whose event was renamed, and took the change for done.
    assert [each["Name"] for each in campaigns] == ["Expo 2"]
    # It knew no no-shows: the webinar is over, and these did not come.
    assert members == Counter([("p1", "Attended"), ("p2", "No Show"), ("p5", "No Show")])


@pytest.mark.deep
def test_nothing_is_left_that_could_go_on(installation: Installation) -> None:
    with installation.pipeline.connect() as connection:
        states = connection.execute(
            text(
                "SELECT account_id, kind, state FROM crm.operation AS o"
                " WHERE state NOT IN ('done', 'superseded', 'rejected', 'dropped', 'exhausted')"
                " AND account_id <> 'refused-campaigns'"
                " AND NOT EXISTS (SELECT FROM crm.person AS p WHERE p.person_key = o.person_key"
                " AND p.address LIKE 'p3@%')"
            )
        ).all()
        assert (
            connection.scalar(text("SELECT count(*) FROM crm.sending WHERE ended_at IS NULL")) == 0
        )
    assert states == []
    before = {account: org.meter.calls.total() for account, org in installation.orgs.items()}
    reports = [sync_account(account, run_id="test") for account in ACCOUNTS]
    assert sum(report.counts.api_calls for report in reports) == 0
    assert before == {
        account: org.meter.calls.total() for account, org in installation.orgs.items()
    }
