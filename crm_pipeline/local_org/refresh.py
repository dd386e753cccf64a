"""A sandbox that is refreshed: the same records under an organization id and Ids that are new."""

from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.open_transactions import abandon_all
from crm_pipeline.local_org.schema import Row
from crm_pipeline.local_org.setup import build_org, org_id_of
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table


def refreshed(org: Org) -> Org:
    """Returns the org that takes its place.

    Nobody is logged in; cursors, jobs and open transactions are gone; settings, faults and counts
    stay. Raises `SalesforceError` for an org that keeps its records in a file.
    """
    if org.journal is not None:
        raise SalesforceError(400, "INVALID_OPERATION", "an org with a file cannot be refreshed")
    abandon_all(org)
    blueprint = org.blueprint.model_copy(update={"id": org_id_of(org.id), "records": {}})
    fresh = build_org(blueprint)
    fresh.blueprint, fresh.config = org.blueprint, org.config
    fresh.meter, fresh.weather, fresh.clock_shift = org.meter, org.weather, org.clock_shift
    fresh.hide_fields(org.config.hidden_fields)
    new_ids = {org.id: fresh.id}
    for name, table in org.tables.items():
        # The users come first in their table: they have the ids with which they log in.
        fresh.tables[name].ids.last = 0
        for old_id in table.rows:
            new_ids.setdefault(old_id, fresh.tables[name].ids.next())
    for name, table in org.tables.items():
        fresh.tables[name].rows = {
            new_ids[old_id]: _with_new_ids(table, row, new_ids)
            for old_id, row in table.rows.items()
        }
        fresh.tables[name].build_indexes()
    return fresh


def _with_new_ids(table: Table, row: Row, new_ids: dict[str, str]) -> Row:
    names = [each.name for each in table.type.fields.values() if each.is_id and row.get(each.name)]
    return {**row, **{name: new_ids.get(row[name], row[name]) for name in names}}
