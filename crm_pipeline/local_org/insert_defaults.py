"""Defaults of a new record: owner, currency, record type, number."""

import re
from collections.abc import Callable
from typing import Any

from crm_pipeline.local_org.behaviours import Behaviour
from crm_pipeline.local_org.currencies import currency_of
from crm_pipeline.local_org.schema import Row
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table
from crm_pipeline.local_org.transaction import WriteContext

Default = Callable[[WriteContext], Any]


def insert_defaults(org: Org, table: Table) -> dict[str, Default]:
    """The defaults that depend on who creates the record, and when; by API name."""
    fields, defaults = table.type.fields, dict[str, Default]()
    if "ownerid" in fields:
        defaults["OwnerId"] = lambda context: context.user_id
    if "currencyisocode" in fields:
        defaults["CurrencyIsoCode"] = lambda context: currency_of(org, context.user_id)
    if "recordtypeid" in fields:
        defaults["RecordTypeId"] = lambda _context: default_record_type(org, table.type.name)
    return defaults


def default_record_type(org: Org, sobject: str) -> str | None:
    """The id of the first active record type of an object, or None."""
    found = (
        row["Id"]
        for row in org.table("RecordType").rows.values()
        if row["SobjectType"] == sobject and row["IsActive"]
    )
    return next(found, None)


def numbered(pattern: str) -> Behaviour:
    """Names new records by a number that grows: `T-{0000}`."""
    digits = re.compile(r"\{(0+)\}")

    def number(_context: WriteContext, table: Table, row: Row, _old: Row | None) -> None:
        if row.get("Name") is None:
            fresh = table.ids.next()
            row["Id"] = row.get("Id") or fresh
            count = table.ids.last
            row["Name"] = digits.sub(lambda found: str(count).zfill(len(found[1])), pattern)

    return number
