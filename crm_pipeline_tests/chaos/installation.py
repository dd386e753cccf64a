"""The pipeline as it is installed: databases, orgs, accounts; put back as they were in a moment."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import requests
from sqlalchemy import Connection, Engine, text

from crm_pipeline.accounts.account import Account, AccountSettings
from crm_pipeline.accounts.credentials import set_credentials
from crm_pipeline.accounts.engagement import EngagementSettings
from crm_pipeline.accounts.feedback_records import FeedbackObject
from crm_pipeline.accounts.store import add_account, touch_account
from crm_pipeline.accounts.webinar_objects import OBJECTS as WEBINAR_OBJECTS
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.copies import take_for_sent
from crm_pipeline.ledger.holds import approve_load, load_ended
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.open_transactions import end_all
from crm_pipeline.local_org.seeding import Snapshot, restore, snapshot
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.transaction import WriteContext, committed
from crm_pipeline.local_platform.inbox import Inbox, ToldMessage
from crm_pipeline.local_platform.server import LocalPlatformServer
from crm_pipeline.salesforce.credentials import PasswordToken
from crm_pipeline.sample.org_objects import objects_of_org
from crm_pipeline.sample.subscribers import subscribers
from crm_pipeline_tests.chaos.ambush import Ambush, Strike
from crm_pipeline_tests.chaos.cycle_process import PLATFORM, PLATFORM_SECRET, CommitAction
from crm_pipeline_tests.chaos.lane import Ended, Lane
from crm_pipeline_tests.chaos.salespeople import colleague
from crm_pipeline_tests.small_flow.badges import OBJECTS

USER, PASSWORD, TOKEN = "api@chaos.test", "secret", "TOKEN"

COLLEAGUE = "sales@chaos.test"
"""Another user of the orgs, to whom salespeople hand people over."""

EXTERNAL_ID = "Participation__c"
"""External id field of Activity in the orgs; accounts use it where they are told to."""

CAMPAIGN_EXTERNAL_ID = "Event_Key__c"
"""External id field of Campaign in the orgs, likewise."""

ATTRIBUTION_FIELDS = ("Tracker_Id__c", "First_Source__c", "Last_Source__c", "Recording__c")
"""Fields of Lead and Contact in the orgs, for accounts with attribution."""

LEAD_ON_OPPORTUNITY = "Tracker_Lead__c"
"""Field of Opportunity in the orgs that holds a tracked lead's id, for the same accounts."""

FIGURES = ("Webinars_Registered__c", "Webinars_Attended__c", "Minutes_Total__c")
"""Number fields of Lead and Contact in the orgs, for accounts that want figures of people."""

_OF_MEMBERS = {
    "Minutes__c": {"type": "double", "scale": 0},
    "Join_Link__c": {"type": "string", "length": 255},
}

ENGAGEMENT = {
    "pages": True,
    "accounts": True,
    "opportunity_tags": True,
    "opportunity_scores": True,
}
"""The engagement workflow with all that there is; the orgs have its objects."""

CAMPAIGNS: dict[str, Any] = {}
"""Campaigns on, with the defaults."""

_TABLES = """
SELECT
    format('%I.%I', t.table_schema, t.table_name) AS name,
    string_agg(quote_ident(c.column_name), ', ') AS columns
FROM information_schema.tables AS t
JOIN information_schema.columns AS c USING (table_schema, table_name)
WHERE
    t.table_schema IN ('crm', 'warehouse', 'platform_inbox', 'badges')
    AND t.table_type = 'BASE TABLE'
    AND (t.table_schema, t.table_name) <> ('crm', 'migration')
    AND c.is_generated = 'NEVER'
GROUP BY t.table_schema, t.table_name
"""

_ASKING_TO_ADOPT = text(
    "SELECT account_id FROM crm.sync_state WHERE state = 'Failed' AND reason LIKE '%account adopt%'"
)

_KEEP_NUMBERS = """
CREATE TABLE backup.numbers AS
SELECT 'crm.' || quote_ident(sequencename) AS name, last_value FROM pg_sequences
WHERE schemaname = 'crm'
"""

_PUT_NUMBERS_BACK = """
SELECT setval(CAST(name AS regclass), coalesce(last_value, 1), last_value IS NOT NULL)
FROM backup.numbers
"""

NO_PATIENCE = {
    "LOST_ANSWER_GRACE_SECONDS": "0",
    "RETRY_BACKOFF_SECONDS": "0",
    "SALESFORCE_READ_TIMEOUT_SECONDS": "60",
}
"""Settings under which nothing has to be waited for."""


def org_named(name: str, **config: Any) -> dict[str, Any]:
    """The configuration of an org that lets the accounts' user in."""
    chosen = EngagementSettings.model_validate({**ENGAGEMENT, "by_event": True})
    of_prospects = objects_of_org(chosen.org_objects)
    of_webinars = {name: each["fields"] for name, each in objects_of_org(WEBINAR_OBJECTS).items()}
    of_people = {
        **{field: {"type": "string"} for field in (*ATTRIBUTION_FIELDS, "Budget__c")},
        **{field: {"type": "double", "scale": 0} for field in FIGURES},
    }
    keys = (("Activity", EXTERNAL_ID), ("Campaign", CAMPAIGN_EXTERNAL_ID))
    return {
        "name": name,
        "users": [
            {"username": user, "password": PASSWORD, "security_token": TOKEN}
            for user in (USER, COLLEAGUE)
        ],
        "objects": {
            sobject: {
                "fields": {field: {"type": "string", "external_id": True}, **of_webinars[sobject]}
            }
            for sobject, field in keys
        }
        | {"CampaignMember": {"fields": of_webinars["CampaignMember"] | _OF_MEMBERS}}
        | {
            sobject: {"fields": of_people | of_prospects.pop(sobject)["fields"]}
            for sobject in ("Lead", "Contact")
        }
        | of_prospects
        | {"Opportunity": {"fields": {LEAD_ON_OPPORTUNITY: {"type": "string"}}}}
        | dict(OBJECTS)
        | objects_of_org([FeedbackObject().org_object]),
        "subscribers": subscribers(chosen),
        "currencies": {"USD": 1, "EUR": 0.9},
        **config,
    }


class Installation:
    """Accounts with their orgs over one database, and cycles in processes of their own.

    An account has the same name as its org and as its client in the warehouse.

    Attributes:
        environment: settings of the pipeline.
        clocks: by how much the clocks of orgs differ from the databases', by name.
        beside: what ends with the installation.
        restored: what puts things back that are neither in the databases nor in the orgs.
    """

    def __init__(self, engine: Engine, server: LocalOrgServer, names: Sequence[str]) -> None:
        self.engine = engine
        self.names = tuple(names)
        self._server = server
        self.orgs = {name: server.org(name) for name in names}
        self.environment: dict[str, str] = dict(NO_PATIENCE)
        self.clocks: dict[str, timedelta] = {}
        self.ambushes = {name: Ambush(org) for name, org in self.orgs.items()}
        for name, org in self.orgs.items():
            org.weather = self.ambushes[name]
            self._add_account(name, server.url_of(name))
        self.beside = ExitStack()
        self.restored: list[Callable[[], None]] = []
        self._inboxes: list[Inbox] = []
        self._told: list[list[ToldMessage]] = []
        self._lane = self.beside.enter_context(Lane())
        self._ids = {name: org.id for name, org in self.orgs.items()}
        self._tables: dict[str, str] = {}
        self._snapshots: dict[str, Snapshot] = {}
        self._killed = False

    def _add_account(self, name: str, url: str) -> None:
        with self.engine.begin() as connection:
            account = Account(name, name, name.title(), url, True, AccountSettings())
            add_account(connection, account)
            set_credentials(
                connection,
                name,
                PasswordToken(username=USER, password=PASSWORD, security_token=TOKEN),
            )

    def close(self) -> None:
        """Ends the processes, and what runs beside them."""
        self.beside.close()

    @contextmanager
    def rows(self) -> Iterator[Connection]:
        """A transaction on the databases, for what happens outside of the pipeline."""
        with self.engine.begin() as connection:
            yield connection

    def org_acts(self, account: str, act: Callable[[Org, WriteContext], object]) -> None:
        """Somebody changes something in an account's org, unless it is locked or gone."""
        org = self.org(account)
        try:
            with committed(WriteContext(org, colleague(org))) as context:
                act(org, context)
        except SalesforceError as error:
            if error.error_code not in ("UNABLE_TO_LOCK_ROW", "ENTITY_IS_DELETED"):
                raise

    def org(self, name: str | None = None) -> Org:
        """The org of an account, the first unless named."""
        return self.orgs[name or self.names[0]]

    def knows_records(self, account: str) -> bool:
        """Whether the ledger is about records of an account's org by now."""
        with self.rows() as connection:
            return bool(
                connection.scalar(statement("accounts/knows_records"), {"account_id": account})
            )

    def save(self) -> None:
        """Remembers the databases and the orgs as they are, to be restored any number of times."""
        with self.engine.begin() as connection:
            self._tables = {row.name: row.columns for row in connection.execute(text(_TABLES))}
            _keep(connection, "saved", self._tables)
        self._snapshots = {name: snapshot(org) for name, org in self.orgs.items()}
        self._told = [list(inbox.messages.values()) for inbox in self._inboxes]

    def restore(self) -> None:
        """Puts the databases and the orgs back as they were saved, and ends all bad weather."""
        with self.engine.begin() as connection:
            if self._killed:
                # A killed process's requests must not write into the next story; those that do
                # nothing end by themselves, or are the lanes', which know the tables already.
                _end_other_sessions(connection, "state <> 'idle'")
                self._killed = False
            _put_back(connection, "saved", self._tables)
        for name, org in self.orgs.items():
            restore(org, self._snapshots[name])
            org.sessions.clear()
            org.meter.set_used(org.now(), 0)
            org.weather.faults.clear()
            org.hide_fields(())
            org.clock_shift = self.clocks.get(name, timedelta())
            org.id = self._ids[name]
            self.ambushes[name].expect(None, 0)
        for put_back in self.restored:
            put_back()
        for inbox, messages in zip(self._inboxes, self._told, strict=True):
            inbox.forget()
            for message in messages:
                inbox.take(message)

    def clears_up(self, account: str = "acme") -> None:
        """Ends bad weather of an org; what hangs there goes on."""
        url = f"{self._server.url_of(account)}/_admin/faults"
        requests.delete(url, timeout=60).raise_for_status()

    def end_first_loads(self) -> None:
        """Has the first cycle held to the limits, too."""
        with self.rows() as rows:
            for name in self.names:
                load_ended(rows, name)

    def back_up(self) -> None:
        """A backup of the pipeline's tables; the one before is gone."""
        with self.engine.begin() as connection:
            _keep(connection, "backup", self._ledger)
            connection.exec_driver_sql(_KEEP_NUMBERS)

    def restore_backup(self) -> None:
        """The pipeline's tables, of all accounts, are as they were at the last backup.

        As where a dump is loaded, numbers that were given since are given once more.
        """
        with self.engine.begin() as connection:
            _put_back(connection, "backup", self._ledger)
            connection.exec_driver_sql(_PUT_NUMBERS_BACK)

    def adopt(self) -> bool:
        """A person does what stopped accounts ask for after a restore; returns whether any did."""
        with self.rows() as rows:
            stopped = list(rows.scalars(_ASKING_TO_ADOPT))
            for account in stopped:
                take_for_sent(rows, account)
                approve_load(rows, account)
                touch_account(rows, account)
        return bool(stopped)

    @property
    def _ledger(self) -> dict[str, str]:
        return {name: each for name, each in self._tables.items() if name.startswith("crm.")}

    def told_by_http(self) -> Inbox:
        """Has the platform told by HTTP. Returns its inbox, which is put back as it is `save`d."""
        platform = self.beside.enter_context(LocalPlatformServer(PLATFORM_SECRET))
        self.environment[PLATFORM] = f"{platform.url}/messages"
        self._inboxes.append(platform.inbox)
        return platform.inbox

    def reconnect(self) -> None:
        """Ends all sessions with the database: the next ones find it as it is now."""
        with self.engine.begin() as connection:
            _end_other_sessions(connection, "true")

    def cycle(
        self,
        account: str | None = None,
        *,
        commit: tuple[int, CommitAction] | None = None,
        call: tuple[int, Strike] | None = None,
        environment: Mapping[str, str] | None = None,
        lane: Lane | None = None,
    ) -> Ended:
        """One cycle of an account, perhaps with a fault at its n-th commit or n-th call."""
        name = account or self.names[0]
        nth_commit, action = commit or (0, None)
        nth_call, strike = call or (0, None)
        ambush = self.ambushes[name]
        ambush.expect(strike, nth_call)
        kills = bool(strike and strike.kills) or action in ("kill_before", "kill_after")
        ended = (lane or self._lane).run(
            "cycle",
            {**self.environment, **(environment or {})},
            {"account": name, "nth_commit": nth_commit, "action": action},
            begun=ambush.process.set_result if kills else None,
        )
        self._killed |= ended.state == "Killed"
        return ended

    def decision(self, account: str, how: str) -> Ended:
        """A person decides about an account, as `decisions.decide`."""
        return self._lane.run("decision", self.environment, {"account": account, "how": how})

    def settle(self, environment: Mapping[str, str] | None = None) -> Ended:
        """The normal cadence, until no account is due; the orgs' transactions are committed."""
        for name, ambush in self.ambushes.items():
            ambush.expect(None, 0)
            end_all(self.orgs[name])
        return self._lane.run("settle", {**self.environment, **(environment or {})})


@contextmanager
def installed(engine: Engine, *configs: Mapping[str, Any]) -> Iterator[Installation]:
    """An installation with one account for each of these orgs (`org_named`)."""
    with LocalOrgServer(*configs) as server:
        installation = Installation(engine, server, [config["name"] for config in configs])
        try:
            yield installation
        finally:
            installation.close()


def _copy(schema: str, table: str) -> str:
    return f"{schema}.{table.replace('.', '_')}"


def _keep(connection: Connection, schema: str, tables: Mapping[str, str]) -> None:
    copies = [f"CREATE TABLE {_copy(schema, table)} AS TABLE {table}" for table in tables]
    connection.exec_driver_sql(
        ";".join((f"DROP SCHEMA IF EXISTS {schema} CASCADE", f"CREATE SCHEMA {schema}", *copies))
    )


def _put_back(connection: Connection, schema: str, tables: Mapping[str, str]) -> None:
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    statements = [
        f"DELETE FROM {table}; INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE"
        f" SELECT {columns} FROM {_copy(schema, table)}"
        for table, columns in tables.items()
    ]
    connection.exec_driver_sql(";".join(statements))


def _end_other_sessions(connection: Connection, which: str) -> None:
    connection.execute(
        text(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            f" WHERE datname = current_database() AND pid <> pg_backend_pid() AND {which}"
        )
    )
