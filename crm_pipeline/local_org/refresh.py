"""A sandbox that is refreshed: the same records under an organization id and Ids that are new."""

from crm_pipeline.local_org.open_transactions import abandon_all
from crm_pipeline.local_org.recycle_bin import with_new_ids
from crm_pipeline.local_org.schema import Row
from crm_pipeline.local_org.setup import build_org, org_id_of
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table


def refreshed(org: Org) -> Org:
    """Returns the org that takes its place, and its file where it has one.

    Nobody is logged in; cursors, jobs, open transactions and the log of deletions are gone;
    settings, faults and counts stay.
    """
    abandon_all(org)
    update = {"id": org_id_of(org.id), "records": dict[str, Row](), "file": None}
    fresh = build_org(org.blueprint.model_copy(update=update))
    fresh.blueprint, fresh.config = org.blueprint, org.config
    fresh.meter, fresh.weather, fresh.clock_shift = org.meter, org.weather, org.clock_shift
    fresh.hide_fields(org.config.hidden_fields)
    for name, table in org.tables.items():
        fresh.tables[name].ids.last = table.ids.last
    new_ids = {org.id: fresh.id}
    for name, table in org.tables.items():
        for old_id in table.rows:
            new_id = fresh.tables[name].ids.like(old_id, table.ids)
            new_ids.setdefault(old_id, new_id or fresh.tables[name].ids.next())
    for name, table in org.tables.items():
        fresh.tables[name].rows = {
            new_ids[old_id]: _with_new_ids(table, row, new_ids)
            for old_id, row in table.rows.items()
        }
        fresh.tables[name].build_indexes()
    fresh.journal = org.journal
    if fresh.journal is not None:
        fresh.journal.rewrite(fresh.tables)
    return fresh


def _with_new_ids(table: Table, row: Row, new_ids: dict[str, str]) -> Row:
    names = [each.name for each in table.type.fields.values() if each.is_id and row.get(each.name)]
    renamed = {name: new_ids.get(row[name], row[name]) for name in names}
    return with_new_ids({**row, **renamed}, new_ids)
