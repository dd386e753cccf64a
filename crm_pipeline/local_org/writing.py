"""How a call writes: with the options of its headers, as one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager

from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.routing import Call
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.transaction import WriteContext, committed


@contextmanager
def writing(org: Org, call: Call) -> Iterator[WriteContext]:
    """Yields the call's write context; what it wrote is kept unless the block raises.

    A call inside a composite only adds to what the composite will keep or undo.
    """
    context = WriteContext(
        org=org,
        user_id=call.user_id,
        allow_duplicates=_allows_duplicates(call.headers.get("sforce-duplicate-rule-header", "")),
        assignment=_assignment(call.headers.get("sforce-auto-assign", "TRUE")),
        locker=call.locker,
        version=call.version,
    )
    if call.writes is None:
        with committed(context):
            yield context
        return
    context.writes = call.writes
    context.started_at = context.savepoint()
    try:
        yield context
    except BaseException:
        context.rollback(context.started_at)
        raise


def _allows_duplicates(header: str) -> bool:
    """Salesforce: Sforce-Duplicate-Rule-Header, `allowSave=true` among its options."""
    options = (option.partition("=") for option in header.replace(";", ",").split(","))
    return any(
        name.strip().lower() == "allowsave" and value.strip().lower() == "true"
        for name, _, value in options
    )


def _assignment(header: str) -> bool | str:
    """Salesforce: Sforce-Auto-Assign, true unless said otherwise, or the id of a rule."""
    return long_id(header.strip()) or header.strip().upper() != "FALSE"
