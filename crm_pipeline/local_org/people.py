"""Actions of people in Salesforce itself, by one call of the admin path each.

`POST` create, edit, delete, undelete, erase, empty-bin, convert and merge. Each takes `user` (a
user name) and `hold_seconds`: the transaction then stays open, and the call is answered at once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from crm_pipeline.local_org import dml, lifecycle, recycle_bin
from crm_pipeline.local_org.config import Seconds
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.routing import Answer, Call, Route
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table
from crm_pipeline.local_org.transaction import WriteContext, committed


class _Act(BaseModel):
    model_config = ConfigDict(extra="forbid")

    user: str | None = None
    hold_seconds: Seconds | None = None


class _Creation(_Act):
    object: str
    fields_: dict[str, Any] = Field(alias="fields")


class _Edit(_Act):
    id: str
    fields_: dict[str, Any] = Field(alias="fields")


class _Several(_Act):
    ids: list[str]


class _Bin(_Act):
    ids: list[str] | None = None


class _Conversion(_Act):
    lead_id: str
    account_id: str | None = None
    contact_id: str | None = None
    opportunity_name: str | None = None
    opportunity_id: str | None = None
    status: str | None = None


class _Merge(_Act):
    object: str
    master_id: str
    ids: list[str]


def _user_id(org: Org, username: str | None) -> str | None:
    """The id of a user. Raises LookupError."""
    if username is None:
        return None
    user = org.users.get(username.lower())
    if user is None:
        raise LookupError(f"there is no user {username}")
    return user.id


@contextmanager
def _acting(org: Org, act: _Act) -> Iterator[WriteContext]:
    """Writes as a person on Salesforce's own pages: rules hold, duplicates may be saved."""
    user_id = _user_id(org, act.user) or next(iter(org.users.values())).id
    context = WriteContext(
        org, user_id, allow_duplicates=True, assignment=False, hold_seconds=act.hold_seconds
    )
    with committed(context):
        yield context


def _table_of(org: Org, record_id: str) -> Table:
    table = org.table_of_id(record_id)
    if table is None or long_id(record_id) is None:
        raise LookupError(f"there is no record {record_id}")
    return table


def _is_set_up(table: Table) -> bool:
    """Returns whether no client writes any field of it, as of stages and queues."""
    return not any(each.updateable for each in table.type.fields.values())


def create(org: Org, call: Call) -> Answer:
    """`POST create` with `object` and `fields`."""
    given = _Creation.model_validate_json(call.body)
    table = org.table(given.object)
    with _acting(org, given) as context:
        context.seeding = _is_set_up(table)
        record_id = dml.saved_id(dml.create(org, context, table.type.name, given.fields_))
    return Answer(body={"id": record_id})


def edit(org: Org, call: Call) -> Answer:
    """`POST edit` with `id` and `fields`; what no client may change (a stage, say) too."""
    given = _Edit.model_validate_json(call.body)
    table = _table_of(org, given.id)
    with _acting(org, given) as context:
        context.seeding = _is_set_up(table)
        result = dml.update(org, context, table.type.name, given.id, given.fields_)
        record_id = dml.saved_id(result)
    return Answer(body={"id": record_id})


def delete(org: Org, call: Call) -> Answer:
    """`POST delete` with `ids`: into the bin."""
    return _each(
        org,
        _Several.model_validate_json(call.body),
        lambda context, table, record_id: dml.saved_id(
            dml.delete(org, context, table.type.name, record_id)
        ),
    )


def undelete(org: Org, call: Call) -> Answer:
    """`POST undelete` with `ids`: out of the bin."""
    return _each(org, _Several.model_validate_json(call.body), recycle_bin.undelete)


def erase(org: Org, call: Call) -> Answer:
    """`POST erase` with `ids`: gone at once, past the bin."""
    return _each(
        org,
        _Several.model_validate_json(call.body),
        lambda context, table, record_id: dml.saved_id(
            dml.delete(org, context, table.type.name, record_id, hard=True)
        ),
    )


def empty_bin(org: Org, call: Call) -> Answer:
    """`POST empty-bin`: what lies in it, or of it `ids`, is gone for good."""
    given = _Bin.model_validate_json(call.body or b"{}")
    ids = [record_id for _, record_id in recycle_bin.in_bin(org)]
    several = _Several(
        ids=ids if given.ids is None else given.ids,
        user=given.user,
        hold_seconds=given.hold_seconds,
    )
    return _each(org, several, recycle_bin.erase)


def _each(org: Org, given: _Several, act: Callable[[WriteContext, Table, str], str]) -> Answer:
    with _acting(org, given) as context:
        ids = [act(context, _table_of(org, each), each) for each in given.ids]
    return Answer(body={"ids": ids})


def convert(org: Org, call: Call) -> Answer:
    """`POST convert` with `lead_id`, and perhaps where it goes."""
    given = _Conversion.model_validate_json(call.body)
    options = given.model_dump(exclude={"user"})
    return Answer(body=asdict(lifecycle.convert(org, user_id=_user_id(org, given.user), **options)))


def merge(org: Org, call: Call) -> Answer:
    """`POST merge` with `object`, `master_id` and the `ids` of the losers."""
    given = _Merge.model_validate_json(call.body)
    master_id = lifecycle.merge(
        org,
        given.object,
        given.master_id,
        given.ids,
        user_id=_user_id(org, given.user),
        hold_seconds=given.hold_seconds,
    )
    return Answer(body={"id": master_id})


ROUTES = (
    Route("POST", "/_admin/create", "people", create),
    Route("POST", "/_admin/edit", "people", edit),
    Route("POST", "/_admin/delete", "people", delete),
    Route("POST", "/_admin/undelete", "people", undelete),
    Route("POST", "/_admin/erase", "people", erase),
    Route("POST", "/_admin/empty-bin", "people", empty_bin),
    Route("POST", "/_admin/convert", "people", convert),
    Route("POST", "/_admin/merge", "people", merge),
)
