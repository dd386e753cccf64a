"""Calls that only SOAP has for the recycle bin: `emptyRecycleBin()` and `undelete()`."""

from collections.abc import Callable, Sequence
from xml.sax.saxutils import escape

from crm_pipeline.local_org import recycle_bin
from crm_pipeline.local_org.errors import RowError, RowFailure, SalesforceError
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.sharing import is_hidden, no_access
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table
from crm_pipeline.local_org.transaction import WriteContext, committed

Act = Callable[[WriteContext, Table, str], str]
OPERATIONS: dict[str, Act] = {
    "emptyRecycleBin": recycle_bin.erase,
    "undelete": recycle_bin.undelete,
}
_MAX_IDS = 200


def answer_in_xml(org: Org, user_id: str, operation: str, ids: Sequence[str]) -> str:
    """Does it to each record and returns the response, with a result for each in their order.

    Raises `SalesforceError` if there are too many.
    """
    if len(ids) > _MAX_IDS:
        message = f"record limit reached. cannot submit more than {_MAX_IDS} records in this call"
        raise SalesforceError(500, "EXCEEDED_ID_LIMIT", message)
    with committed(WriteContext(org, user_id, sees_all=False)) as context:
        results = [_result(context, OPERATIONS[operation], each.strip()) for each in ids]
    return f"<{operation}Response>{''.join(results)}</{operation}Response>"


def _result(context: WriteContext, act: Act, given: str) -> str:
    found = long_id(given)
    table = context.org.table_of_id(found) if found else None
    if found is None or table is None:
        return _failed(given, RowError("MALFORMED_ID", f"malformed id {given}"))
    savepoint = context.savepoint()
    try:
        if is_hidden(context.org, found):
            raise no_access()
        act(context, table, found)
    except RowFailure as failure:
        context.rollback(savepoint)
        return _failed(found, failure.errors[0])
    return f"<result><id>{found}</id><success>true</success></result>"


def _failed(record_id: str, error: RowError) -> str:
    told = f"<message>{escape(error.message)}</message><statusCode>{error.status_code}</statusCode>"
    return (
        f"<result><errors>{told}</errors><id>{escape(record_id)}</id>"
        "<success>false</success></result>"
    )
