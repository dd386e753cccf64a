"""Accounts in the pipeline's own tables; each function is a part of the caller's transaction.

Whatever is changed here moves `crm.account.updated_at`, by which the planner sees that a failed
account may have been mended.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row

from crm_pipeline.accounts.account import (
    Account,
    AccountError,
    AccountSettings,
    UnknownAccountError,
    checked_account_id,
    checked_login_url,
)
from crm_pipeline.accounts.templates import Template
from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement
from crm_pipeline.near_names import near
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.values import Why

_API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_LONGEST_EMAIL = 254

DECIDED_FIELDS: Mapping[str, frozenset[str]] = {
    "Lead": frozenset(("Id", "Email", "IsConverted")),
    "Contact": frozenset(("Id", "Email")),
    "Event": frozenset(("Id", "WhoId", "Subject", "ActivityDateTime")),
    "Campaign": frozenset(("Id", "Name", "Description", "StartDate", "EndDate")),
    "CampaignMember": frozenset(("Id", "CampaignId", "LeadId", "ContactId", "Status")),
}
"""The objects that can be mapped, each with the fields that are not the account's to map: records
are found by them, or they are what the pipeline is about."""


@dataclass(frozen=True, slots=True)
class AccountOverview:
    """A line of the list of accounts; `credentials` says whether a login is possible at all."""

    account_id: str
    client_id: str
    name: str
    login_url: str
    enabled: bool
    draft: bool
    credentials: Literal["set", "missing", "refused"]


@dataclass(frozen=True, slots=True)
class PushedSession:
    """An event session that goes to the org.

    `backfilled_at` is None until it was read whole, `members_read_at` until that was done for
    campaigns.
    """

    event_session_id: int
    backfilled_at: datetime | None
    members_read_at: datetime | None


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """One override of the default mapping: where a field of the org gets its value from.

    Attributes:
        sobject: one of DECIDED_FIELDS: Lead, Contact, Event, Campaign or CampaignMember.
        field: API name of the field, such as `Region__c`.
        source: name of a column of the extracts; of Campaign, of that of events; or a template
            that makes a value of such columns.
        constant: a fixed value. With neither, the field is not sent at all.
    """

    sobject: str
    field: str
    source: str | Template | None = None
    constant: str | None = None

    @property
    def is_filled(self) -> bool:
        """Whether anything is sent of it."""
        return self.source is not None or self.constant is not None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that its value is made of."""
        if isinstance(self.source, Template):
            return self.source.columns
        return () if self.source is None else (self.source,)

    @property
    def fixed_values(self) -> tuple[str, ...]:
        """The values that are known before any row is read: its constant, those of a template."""
        if isinstance(self.source, Template):
            return self.source.fixed_values
        return () if self.constant is None else (self.constant,)

    def misfit(self, schema: SObjectSchema) -> Why | None:
        """Returns why the org's user can never fill the field so, or None."""
        reasons = (schema.misfit(self.field, value) for value in self.fixed_values or (None,))
        return next((why for why in reasons if why is not None), None)


def add_account(connection: Connection, account: Account) -> Account:
    """Stores a new account and returns it as stored.

    Raises:
        AccountError: its id is taken or impossible, or its login URL is not acceptable.
    """
    account = _checked(account)
    if connection.scalar(statement("accounts/add_account"), _columns(account)) is None:
        raise AccountError(
            f"Account {account.account_id} exists already; change it with "
            "`crm-pipeline account set`."
        )
    # A copy of the tables from before the first cycle is an older copy, too.
    connection.execute(statement("ledger/mark_ledger"), {"account_id": account.account_id})
    return account


def hold_account(connection: Connection, account_id: str) -> None:
    """Has whoever else changes the account wait until the caller's transaction ends.

    What is read from then on is still so when it is changed. Cycles do not wait.
    """
    connection.execute(statement("accounts/hold_account"), {"account_id": account_id})


def update_account(connection: Connection, account: Account) -> Account:
    """Replaces all that is stored of an account, except what other functions here keep.

    Another login URL gives credentials that were refused a new chance.

    Raises:
        AccountError: there is no such account, or its login URL is not acceptable.
    """
    account = _checked(account)
    before = _stored(connection, account.account_id)
    connection.execute(statement("accounts/update_account"), _columns(account))
    if before.login_url != account.login_url:
        connection.execute(statement("accounts/clear_refused"), {"account_id": account.account_id})
    return account


def update_settings(
    connection: Connection, account_id: str, changes: Mapping[str, object]
) -> Account:
    """Changes some of an account's settings; None takes a setting back to its default.

    Raises:
        AccountError: there is no such account or setting, or a value is impossible.
    """
    hold_account(connection, account_id)
    values = {**_stored(connection, account_id).settings, **changes}
    chosen = {name: value for name, value in values.items() if value is not None}
    settings = AccountSettings.parse(account_id, chosen)
    connection.execute(
        statement("accounts/set_settings"),
        {"account_id": account_id, "settings": settings.model_dump_json(exclude_unset=True)},
    )
    return get_account(connection, account_id)


def get_account(connection: Connection, account_id: str) -> Account:
    """The account of this id.

    Raises:
        AccountError: there is none, or its stored settings are impossible.
    """
    row = _stored(connection, account_id)
    return Account(
        account_id=row.account_id,
        client_id=row.client_id,
        name=row.name,
        login_url=row.login_url,
        enabled=row.enabled,
        settings=AccountSettings.parse(account_id, row.settings),
        draft=row.draft,
    )


def list_accounts(connection: Connection) -> list[AccountOverview]:
    """All accounts by id, disabled ones too; one with impossible settings stops nobody here."""
    rows = connection.execute(statement("accounts/list_accounts")).mappings()
    return [AccountOverview(**row) for row in rows]


def enable_account(connection: Connection, account_id: str) -> None:
    """Lets cycles run for the account again.

    Raises:
        AccountError: there is no such account, or it is a draft.
    """
    if _stored(connection, account_id).draft:
        raise AccountError(
            f"Account {account_id} is a draft; `crm-pipeline account activate {account_id}` lets "
            "its cycles begin."
        )
    _set_enabled(connection, account_id, enabled=True)


def activate_account(connection: Connection, account_id: str) -> None:
    """Lets the cycles of a draft begin.

    Raises:
        AccountError: there is no such account, or it is no draft.
    """
    hold_account(connection, account_id)
    account = _stored(connection, account_id)
    key = {"account_id": account_id}
    if connection.scalar(statement("accounts/activate"), key) is None:
        if account.enabled:
            raise AccountError(f"Account {account_id} is active already.")
        raise AccountError(
            f"Account {account_id} is no draft but disabled; `crm-pipeline account enable "
            f"{account_id}` lets its cycles run."
        )


def disable_account(connection: Connection, account_id: str) -> None:
    """Starts no further cycle for the account; what it has in the ledger stays.

    Raises:
        AccountError: there is no such account.
    """
    _set_enabled(connection, account_id, enabled=False)


def filter_strings(connection: Connection, account_id: str) -> list[str]:
    """The account's filter strings, in order.

    Raises:
        AccountError: one of them would reject everybody or nobody; cycles must not go on then.
    """
    rows = connection.scalars(statement("accounts/list_filters"), {"account_id": account_id})
    return [check_filter(account_id, row) for row in rows]


def add_filter(connection: Connection, account_id: str, filter_string: str) -> None:
    """Adds a filter string, without the blanks around it; twice is as once.

    Raises:
        AccountError: there is no such account, or the string is not acceptable.
    """
    _stored(connection, account_id)
    connection.execute(
        statement("accounts/add_filter"),
        {
            "account_id": account_id,
            "filter_string": check_filter(account_id, filter_string).strip(),
        },
    )
    touch_account(connection, account_id)


def remove_filter(connection: Connection, account_id: str, filter_string: str) -> None:
    """Removes a filter string, written as it is stored.

    Raises:
        AccountError: the account has no such filter string.
    """
    removed = connection.scalar(
        statement("accounts/remove_filter"),
        {"account_id": account_id, "filter_string": filter_string},
    )
    if removed is None:
        raise AccountError(
            f"Account {account_id} has no filter {filter_string!r}; "
            f"`crm-pipeline account filter list {account_id}` shows those that it has."
        )
    touch_account(connection, account_id)


def pushed_sessions(connection: Connection, account_id: str) -> list[PushedSession]:
    """The event sessions that go to the org; none listed means that all of them go."""
    rows = connection.execute(
        statement("accounts/list_pushed_sessions"), {"account_id": account_id}
    ).mappings()
    return [PushedSession(**row) for row in rows]


def push_session(connection: Connection, account_id: str, event_session_id: int) -> None:
    """Lists an event session to be pushed; the first one listed stops all others.

    Raises:
        AccountError: there is no such account.
    """
    _stored(connection, account_id)
    connection.execute(
        statement("accounts/push_session"),
        {"account_id": account_id, "event_session_id": event_session_id},
    )
    touch_account(connection, account_id)


def unpush_session(
    connection: Connection, account_id: str, event_session_id: int, *, may_push_all: bool = False
) -> None:
    """Takes an event session off the list.

    The last one goes only with `may_push_all`: without any, all of the account's are pushed, with
    what they had while they were not. The caller holds the account then: a cycle that runs would
    go on from where it was.

    Raises:
        AccountError: it is not listed, or it is the last one and `may_push_all` is not set.
    """
    hold_account(connection, account_id)
    key = {"account_id": account_id, "event_session_id": event_session_id}
    if connection.scalar(statement("accounts/unpush_session"), key) is None:
        raise AccountError(f"Account {account_id} does not list session {event_session_id}.")
    if not pushed_sessions(connection, account_id):
        if not may_push_all:
            raise AccountError(
                f"Session {event_session_id} is the last that account {account_id} lists, and "
                "without any all of its sessions go to Salesforce: disable the account, or say "
                "--push-all."
            )
        read_from_the_start(connection, account_id)
    touch_account(connection, account_id)


def read_from_the_start(connection: Connection, account_id: str) -> None:
    """Has the next cycle read all rows of the account's client; what says the same costs nothing.

    The caller holds the account: a cycle that runs would go on from where it was.
    """
    connection.execute(statement("accounts/read_from_the_start"), {"account_id": account_id})


def describe_again(connection: Connection, account_id: str) -> None:
    """Has the next cycle describe the org's objects: somebody may have mended rights or fields.

    What a cycle described is good for a day otherwise. Does not commit.
    """
    connection.execute(statement("accounts/describe_again"), {"account_id": account_id})


def field_mappings(connection: Connection, account_id: str) -> list[FieldMapping]:
    """The account's overrides of the default mapping, by object and field."""
    rows = connection.execute(statement("accounts/list_field_mappings"), {"account_id": account_id})
    return [
        FieldMapping(
            row.sobject,
            row.field,
            row.source if row.rules is None else Template.model_validate(row.rules),
            row.constant,
        )
        for row in rows
    ]


def set_field_mapping(connection: Connection, account_id: str, mapping: FieldMapping) -> None:
    """Stores an override, in place of an earlier one of the same field.

    Raises:
        AccountError: there is no such account, the object is none that is mapped, the field's
            name is no API name or not the account's to map, or both a source and a constant are
            given.
    """
    _stored(connection, account_id)
    check_mapping(account_id, mapping)
    made = mapping.source if isinstance(mapping.source, Template) else None
    connection.execute(
        statement("accounts/set_field_mapping"),
        {
            "account_id": account_id,
            "sobject": mapping.sobject,
            "field": mapping.field,
            "source": None if made else mapping.source,
            "constant": mapping.constant,
            "template": made and str(made),
            "rules": made and made.model_dump_json(exclude_unset=True),
        },
    )
    touch_account(connection, account_id)


def check_mapping(account_id: str, mapping: FieldMapping) -> None:
    """Refuses an override that can never be.

    Raises:
        AccountError: the object is none that is mapped, the field's name is no API name or not the
            account's to map, or both a source and a constant are given.
    """
    if mapping.sobject not in DECIDED_FIELDS:
        likely = near(mapping.sobject, DECIDED_FIELDS, 1)
        meant = f"; did you mean {likely[0]}?" if likely else f": {', '.join(DECIDED_FIELDS)} are."
        raise AccountError(f"Account {account_id}: {mapping.sobject!r} is not mapped{meant}")
    if not _API_NAME.fullmatch(mapping.field):
        raise AccountError(
            f"Account {account_id}: {mapping.field!r} is not an API name of Salesforce, such as "
            "Region__c."
        )
    if mapping.field.lower() in {name.lower() for name in DECIDED_FIELDS[mapping.sobject]}:
        raise AccountError(
            f"Account {account_id}: {mapping.sobject}.{mapping.field} is not to be mapped: "
            "records are found by it, or the pipeline decides it."
        )
    if mapping.source is not None and mapping.constant is not None:
        raise AccountError(
            f"Account {account_id}: {mapping.sobject}.{mapping.field} takes a source column or a "
            "constant, not both."
        )


def remove_field_mapping(connection: Connection, account_id: str, sobject: str, field: str) -> None:
    """Takes an override away, so that the default mapping of the field holds again.

    Raises:
        AccountError: the account does not override this field.
    """
    removed = connection.scalar(
        statement("accounts/remove_field_mapping"),
        {"account_id": account_id, "sobject": sobject, "field": field},
    )
    if removed is None:
        raise AccountError(f"Account {account_id} does not override {sobject}.{field}.")
    touch_account(connection, account_id)


def misfits(connection: Connection, account_id: str) -> dict[str, Why]:
    """The mapped fields, as `Lead.Region__c`, that the org does not take as mapped, with why.

    As far as is known: an object that was never looked at tells nothing.
    """
    schemas = schemas_seen(connection, account_id)
    return {
        f"{each.sobject}.{each.field}": why
        for each in field_mappings(connection, account_id)
        if each.is_filled
        and each.sobject in schemas
        and (why := each.misfit(schemas[each.sobject]))
    }


def schemas_seen(connection: Connection, account_id: str) -> dict[str, SObjectSchema]:
    """The objects of an account's org, as they were seen last, by name."""
    rows = connection.execute(statement("accounts/schemas_seen"), {"account_id": account_id})
    return {row.sobject: SObjectSchema.from_json(row.schema) for row in rows}


@dataclass(frozen=True, slots=True)
class AccountChange:
    """A choice of an account that somebody changed, at a time (UTC).

    `was` and `became` are None where there was or is none; credentials and keys are only said to be
    there.
    """

    changed_at: datetime
    changed_by: str
    choice: str
    was: str | None
    became: str | None


def account_changes(connection: Connection, account_id: str, limit: int) -> list[AccountChange]:
    """The last changes of an account's choices, newest first."""
    which = {"account_id": account_id, "limit": limit}
    return objects(connection.execute(statement("accounts/changes"), which), AccountChange)


def remove_account(connection: Connection, account_id: str) -> None:
    """Deletes an account with all that is kept of it, but for tombstones and where its client went.

    Operations by the million take minutes. Does not commit; the caller holds the account's lock.
    """
    connection.execute(statement("accounts/remove_account"), {"account_id": account_id})


def touch_account(connection: Connection, account_id: str) -> None:
    """Lets the planner see that something of the account has changed."""
    connection.execute(statement("accounts/touch_account"), {"account_id": account_id})


def _stored(connection: Connection, account_id: str) -> Row[Any]:
    """The account's row as it is, its settings unread: they may be what is to be repaired."""
    row = connection.execute(
        statement("accounts/get_account"), {"account_id": account_id}
    ).one_or_none()
    if row is None:
        raise _unknown(connection, account_id)
    return row


def _unknown(connection: Connection, account_id: str) -> AccountError:
    likely = near(account_id, [each.account_id for each in list_accounts(connection)])
    meant = (
        f"did you mean {' or '.join(likely)}?"
        if likely
        else "`crm-pipeline account list` shows those that exist."
    )
    return UnknownAccountError(f"There is no account {account_id!r}; {meant}")


def _checked(account: Account) -> Account:
    account_id = checked_account_id(account.account_id)
    for what, text in (("client id", account.client_id), ("name", account.name)):
        if not text.strip():
            raise AccountError(f"Account {account_id}: the {what} must not be empty.")
    return replace(account, login_url=checked_login_url(account_id, account.login_url))


def _columns(account: Account) -> dict[str, object]:
    return {
        "account_id": account.account_id,
        "client_id": account.client_id,
        "name": account.name,
        "login_url": account.login_url,
        "enabled": account.enabled,
        "draft": account.draft,
        "settings": account.settings.model_dump_json(exclude_unset=True),
    }


def _set_enabled(connection: Connection, account_id: str, *, enabled: bool) -> None:
    changed = connection.scalar(
        statement("accounts/set_enabled"), {"account_id": account_id, "enabled": enabled}
    )
    if changed is None:
        raise _unknown(connection, account_id)


def check_filter(account_id: str, filter_string: str) -> str:
    """Returns a filter string, as it is written.

    Raises:
        AccountError: it would reject everybody or nobody.
    """
    wanted = filter_string.strip()
    if not wanted or wanted == "@":
        raise AccountError(
            f"Account {account_id}: filter {filter_string!r} would reject every address; "
            "give a part of the addresses to leave out, such as @example.com."
        )
    if len(wanted) > _LONGEST_EMAIL or not wanted.isprintable() or " " in wanted:
        raise AccountError(
            f"Account {account_id}: filter {wanted[:40]!r} is in no email address (blanks, "
            f"control characters or more than {_LONGEST_EMAIL} characters); write each one apart."
        )
    return filter_string
