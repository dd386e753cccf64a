"""Create, update, upsert and delete one record, as REST, collections and Bulk all do it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crm_pipeline.local_org import event_bus, recycle_bin
from crm_pipeline.local_org.behaviours import AFTER_DELETE, duplicate_value
from crm_pipeline.local_org.errors import RowError, RowFailure, SalesforceError, refuse
from crm_pipeline.local_org.external_ids import only_match, parent_by_external_id, value_of
from crm_pipeline.local_org.ids import IdCounter, long_id
from crm_pipeline.local_org.schema import Field, Row
from crm_pipeline.local_org.sharing import is_hidden, no_access
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table
from crm_pipeline.local_org.transaction import WriteContext
from crm_pipeline.local_org.values import NotDeserialized, existing
from crm_pipeline.local_org.writers import WritableColumn, Writer, writer_of

_ID_IN_INSERT = RowError(
    "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ("Id",)
)


@dataclass(slots=True)
class SaveResult:
    """The result of saving one record. Without success there is no id."""

    id: str | None
    success: bool
    created: bool
    errors: tuple[RowError, ...] = ()


def failed(*errors: RowError, created: bool = False) -> SaveResult:
    """The result of a record that was refused."""
    return SaveResult(None, success=False, created=created, errors=errors)


def saved_id(result: SaveResult) -> str:
    """The id of a record that was saved. Raises its errors as those of a whole request."""
    if result.id is None:
        raise RowFailure(*result.errors)
    return result.id


def _attempt(context: WriteContext, save: Callable[[], str], *, created: bool) -> SaveResult:
    savepoint = context.savepoint()
    try:
        return SaveResult(save(), success=True, created=created)
    except RowFailure as failure:
        context.rollback(savepoint)
        return failed(*failure.errors, created=created)


def create(org: Org, context: WriteContext, sobject: str, fields: Mapping[str, Any]) -> SaveResult:
    """Creates a record from API names (any case) to values.

    Raises:
        KeyError: there is no such object.
        SalesforceError: the request as a whole is at fault (unknown field, value that is not of
            the field's type); with `context.from_csv` these fail the row alone.
    """
    writer = writer_of(org, org.table(sobject), sees_all=context.sees_all)
    result = _attempt(context, lambda: _insert(writer, context, fields), created=True)
    return result if writer.table.type.publish is None else _enqueued(org, writer.table, result)


def _enqueued(org: Org, table: Table, result: SaveResult) -> SaveResult:
    """Returns a publisher's result: no id of the event, but its UUID where errors stand."""
    if result.id is None:
        return result
    uuid = RowError("OPERATION_ENQUEUED", event_bus.uuid_of(org, result.id))
    no_id = IdCounter(table.type.key_prefix, org.id[3:7]).next()
    return SaveResult(no_id, success=True, created=True, errors=(uuid,))


def update(
    org: Org, context: WriteContext, sobject: str, record_id: Any, fields: Mapping[str, Any]
) -> SaveResult:
    """Changes the given fields of a record (id of 15 or 18 characters). Raises as `create`."""
    table = org.table(sobject)
    writer = writer_of(org, table, sees_all=context.sees_all)

    def save() -> str:
        return _update(writer, context, _existing(table, record_id), fields)

    return _attempt(context, save, created=False)


def upsert(
    org: Org, context: WriteContext, sobject: str, external_field: Field, fields: Mapping[str, Any]
) -> SaveResult:
    """Creates or updates by the value that `fields` holds for an external id, id lookup or Id.

    The field comes from `upsert_field`. Raises as `create`.
    """
    name, is_id = external_field.name, external_field.type == "id"
    value = value_of(fields, name)
    rest = {key: value for key, value in fields.items() if key.lower() != name.lower()}
    writer = writer_of(org, org.table(sobject), sees_all=context.sees_all)
    try:
        row = _upsert_target(writer, context, external_field, value)
    except RowFailure as failure:
        return failed(*failure.errors)
    if row is not None:
        return _attempt(context, lambda: _update(writer, context, row, rest), created=False)
    given = rest if is_id else fields
    return _attempt(context, lambda: _insert(writer, context, given), created=True)


def change(
    context: WriteContext,
    table: Table,
    old: Row,
    changes: Row,
    operation: str = "update",
    *,
    stamped: bool = True,
) -> None:
    """Changes a record past all rules, as a merge or a conversion does: what follows, follows."""
    writer = writer_of(context.org, table, sees_all=True)
    row = {**old, **changes}
    if writer.before:
        writer.before(context, table, row, old)
    context.change(table, row, operation, stamped=stamped)
    if writer.after:
        writer.after(context, table, row, old)


def delete(
    org: Org, context: WriteContext, sobject: str, record_id: Any, *, hard: bool = False
) -> SaveResult:
    """Deletes a record with the children that cascade; lookups that do not are emptied.

    `hard` is Bulk's hardDelete: none of them stays for queryAll.
    """
    table = org.table(sobject)

    def save() -> str:
        _refuse_unless(context, table, "deletable")
        row = _existing(table, record_id)
        _refuse_if_hidden(context, row["Id"])
        context.refuse_if_locked(table, row, row)
        _delete(context, table, row)
        if hard:
            recycle_bin.erase(context, table, row["Id"])
        return str(row["Id"])

    return _attempt(context, save, created=False)


def save(
    context: WriteContext,
    operation: str,
    sobject: str,
    external_field: Field | None,
    fields: Mapping[str, Any],
) -> SaveResult:
    """Does an operation (insert, update, delete, hardDelete) with a record that carries its id.

    With `external_field` it is an upsert by that. Raises as `create`.
    """
    org = context.org
    if external_field is not None:
        return upsert(org, context, sobject, external_field, fields)
    record_id = value_of(fields, "Id")
    if operation == "insert":
        if record_id is not None:
            return failed(_ID_IN_INSERT, created=True)
        return create(org, context, sobject, fields)
    if not record_id:
        an = "an" if operation == "update" else "a"
        message = f"Id not specified in {an} {operation} call"
        return failed(RowError("MISSING_ARGUMENT", message, ("Id",)))
    if operation == "update":
        rest = {key: value for key, value in fields.items() if key.lower() != "id"}
        return update(org, context, sobject, record_id, rest)
    return delete(org, context, sobject, record_id, hard=operation == "hardDelete")


def _refuse_if_hidden(context: WriteContext, record_id: str) -> None:
    if not context.sees_all and is_hidden(context.org, record_id):
        raise no_access()


def _existing(table: Table, record_id: Any) -> Row:
    found = long_id(record_id.strip()) if isinstance(record_id, str) else None
    if found is None or not found.startswith(table.type.key_prefix):
        raise refuse(
            "MALFORMED_ID", f"{table.type.label} ID: id value of incorrect type: {record_id}", "Id"
        )
    return existing(table, found)


def _upsert_target(
    writer: Writer, context: WriteContext, external_field: Field, value: Any
) -> Row | None:
    """The record to update, or None if there is one to create."""
    name = external_field.name
    table = writer.table
    if external_field.type == "id":
        return None if value is None or value == "" else _existing(table, value)
    try:
        key = writer.columns[name.lower()].read(value)
    except NotDeserialized as unread:
        raise _unread(unread, context, 1) from None
    if key is None:
        raise refuse("MISSING_ARGUMENT", f"{name} not specified")
    found = only_match(table, external_field, key, name)
    return table.rows[found] if found else None


def _refuse_unless(context: WriteContext, table: Table, allowed: str) -> None:
    if not context.sees_all and not table.type.describe[allowed]:
        raise no_access()


def _insert(writer: Writer, context: WriteContext, fields: Mapping[str, Any]) -> str:
    _refuse_unless(context, writer.table, "createable")
    row = writer.defaults.copy()
    errors = _read_into(row, writer, context, fields, creating=True)
    refused = _named(writer, fields) if errors else ()
    _refuse_if_missing(
        [name for name in writer.required if row.get(name) is None and name.lower() not in refused]
    )
    return _save(writer, context, row, None, errors)


def _named(writer: Writer, fields: Mapping[str, Any]) -> set[str]:
    """The fields, in lower case, that a record gives a value, be it by their relationship."""
    keys = [key.lower() for key, value in fields.items() if value is not None]
    relationships = writer.table.type.relationships
    lookups = [relationships.get(key.partition(".")[0].rpartition(":")[2]) for key in keys]
    return {*keys, *(each.name.lower() for each in lookups if each)}


def _update(writer: Writer, context: WriteContext, old: Row, fields: Mapping[str, Any]) -> str:
    _refuse_if_hidden(context, old["Id"])
    _refuse_unless(context, writer.table, "updateable")
    row = old.copy()
    errors = _read_into(row, writer, context, fields, creating=False)
    _refuse_if_missing(
        [name for name in writer.never_null if row.get(name) is None and old.get(name) is not None]
    )
    return _save(writer, context, row, old, errors)


def _refuse_if_missing(names: list[str]) -> None:
    if names:
        message = f"Required fields are missing: [{', '.join(names)}]"
        raise refuse("REQUIRED_FIELD_MISSING", message, *names)


def _save(
    writer: Writer, context: WriteContext, row: Row, old: Row | None, errors: list[RowError]
) -> str:
    if errors:
        raise RowFailure(*errors)
    table = writer.table
    context.refuse_if_locked(table, row, old)
    if writer.before:
        writer.before(context, table, row, old)
    if not context.seeding:
        for check in writer.checks:
            check(context, row, old)
    for each in writer.unique:
        _refuse_duplicate_value(table, each, row, old)
    if old is not None:
        context.change(table, row)
    else:
        for name, default in writer.insert_defaults.items():
            if row.get(name) is None:
                row[name] = default(context)
        context.insert(table, row)
    if writer.after:
        writer.after(context, table, row, old)
    return row["Id"]  # type: ignore[no-any-return]


def _refuse_duplicate_value(table: Table, unique: Field, row: Row, old: Row | None) -> None:
    value = row.get(unique.name)
    if value is None or (old is not None and old.get(unique.name) == value):
        return
    for other in table.lookup(unique.name, value):
        if other != row.get("Id") and table.live(other):
            raise duplicate_value(unique.name, other)


def _read_into(
    row: Row, writer: Writer, context: WriteContext, fields: Mapping[str, Any], *, creating: bool
) -> list[RowError]:
    """Puts the values into the row; returns what is wrong with them."""
    errors: list[RowError] = []
    forbidden: list[str] = []
    spellings = writer.spellings
    for position, (key, value) in enumerate(fields.items(), 1):
        if key == "attributes":
            continue
        column = spellings.get(key) or writer.column(key)
        try:
            target = column or _reference(writer, context, key)
            if (target.createable if creating else target.updateable) or context.seeding:
                row[target.name] = (
                    column.read(value) if column else _parent(writer, context, target, key, value)
                )
            elif target.repeatable and not creating:
                read = (
                    column.read(value) if column else _parent(writer, context, target, key, value)
                )
                if read != row.get(target.name):
                    forbidden.append(target.name)
            elif value is not None or target.name != "Id":
                forbidden.append(target.name)
        except RowFailure as failure:
            errors.extend(failure.errors)
        except NotDeserialized as unread:
            errors.extend(_unread(unread, context, position).errors)
    if forbidden:
        message = (
            f"Unable to create/update fields: {', '.join(forbidden)}. Please check the security "
            "settings of this field and verify that it is read/write for your profile or "
            "permission set."
        )
        errors.insert(0, RowError("INVALID_FIELD_FOR_INSERT_UPDATE", message, tuple(forbidden)))
    return errors


def _unread(unread: NotDeserialized, context: WriteContext, position: int) -> RowFailure:
    """The row's failure in CSV; in JSON the whole request fails."""
    if not context.from_csv:
        raise SalesforceError(400, "JSON_PARSER_ERROR", unread.json_message)
    kind = unread.field.describe["soapType"]
    return refuse(
        "INVALID_FIELD",
        f"Failed to deserialize field at col {position}. Due to, '{unread.value}' is not a valid "
        f"value for the type {kind}",
        unread.field.name,
    )


def _reference(writer: Writer, context: WriteContext, key: str) -> WritableColumn:
    """The lookup that is written through its relationship: `Account`, `Who` in `Lead:Who.Email`."""
    relationship = key.partition(".")[0].rpartition(":")[2]
    lookup = writer.table.type.relationships.get(relationship.lower())
    column = writer.column(lookup.name) if lookup else None
    if column is None:
        message = f"No such column '{key}' on sobject of type {writer.table.type.name}"
        if context.from_csv:
            raise refuse("INVALID_FIELD", message, key)
        raise SalesforceError(400, "INVALID_FIELD", message)
    return column


def _parent(
    writer: Writer, context: WriteContext, column: WritableColumn, key: str, value: Any
) -> str | None:
    """The id that `"Account": {"Ext__c": "v"}` names, in CSV `Account.Ext__c`."""
    lookup = writer.table.type.fields[column.name.lower()]
    path, _, csv_field = key.partition(".")
    given_type = path.rpartition(":")[0]
    if csv_field:
        value = {csv_field: value}
    if value is None:
        return None
    if not isinstance(value, dict):
        raise NotDeserialized(lookup, value)
    attributes = value.get("attributes")
    if isinstance(attributes, dict) and isinstance(attributes.get("type"), str):
        given_type = attributes["type"]
    pairs = [(k, v) for k, v in value.items() if k.lower() != "attributes"]
    if len(pairs) > 1:
        entity = given_type or lookup.reference_to[0]
        text = (
            f"More than 1 field provided in an external foreign key reference in entity: {entity}"
        )
        raise refuse("INVALID_FIELD", text)
    if not pairs:
        raise refuse("INVALID_FIELD", "One external ID must be specified for the relationship")
    if isinstance(pairs[0][1], dict | list):
        raise NotDeserialized(lookup, pairs[0][1])
    return parent_by_external_id(
        context.org, lookup, given_type, *pairs[0], sees_all=context.sees_all
    )


def _delete(context: WriteContext, table: Table, row: Row, root_id: str | None = None) -> None:
    record_id = row["Id"]
    root_id = root_id or str(record_id)
    emptied_at: list[str] = []
    context.change(table, recycle_bin.deleted(row, root_id, emptied_at), "delete")
    if table.type.name in AFTER_DELETE:
        AFTER_DELETE[table.type.name](context, table, row)
    for child, lookup in table.type.children:
        children = context.org.table(child.name)
        for child_row in children.children_of(lookup.name, record_id):
            if lookup.child_cascade_delete:
                _delete(context, children, child_row, root_id)
            elif lookup.restricted_delete:
                raise refuse(
                    "DELETE_FAILED",
                    f"Your attempt to delete {row.get('Name') or record_id} could not be completed "
                    f"because it is associated with the following {child.label_plural}: "
                    f"{child_row.get('Name') or child_row['Id']}",
                )
            elif not lookup.name.startswith("Converted"):
                context.change(children, recycle_bin.emptied(child_row, lookup.name), "cascade")
                emptied_at.append(child_row["Id"])
