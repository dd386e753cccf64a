"""Writers of an object's records: which fields, how they are read, what follows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crm_pipeline.local_org.behaviours import (
    AFTER_SAVE,
    BEFORE_SAVE,
    Behaviour,
    name_after_id,
    publish_at_once,
)
from crm_pipeline.local_org.insert_defaults import Default, insert_defaults, numbered
from crm_pipeline.local_org.per_org import PerOrg
from crm_pipeline.local_org.rules import RULES, Check
from crm_pipeline.local_org.schema import Field, Row, SObjectType
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table
from crm_pipeline.local_org.values import ValueReader, reader


@dataclass(slots=True)
class WritableColumn:
    """A field as it is written: its reader, and whether one may write it."""

    name: str
    read: ValueReader
    createable: bool
    updateable: bool
    repeatable: bool = False
    """True if an update may say the value that the record has, though it may not change it."""


@dataclass(slots=True)
class Writer:
    """A writer of one table's records, worked out once per object and org."""

    table: Table
    hidden: Mapping[str, frozenset[str]]
    """The org's hidden fields at that time."""
    columns: dict[str, WritableColumn]
    defaults: Row
    required: list[str]
    never_null: list[str]
    unique: list[Field]
    insert_defaults: dict[str, Default]
    before: Behaviour | None
    after: Behaviour | None
    checks: list[Check]
    """The rules of the org's administrators."""
    spellings: dict[str, WritableColumn] = field(default_factory=dict)
    """Columns under every spelling that a client has used."""

    def column(self, key: str) -> WritableColumn | None:
        """The column of a field name in any case, or None."""
        found = self.columns.get(key.lower())
        if found is not None:
            self.spellings[key] = found
        return found


_WRITERS: PerOrg[dict[tuple[str, bool], Writer]] = PerOrg(dict)


def writer_of(org: Org, table: Table, *, sees_all: bool) -> Writer:
    """Returns the table's writer; a change of field security makes another.

    It knows every field if it `sees_all`, else those that the users of the API see.
    """
    of = table.type
    writer = _WRITERS[org].get((of.name, sees_all))
    if writer is None or writer.hidden is not org.hidden_fields:
        fields = of.fields.values()
        visible = list(fields) if sees_all else org.visible_fields(of)
        columns = {
            each.name.lower(): WritableColumn(
                each.name,
                reader(each, org.tables),
                each.createable,
                each.updateable,
                repeatable=each.is_master_detail and org.config.unchanged_master == "taken",
            )
            for each in visible
        }
        writer = _WRITERS[org][of.name, sees_all] = Writer(
            table=table,
            hidden=org.hidden_fields,
            columns=columns,
            defaults={
                each.name: each.default_value
                for each in fields
                if each.default_value is not None and each.name not in of.computed
            },
            required=[each.name for each in fields if each.required],
            never_null=[each.name for each in visible if not each.nillable],
            unique=[each for each in fields if each.unique],
            insert_defaults=insert_defaults(org, table),
            before=BEFORE_SAVE.get(of.name, _naming(of)),
            after=publish_at_once if of.publish == "immediately" else AFTER_SAVE.get(of.name),
            checks=RULES[org][of.name],
        )
    return writer


def _naming(of: SObjectType) -> Behaviour | None:
    if of.publish is not None:
        return None
    if of.auto_number is not None:
        return numbered(of.auto_number)
    return name_after_id if of.describe["custom"] else None
