"""Create, update, upsert and delete one record, as REST, collections and Bulk all do it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crm_pipeline.local_org import recycle_bin
from crm_pipeline.local_org.behaviours import (
    AFTER_SAVE,
    BEFORE_SAVE,
    Behaviour,
    duplicate_value,
    name_after_id,
)
from crm_pipeline.local_org.errors import RowError, RowFailure, SalesforceError, refuse
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.per_org import PerOrg
from crm_pipeline.local_org.rules import RULES, Check
from crm_pipeline.local_org.schema import Field, Row
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table
from crm_pipeline.local_org.transaction import WriteContext
from crm_pipeline.local_org.values import NotDeserialized, Reader, existing, reader

_ID_IN_INSERT = RowError(
    "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ("Id",)
)


@dataclass(slots=True)
class SaveResult:
    """What became of one record. Without success there is no id."""

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


@dataclass(slots=True)
class Column:
    """A field as it is written: its reader, and whether one may write it."""

    name: str
    read: Reader
    createable: bool
    updateable: bool


@dataclass(slots=True)
class Writer:
    """How the records of one table are written, worked out once per object and org."""

    table: Table
    hidden: Mapping[str, frozenset[str]]
    """The org's hidden fields at that time."""
    columns: dict[str, Column]
    defaults: Row
    required: list[str]
    never_null: list[str]
    unique: list[Field]
    before: Behaviour | None
    after: Behaviour | None
    checks: list[Check]
    """The rules of the org's administrators."""
    spellings: dict[str, Column] = field(default_factory=dict)
    """Columns under every spelling that a client has used."""

    def column(self, key: str) -> Column | None:
        """The column of a field name in any case, or None."""
        found = self.columns.get(key.lower())
        if found is not None:
            self.spellings[key] = found
        return found


_WRITERS: PerOrg[dict[str, Writer]] = PerOrg(dict)


def writer_of(org: Org, table: Table) -> Writer:
    """Returns the table's writer; a change of field security makes another."""
    of = table.type
    writer = _WRITERS[org].get(of.name)
    if writer is None or writer.hidden is not org.hidden_fields:
        fields, visible = of.fields.values(), org.visible_fields(of)
        columns = {
            each.name.lower(): Column(
                each.name, reader(each, org.tables), each.createable, each.updateable
            )
            for each in visible
        }
        writer = _WRITERS[org][of.name] = Writer(
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
            before=BEFORE_SAVE.get(of.name, name_after_id if of.describe["custom"] else None),
            after=AFTER_SAVE.get(of.name),
            checks=RULES[org][of.name],
        )
    return writer


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
    writer = writer_of(org, org.table(sobject))
    return _attempt(context, lambda: _insert(writer, context, fields), created=True)


def update(
    org: Org, context: WriteContext, sobject: str, record_id: Any, fields: Mapping[str, Any]
) -> SaveResult:
    """Changes the given fields of a record (id of 15 or 18 characters). Raises as `create`."""
    table = org.table(sobject)
    writer = writer_of(org, table)

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
    value = next((value for key, value in fields.items() if key.lower() == name.lower()), None)
    rest = {key: value for key, value in fields.items() if key.lower() != name.lower()}
    writer = writer_of(org, org.table(sobject))
    try:
        row = _upsert_target(writer, context, external_field, value)
    except RowFailure as failure:
        return failed(*failure.errors)
    if row is not None:
        return _attempt(context, lambda: _update(writer, context, row, rest), created=False)
    given = rest if is_id else fields
    return _attempt(context, lambda: _insert(writer, context, given), created=True)


def delete(
    org: Org, context: WriteContext, sobject: str, record_id: Any, *, hard: bool = False
) -> SaveResult:
    """Deletes a record with the children that cascade; lookups that do not are emptied.

    `hard` is Bulk's hardDelete: none of them stays for queryAll.
    """
    table = org.table(sobject)

    def save() -> str:
        _refuse_unless(table, "deletable")
        row = _existing(table, record_id)
        context.refuse_if_locked(table, row)
        _delete(context, table, row)
        if hard:
            recycle_bin.erase(context, table, row["Id"])
        return str(row["Id"])

    return _attempt(context, save, created=False)


def id_in(fields: Mapping[str, Any]) -> Any:
    """The id that a record carries among its fields, or None."""
    if "id" in fields:
        return fields["id"]
    return next((fields[key] for key in fields if len(key) == 2 and key.lower() == "id"), None)


def apply(
    org: Org, context: WriteContext, operation: str, sobject: str, fields: Mapping[str, Any]
) -> SaveResult:
    """Does an operation (insert, update, delete, hardDelete) with a record that carries its id.

    Raises as `create`.
    """
    record_id = id_in(fields)
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


def upsert_field(org: Org, table: Table, name: str) -> Field:
    """The field to upsert by. Raises NOT_FOUND (404) unless it is an external id or id lookup."""
    found = org.visible(table.type, name)
    if found is None or not (found.external_id or found.id_lookup):
        raise no_external_id(name)
    return found


def no_external_id(name: str) -> SalesforceError:
    """The answer to a path that names neither a record nor a field to find one by."""
    message = f"Provided external ID field does not exist or is not accessible: {name}"
    return SalesforceError(404, "NOT_FOUND", message)


def matches(table: Table, external_field: Field, value: Any) -> list[str]:
    """Ids of the records, not deleted, that hold this external id."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        value = value.strip()
    elif external_field.is_text:
        value = str(value)
    if external_field.is_number and isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return []
    return [each for each in table.lookup(external_field.name, value) if table.live(each)]


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
    seen = (name, key.lower() if isinstance(key, str) else key)
    if seen in context.external_ids:
        raise refuse("DUPLICATE_VALUE", f"Duplicate external id specified: {value}", name)
    context.external_ids.add(seen)
    found = _only_match(table, external_field, key, name)
    return table.rows[found] if found else None


def _only_match(table: Table, external_field: Field, value: Any, blamed: str) -> str | None:
    found = matches(table, external_field, value)
    if len(found) > 1:
        raise refuse(
            "DUPLICATE_EXTERNAL_ID",
            f"{external_field.name}: more than one record found for external id field: "
            f"[{', '.join(found)}]",
            blamed,
        )
    return found[0] if found else None


def _refuse_unless(table: Table, allowed: str) -> None:
    if not table.type.describe[allowed]:
        raise refuse("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")


def _insert(writer: Writer, context: WriteContext, fields: Mapping[str, Any]) -> str:
    _refuse_unless(writer.table, "createable")
    row = writer.defaults.copy()
    errors = _read_into(row, writer, context, fields, creating=True)
    refused = {key.lower() for key, value in fields.items() if value is not None} if errors else ()
    _refuse_if_missing(
        [name for name in writer.required if row.get(name) is None and name.lower() not in refused]
    )
    return _save(writer, context, row, None, errors)


def _update(writer: Writer, context: WriteContext, old: Row, fields: Mapping[str, Any]) -> str:
    _refuse_unless(writer.table, "updateable")
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
    context.refuse_if_locked(table, row)
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
        if row.get("OwnerId") is None and "ownerid" in table.type.fields:
            row["OwnerId"] = context.user_id
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
            if column is None:
                _read_relationship(row, writer, context, key, value)
            elif (column.createable if creating else column.updateable) or context.seeding:
                row[column.name] = column.read(value)
            elif value is not None or column.name != "Id":
                forbidden.append(column.name)
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


def _read_relationship(
    row: Row, writer: Writer, context: WriteContext, key: str, value: Any
) -> None:
    """Reads `"Account": {"Ext__c": "v"}`, in CSV `Account.Ext__c` or `Lead:Who.Email`."""
    path, _, csv_field = key.partition(".")
    given_type, _, relationship = path.rpartition(":")
    lookup = writer.table.type.relationships.get(relationship.lower())
    column = writer.column(lookup.name) if lookup else None
    if lookup is None or column is None:
        message = f"No such column '{key}' on sobject of type {writer.table.type.name}"
        if context.from_csv:
            raise refuse("INVALID_FIELD", message, key)
        raise SalesforceError(400, "INVALID_FIELD", message)
    if csv_field:
        value = {csv_field: value}
    if value is None:
        row[lookup.name] = None
        return
    if not isinstance(value, dict):
        raise NotDeserialized(lookup, value)
    attributes = value.get("attributes")
    if isinstance(attributes, dict) and isinstance(attributes.get("type"), str):
        given_type = attributes["type"]
    pairs = [(k, v) for k, v in value.items() if k.lower() != "attributes"]
    if len(pairs) != 1:
        raise refuse("INVALID_FIELD", "One external ID must be specified for the relationship")
    if isinstance(pairs[0][1], dict | list):
        raise NotDeserialized(lookup, pairs[0][1])
    row[lookup.name] = _parent_by_external_id(context.org, lookup, given_type, *pairs[0])


def _parent_by_external_id(
    org: Org, lookup: Field, given_type: str, name: str, value: Any
) -> str | None:
    if value is None or value == "":
        return None
    candidates = [given_type] if given_type else list(lookup.reference_to)
    for candidate in candidates:
        table = org.tables.get(candidate.lower())
        field_ = org.visible(table.type, name) if table else None
        if table is None or field_ is None:
            continue
        if not (field_.external_id or field_.id_lookup):
            raise refuse(
                "INVALID_FIELD",
                f"{name} is not an External ID or indexed field for {table.type.name}",
            )
        if found := _only_match(table, field_, value, lookup.name):
            return found
    raise refuse(
        "INVALID_FIELD",
        f"Foreign key external ID: {value} not found for field {name} in entity {candidates[0]}",
        lookup.name,
    )


def _delete(context: WriteContext, table: Table, row: Row, root_id: str | None = None) -> None:
    record_id = row["Id"]
    root_id = root_id or str(record_id)
    context.change(table, recycle_bin.deleted(row, root_id), "delete")
    for child, lookup in table.type.children:
        children = context.org.table(child.name)
        for child_row in children.children_of(lookup.name, record_id):
            if lookup.child_cascade_delete:
                _delete(context, children, child_row, root_id)
            elif not lookup.name.startswith("Converted"):
                context.change(children, recycle_bin.emptied(child_row, lookup.name), "cascade")
