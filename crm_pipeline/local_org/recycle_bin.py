"""The recycle bin: deleted records and those deleted with them, undeleted or gone for good.

Three keys of a row are no fields, and only this file and the journal see them: with which record it
was deleted, which of its lookups were emptied because their record was, and, of the record, whose.
"""

from collections.abc import Iterator, Mapping

from crm_pipeline.local_org.behaviours import BEFORE_UNDELETE
from crm_pipeline.local_org.errors import refuse
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.schema import Row
from crm_pipeline.local_org.sharing import no_access
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table
from crm_pipeline.local_org.transaction import WriteContext

_DELETED_WITH = "-deleted with"
_EMPTIED = "-emptied"
_EMPTIED_AT = "-emptied at"


def deleted(row: Row, root_id: str, emptied_at: list[str]) -> Row:
    """The row as it lies in the bin; `root_id` is the record whose deletion took it along.

    `emptied_at` are the records of which a lookup led to it, to be filled in before the commit.
    """
    return {**row, "IsDeleted": True, _DELETED_WITH: root_id, _EMPTIED_AT: emptied_at}


def emptied(row: Row, lookup: str) -> Row:
    """The row of which a lookup loses its record, and remembers it."""
    return {**row, lookup: None, _EMPTIED: {**row.get(_EMPTIED, {}), lookup: row[lookup]}}


def with_new_ids(row: Row, new_ids: Mapping[str, str]) -> Row:
    """The row with the ids of a refreshed org in what only this file knows."""
    renamed: Row = {}
    if _DELETED_WITH in row:
        renamed[_DELETED_WITH] = new_ids.get(row[_DELETED_WITH])
        renamed[_EMPTIED_AT] = [new_ids.get(each) for each in row.get(_EMPTIED_AT, ())]
    if _EMPTIED in row:
        renamed[_EMPTIED] = {name: new_ids.get(was) for name, was in row[_EMPTIED].items()}
    return {**row, **renamed}


def undelete(context: WriteContext, table: Table, record_id: str) -> str:
    """Takes a record out of the bin, with what was deleted with it. Returns its id.

    Lookups that its deletion emptied lead to it again, unless they lead elsewhere by now. Records
    that a merge took from it stay where they are. Salesforce: undelete(). Raises `RowFailure`.
    """
    row = _in_bin(table, record_id)
    if not table.type.describe["undeletable"]:
        raise no_access()
    _restore(context, table, row)
    return str(row["Id"])


def erase(context: WriteContext, table: Table, record_id: str) -> str:
    """Removes a record from the bin, and what was deleted with it. Returns its id.

    Not even queryAll sees them any more. Raises `RowFailure`.
    """
    row = _in_bin(table, record_id)
    for child_table, child in list(_deleted_with(context.org, table, row)):
        context.erase(child_table, child["Id"])
    context.erase(table, row["Id"])
    return str(row["Id"])


def in_bin(org: Org) -> list[tuple[Table, str]]:
    """All records in the bin whose own deletion put them there."""
    return [
        (table, record_id)
        for table in org.tables.values()
        if table.deleted
        for record_id, row in table.rows.items()
        if row["IsDeleted"] and row.get(_DELETED_WITH, record_id) == record_id
    ]


def _in_bin(table: Table, record_id: str) -> Row:
    row = table.rows.get(long_id(record_id) or "")
    if row is None:
        raise refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    if not row["IsDeleted"]:
        raise refuse("UNDELETE_FAILED", "Entity is not in the recycle bin")
    return row


def _deleted_with(org: Org, table: Table, row: Row) -> Iterator[tuple[Table, Row]]:
    """The records below this one that its deletion, or that of its root, took along."""
    for child, lookup in table.type.children:
        children = org.table(child.name)
        if lookup.child_cascade_delete and children.is_indexed(lookup.name):
            for each in children.lookup(lookup.name, row["Id"]):
                found = children.rows[each]
                if found["IsDeleted"] and found.get(_DELETED_WITH) == row.get(_DELETED_WITH):
                    yield children, found
                    yield from _deleted_with(org, children, found)


def _restore(context: WriteContext, table: Table, row: Row) -> None:
    below = list(_deleted_with(context.org, table, row))
    for each_table, each in [(table, row), *below]:
        _refuse_taken_values(each_table, each)
        restored = {
            key: value for key, value in each.items() if key not in (_DELETED_WITH, _EMPTIED_AT)
        }
        restored["IsDeleted"] = False
        if "MasterRecordId" in restored:
            restored["MasterRecordId"] = None
        if each is row:
            restored |= _without_parents_gone(context.org, table, row)
        if each_table.type.name in BEFORE_UNDELETE:
            BEFORE_UNDELETE[each_table.type.name](context, each_table, restored)
        context.change(each_table, restored, "undelete")
    for each_table, each in [(table, row), *below]:
        _fill_emptied(context, each_table, each)


def _without_parents_gone(org: Org, table: Table, row: Row) -> Row:
    """Null for the lookups whose record was deleted in the meantime.

    Raises UNDELETE_FAILED if the record cannot be without it.
    """
    nulls: Row = {}
    for each in table.type.fields.values():
        parent_id = row.get(each.name) if each.is_reference else None
        parents = org.table_of_id(parent_id) if parent_id else None
        if parents is None or each.name.startswith("Converted") or parents.live(str(parent_id)):
            continue
        if not each.nillable:
            raise refuse("UNDELETE_FAILED", "The record's parent is deleted: restore it first")
        nulls[each.name] = None
    return nulls


def _refuse_taken_values(table: Table, row: Row) -> None:
    for each in table.type.fields.values():
        if each.unique and row.get(each.name) is not None:
            for other in table.lookup(each.name, row[each.name]):
                if table.live(other):
                    text = f"duplicate value found: {each.name} duplicates value on record with id"
                    raise refuse("DUPLICATE_VALUE", f"{text}: {other[:15]}", each.name)


def _fill_emptied(context: WriteContext, table: Table, gone: Row) -> None:
    for child, lookup in table.type.children:
        children = context.org.table(child.name)
        for record_id in gone.get(_EMPTIED_AT, ()):
            row = children.live(record_id) if record_id else None
            was = row.get(_EMPTIED, {}).get(lookup.name) if row else None
            if row and was == gone["Id"] and row.get(lookup.name) is None:
                context.change(children, {**row, lookup.name: was}, "cascade")
