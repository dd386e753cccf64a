"""REST: versions, describe, and one record at a time."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from crm_pipeline.local_org import dml
from crm_pipeline.local_org.columns import no_such_column
from crm_pipeline.local_org.describe import describe, describe_briefly, describe_global
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.external_ids import matches, no_external_id, upsert_field
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.routing import (
    FIRST_VERSION,
    LAST_VERSION,
    Answer,
    Call,
    Handler,
    Route,
    malformed_json,
    not_found,
    path_of,
)
from crm_pipeline.local_org.schema import Field, Row
from crm_pipeline.local_org.sharing import is_hidden
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table
from crm_pipeline.local_org.transaction import writing
from crm_pipeline.local_org.xml_bodies import record_of

Body = TypeVar("Body", bound=BaseModel)

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


def resources(org: Org, call: Call) -> Answer:
    """`GET /services/data/vXX.0`: what there is below, and who asks."""
    names = ("composite", "jobs", "limits", "query", "queryAll", "sobjects")
    identity = f"{call.base_url}/id/{org.id}/{call.user_id}"
    return Answer(body={"identity": identity, **{name: path_of(call, name) for name in names}})


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
    fields = org.visible_fields(of) if fields is None else fields
    url = f"/services/data/v{version}/sobjects/{of.name}/{row['Id']}"
    values = {each.name: of.reader(each.name)(row) for each in fields}
    return {"attributes": {"type": of.name, "url": url}, **values}


def fields_named(org: Org, table: Table, names: Iterable[str]) -> list[Field]:
    """The fields of a comma-separated list. Raises INVALID_FIELD."""
    fields = []
    for name in names:
        found = org.visible(table.type, name.strip())
        if found is None:
            message = no_such_column(name.strip(), table.type.name)
            raise SalesforceError(400, "INVALID_FIELD", message)
        fields.append(found)
    return fields


def body_of(call: Call, model: type[Body]) -> Body:
    """The JSON body of a call, checked. Raises JSON_PARSER_ERROR."""
    try:
        return model.model_validate(call.json())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        raise malformed_json(f"{where}: {first['msg']}") from None


def create_record(org: Org, call: Call) -> Answer:
    """`POST /sobjects/X`: 201 with a Location."""
    table = table_named(org, call.params["sobject"])
    fields = record_of(call)
    _refuse_in_body(fields, "Id")
    with writing(org, call) as context:
        result = dml.create(org, context, table.type.name, fields)
        record_id = dml.saved_id(result)
    errors = [each.collections_body() for each in result.errors]
    return _created(call, table, {"id": record_id, "success": True, "errors": errors})


def _of_one(act: Callable[[Org, Call, Table, str], Answer]) -> Handler:
    """Returns a handler for the record that the path names, by its id or an external id.

    300 with the urls if an external id is that of several.
    """

    def handle(org: Org, call: Call) -> Answer:
        table = table_named(org, call.params["sobject"])
        if "field" in call.params:
            external_field = upsert_field(org, table, call.params["field"])
            found = matches(table, external_field, call.params["value"])
            if len(found) > 1:
                return _multiple_choices(call, table, found)
            if not found or is_hidden(org, found[0]):
                raise not_found()
            return act(org, call, table, found[0])
        record_id = _id_in_path(call.params["id"])
        if record_id in table.rows and not (call.method == "GET" and is_hidden(org, record_id)):
            return act(org, call, table, record_id)
        if call.method == "GET":
            raise not_found()
        raise SalesforceError(404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ())

    return handle


def read_record(org: Org, call: Call, table: Table, record_id: str) -> Answer:
    """`GET /sobjects/X/<id>?fields=A,B`."""
    row = table.rows[record_id]
    if row["IsDeleted"]:
        raise SalesforceError(404, "ENTITY_IS_DELETED", "entity is deleted", ())
    wanted = call.query.get("fields")
    fields = fields_named(org, table, wanted.split(",")) if wanted else None
    if fields is not None and not any(each.name == "Id" for each in fields):
        fields.append(table.type.fields["id"])
    return Answer(body=record_body(org, table, row, fields, call.version))


def update_record(org: Org, call: Call, table: Table, record_id: str) -> Answer:
    """`PATCH /sobjects/X/<id>`: 204."""
    fields = record_of(call)
    _refuse_in_body(fields, "Id")
    with writing(org, call) as context:
        dml.saved_id(dml.update(org, context, table.type.name, record_id, fields))
    return Answer(status=204)


def delete_record(org: Org, call: Call, table: Table, record_id: str) -> Answer:
    """`DELETE /sobjects/X/<id>`: 204, the second time 404."""
    with writing(org, call) as context:
        dml.saved_id(dml.delete(org, context, table.type.name, record_id))
    return Answer(status=204)


def upsert_record(org: Org, call: Call) -> Answer:
    """`PATCH /sobjects/X/<field>/<value>`: 201 created, 200 (up to v45: 204) updated, 300."""
    table = table_named(org, call.params["sobject"])
    external_field = upsert_field(org, table, call.params["field"])
    fields, value = record_of(call), call.params["value"]
    _refuse_in_body(fields, external_field.name)
    _refuse_in_body(fields, "Id")
    found = matches(table, external_field, value)
    if len(found) > 1:
        return _multiple_choices(call, table, found)
    if not found and call.query.get("updateOnly", "").lower() == "true":
        raise not_found()
    fields = {**fields, external_field.name: value}
    with writing(org, call) as context:
        result = dml.upsert(org, context, table.type.name, external_field, fields)
        body = {"id": dml.saved_id(result), "success": True, "errors": []}
    tells_created = float(call.version) >= FIRST_VERSION
    if tells_created:
        body["created"] = result.created
    if result.created:
        return _created(call, table, body)
    return Answer(body=body) if tells_created else Answer(status=204)


def _id_in_path(text: str) -> str:
    found = long_id(text)
    if found is None:
        raise no_external_id(text)
    return found


def _multiple_choices(call: Call, table: Table, ids: Iterable[str]) -> Answer:
    urls = [path_of(call, f"sobjects/{table.type.name}/{each}") for each in ids]
    return Answer(status=300, body=urls)


def _refuse_in_body(fields: Mapping[str, Any], name: str) -> None:
    if any(key.lower() == name.lower() for key in fields):
        raise SalesforceError(
            400, "INVALID_FIELD", f"The {name} field should not be specified in the sobject data."
        )


def _created(call: Call, table: Table, body: dict[str, Any]) -> Answer:
    location = path_of(call, f"sobjects/{table.type.name}/{body['id']}")
    return Answer(status=201, body=body, headers={"Location": location})


_DATA = "/services/data/v{version}"
_OBJECT = f"{_DATA}/sobjects/{{sobject}}"
_EXTERNAL = f"{_OBJECT}/{{field}}/{{value:path}}"

ROUTES = (
    Route("GET", "/services/data", "versions", versions, counted=False, session=False),
    Route("GET", _DATA, "resources", resources),
    Route("GET", f"{_DATA}/sobjects", "describe_global", list_objects),
    Route("GET", _OBJECT, "object_info", object_info),
    Route("POST", _OBJECT, "create", create_record),
    Route("GET", f"{_OBJECT}/describe", "describe", describe_object),
    Route("GET", f"{_OBJECT}/{{id}}", "read", _of_one(read_record)),
    Route("PATCH", f"{_OBJECT}/{{id}}", "update", _of_one(update_record)),
    Route("DELETE", f"{_OBJECT}/{{id}}", "delete", _of_one(delete_record)),
    Route("GET", _EXTERNAL, "read", _of_one(read_record)),
    Route("PATCH", _EXTERNAL, "upsert", upsert_record),
    Route("DELETE", _EXTERNAL, "delete", _of_one(delete_record)),
)
