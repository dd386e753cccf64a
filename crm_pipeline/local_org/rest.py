"""REST: versions, describe, and one record at a time."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from crm_pipeline.local_org import dml
from crm_pipeline.local_org.describe import describe, describe_briefly, describe_global
from crm_pipeline.local_org.dml import SaveResult
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.routing import (
    FIRST_VERSION,
    LAST_VERSION,
    Answer,
    Call,
    Route,
    json_object,
    not_found,
    path_of,
)
from crm_pipeline.local_org.schema import Field, Row
from crm_pipeline.local_org.store import Org, Table, timestamp
from crm_pipeline.local_org.values import stored_datetime
from crm_pipeline.local_org.writing import writing

_SEASONS = ("Spring", "Summer", "Winter")


def versions(_org: Org, _call: Call) -> Answer:
    """`GET /services/data`: the API versions, ascending, without a login."""
    return Answer(
        body=[
            {
                "label": _release(number),
                "url": f"/services/data/v{number}.0",
                "version": f"{number}.0",
            }
            for number in range(FIRST_VERSION, LAST_VERSION + 1)
        ]
    )


def _release(number: int) -> str:
    # v58 is Summer '23; three releases a year, Winter being named after the next.
    years, season = divmod(number - 57, 3)
    return f"{_SEASONS[season]} '{23 + years + (season == 2)}"


def resources(_org: Org, call: Call) -> Answer:
    """`GET /services/data/vXX.0`: what there is below."""
    names = ("composite", "jobs", "limits", "query", "queryAll", "sobjects")
    return Answer(body={name: path_of(call, name) for name in names})


def list_objects(org: Org, call: Call) -> Answer:
    """`GET /sobjects`."""
    return Answer(body=describe_global(org, call.version))


def object_info(org: Org, call: Call) -> Answer:
    """`GET /sobjects/X`: the object without its fields."""
    table = table_named(org, call.params["sobject"])
    brief = describe_briefly(table.type, call.version)
    return Answer(body={"objectDescribe": brief, "recentItems": []})


def describe_object(org: Org, call: Call) -> Answer:
    """`GET /sobjects/X/describe`."""
    table = table_named(org, call.params["sobject"])
    return Answer(body=describe(org, table.type, call.version, call.base_url))


def table_named(org: Org, name: str) -> Table:
    """The table of an object in the path. Raises NOT_FOUND."""
    try:
        return org.table(name)
    except KeyError:
        raise not_found() from None


def record_body(
    org: Org, table: Table, row: Row, fields: Iterable[Field] | None, version: str
) -> dict[str, Any]:
    """A record as REST returns it: attributes, then the fields (None: all visible ones)."""
    of = table.type
    if fields is None:
        hidden = org.hidden_fields.get(of.name.lower(), frozenset())
        fields = [each for key, each in of.fields.items() if key not in hidden]
    body: dict[str, Any] = {
        "attributes": {
            "type": of.name,
            "url": f"/services/data/v{version}/sobjects/{of.name}/{row['Id']}",
        }
    }
    for each in fields:
        body[each.name] = of.reader(each.name)(row)
    return body


def fields_named(org: Org, table: Table, names: Iterable[str]) -> list[Field]:
    """The fields of a comma-separated list. Raises INVALID_FIELD."""
    fields = []
    for name in names:
        found = org.visible(table.type, name.strip())
        if found is None:
            raise SalesforceError(
                400,
                "INVALID_FIELD",
                f"No such column '{name.strip()}' on entity '{table.type.name}'. If you are "
                "attempting to use a custom field, be sure to append the '__c' after the custom "
                "field name. Please reference your WSDL or the describe call for the appropriate "
                "names.",
            )
        fields.append(found)
    return fields


def create_record(org: Org, call: Call) -> Answer:
    """`POST /sobjects/X`: 201 with a Location."""
    table = table_named(org, call.params["sobject"])
    fields = json_object(call)
    _refuse_id_in_body(fields, "Id")
    with writing(org, call) as context:
        result = dml.create(org, context, table.type.name, fields)
    dml.saved_id(result)
    return _created(call, table, result)


def read_record(org: Org, call: Call) -> Answer:
    """`GET /sobjects/X/<id>?fields=A,B`."""
    table = table_named(org, call.params["sobject"])
    row = table.rows.get(_id_in_path(call.params["id"]))
    if row is None:
        raise not_found()
    if row["IsDeleted"]:
        raise _deleted()
    return _record(org, call, table, row)


def _record(org: Org, call: Call, table: Table, row: Row) -> Answer:
    wanted = call.query.get("fields")
    fields = fields_named(org, table, wanted.split(",")) if wanted else None
    if fields is not None and not any(each.name == "Id" for each in fields):
        fields.append(table.type.fields["id"])
    return Answer(body=record_body(org, table, row, fields, call.version))


def update_record(org: Org, call: Call) -> Answer:
    """`PATCH /sobjects/X/<id>`: 204."""
    table = table_named(org, call.params["sobject"])
    record_id = _existing_id(table, call)
    fields = json_object(call)
    _refuse_id_in_body(fields, "Id")
    with writing(org, call) as context:
        result = dml.update(org, context, table.type.name, record_id, fields)
    dml.saved_id(result)
    return Answer(status=204)


def delete_record(org: Org, call: Call) -> Answer:
    """`DELETE /sobjects/X/<id>`: 204, the second time 404."""
    table = table_named(org, call.params["sobject"])
    record_id = _existing_id(table, call)
    with writing(org, call) as context:
        result = dml.delete(org, context, table.type.name, record_id)
    dml.saved_id(result)
    return Answer(status=204)


def read_by_external_id(org: Org, call: Call) -> Answer:
    """`GET /sobjects/X/<field>/<value>`: the record, or 300 with the urls of several."""
    table, field = _external_field(org, call)
    found = _matches(table, field, call.params["value"])
    if len(found) > 1:
        return _multiple_choices(call, table, found)
    if not found:
        raise not_found()
    return _record(org, call, table, table.rows[found[0]])


def upsert_record(org: Org, call: Call) -> Answer:
    """`PATCH /sobjects/X/<field>/<value>`: 201 created, 200 (up to v45: 204) updated, 300."""
    table, field = _external_field(org, call)
    fields = json_object(call)
    value: Any = call.params["value"]
    _refuse_id_in_body(fields, field.name)
    _refuse_id_in_body(fields, "Id")
    found = _matches(table, field, value)
    if len(found) > 1:
        return _multiple_choices(call, table, found)
    if not found and call.query.get("updateOnly", "").lower() == "true":
        raise not_found()
    with writing(org, call) as context:
        result = dml.upsert(org, context, table.type.name, field, {**fields, field.name: value})
    dml.saved_id(result)
    if result.created:
        return _created(call, table, result, with_created=_tells_created(call))
    if not _tells_created(call):
        return Answer(status=204)
    return Answer(body=_saved(result, with_created=True))


def delete_by_external_id(org: Org, call: Call) -> Answer:
    """`DELETE /sobjects/X/<field>/<value>`."""
    table, field = _external_field(org, call)
    found = _matches(table, field, call.params["value"])
    if len(found) > 1:
        return _multiple_choices(call, table, found)
    if not found:
        raise not_found()
    with writing(org, call) as context:
        result = dml.delete(org, context, table.type.name, found[0])
    dml.saved_id(result)
    return Answer(status=204)


def updated_ids(org: Org, call: Call) -> Answer:
    """`GET /sobjects/X/updated?start=&end=`: ids created or changed in between."""
    table, start, end = _window(org, call)
    ids = [
        record_id
        for record_id, row in table.rows.items()
        if not row["IsDeleted"] and start <= row["SystemModstamp"] < end
    ]
    return Answer(body={"ids": ids, "latestDateCovered": end})


def deleted_ids(org: Org, call: Call) -> Answer:
    """`GET /sobjects/X/deleted?start=&end=`."""
    table, start, end = _window(org, call)
    deleted = [
        {"deletedDate": row["SystemModstamp"], "id": record_id}
        for record_id, row in table.rows.items()
        if row["IsDeleted"] and start <= row["SystemModstamp"] < end
    ]
    earliest = timestamp(org.now() - timedelta(days=30))
    return Answer(
        body={
            "deletedRecords": deleted,
            "earliestDateAvailable": earliest,
            "latestDateCovered": end,
        }
    )


def _window(org: Org, call: Call) -> tuple[Table, str, str]:
    table = table_named(org, call.params["sobject"])
    moments = []
    for name in ("start", "end"):
        # A `+` of an offset that was not escaped arrives as a blank.
        moment = stored_datetime(call.query.get(name, "").replace(" ", "+"))
        if moment is None:
            raise SalesforceError(400, "MALFORMED_QUERY", f"{name} is not a date and time")
        moments.append(moment)
    start, end = moments
    if end <= start:
        raise SalesforceError(400, "INVALID_REPLICATION_DATE", "endDate before startDate")
    oldest = timestamp(org.now() - timedelta(days=30))
    if start < oldest:
        raise SalesforceError(
            400, "INVALID_REPLICATION_DATE", "startDate before org replication enabled date"
        )
    return table, start, min(end, timestamp(org.now()))


def _id_in_path(text: str) -> str:
    found = long_id(text)
    if found is None:
        raise SalesforceError(
            404,
            "NOT_FOUND",
            f"Provided external ID field does not exist or is not accessible: {text}",
        )
    return found


def _existing_id(table: Table, call: Call) -> str:
    record_id = _id_in_path(call.params["id"])
    if record_id not in table.rows:
        raise SalesforceError(404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ())
    return record_id


def _external_field(org: Org, call: Call) -> tuple[Table, Field]:
    table = table_named(org, call.params["sobject"])
    return table, dml.upsert_field(org, table, call.params["field"])


def _matches(table: Table, field: Field, value: str) -> list[str]:
    if field.type == "id":
        found = _id_in_path(value)
        return [found] if table.live(found) else []
    return dml.matches(table, field, value)


def _multiple_choices(call: Call, table: Table, ids: Iterable[str]) -> Answer:
    urls = [path_of(call, f"sobjects/{table.type.name}/{each}") for each in ids]
    return Answer(status=300, body=urls)


def _refuse_id_in_body(fields: Mapping[str, Any], name: str) -> None:
    if any(key.lower() == name.lower() for key in fields):
        raise SalesforceError(
            400, "INVALID_FIELD", f"The {name} field should not be specified in the sobject data."
        )


def _tells_created(call: Call) -> bool:
    return float(call.version) >= FIRST_VERSION


def _created(call: Call, table: Table, result: SaveResult, *, with_created: bool = False) -> Answer:
    location = path_of(call, f"sobjects/{table.type.name}/{result.id}")
    return Answer(
        status=201, body=_saved(result, with_created=with_created), headers={"Location": location}
    )


def _saved(result: SaveResult, *, with_created: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"id": result.id, "success": True, "errors": []}
    if with_created:
        body["created"] = result.created
    return body


def _deleted() -> SalesforceError:
    return SalesforceError(404, "ENTITY_IS_DELETED", "entity is deleted", ())


_DATA = "/services/data/v{version}"

ROUTES = (
    Route("GET", "/services/data", "versions", versions, counted=False, session=False),
    Route("GET", _DATA, "resources", resources),
    Route("GET", f"{_DATA}/sobjects", "describe_global", list_objects),
    Route("GET", f"{_DATA}/sobjects/{{sobject}}", "object_info", object_info),
    Route("POST", f"{_DATA}/sobjects/{{sobject}}", "create", create_record),
    Route("GET", f"{_DATA}/sobjects/{{sobject}}/describe", "describe", describe_object),
    Route("GET", f"{_DATA}/sobjects/{{sobject}}/updated", "updated", updated_ids),
    Route("GET", f"{_DATA}/sobjects/{{sobject}}/deleted", "deleted", deleted_ids),
    Route("GET", f"{_DATA}/sobjects/{{sobject}}/{{id}}", "read", read_record),
    Route("PATCH", f"{_DATA}/sobjects/{{sobject}}/{{id}}", "update", update_record),
    Route("DELETE", f"{_DATA}/sobjects/{{sobject}}/{{id}}", "delete", delete_record),
    Route(
        "GET", f"{_DATA}/sobjects/{{sobject}}/{{field}}/{{value:path}}", "read", read_by_external_id
    ),
    Route(
        "PATCH", f"{_DATA}/sobjects/{{sobject}}/{{field}}/{{value:path}}", "upsert", upsert_record
    ),
    Route(
        "DELETE",
        f"{_DATA}/sobjects/{{sobject}}/{{field}}/{{value:path}}",
        "delete",
        delete_by_external_id,
    ),
)
