"""What a plan foresees, and what a cycle did, in the same words."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from sqlalchemy import Connection, text

from crm_pipeline.cycle.apply import Applied, apply_plan
from crm_pipeline.cycle.plan import PlannedRecord, planned
from crm_pipeline.cycle.planning import Planning
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.plans import departures_of, kept_plans
from crm_pipeline.salesforce.stand_in import is_placeholder
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench

Row = tuple[str, str, str, str | None, Any]


def rows_of(records: Iterator[PlannedRecord]) -> set[Row]:
    """What each operation comes to, without what only its creation will tell."""
    rows = set()
    for each in records:
        record_id = None if each.outcome == "create" else each.salesforce_id
        # Of others the ledger keeps what was wanted, where that says what was sent.
        is_told = each.outcome == "update" and each.kind in ("person", "activity")
        fields = sorted((each.fields or {}).items()) if is_told else ()
        assert each.outcome == "create" or not is_placeholder(each.salesforce_id)
        rows.add((each.about, each.sobject, each.outcome, record_id, str(fields)))
    return rows


def happened(connection: Connection, cycle_id: int | None) -> set[Row]:
    """What a cycle made of each operation, as a plan would have said it."""
    connection.execute(statement("plans/make_table"))
    connection.execute(statement("plans/fill_table"), {"account_id": ACCOUNT, "cycle_id": cycle_id})
    found = connection.execute(statement("plans/rows"), {"most": None}).all()
    connection.rollback()
    return rows_of(PlannedRecord(*each) for each in found)


def all_that_is_kept(connection: Connection) -> dict[str, Any]:
    """Every row of the pipeline's and the warehouse's tables, by table; without plans."""
    tables = connection.scalars(
        text(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
            " WHERE schemaname NOT LIKE 'pg\\_%' AND schemaname <> 'information_schema'"
        )
    ).all()
    digest = "SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} AS t"
    kept = {
        table: connection.scalar(text(digest.format(table)))
        for table in tables
        if not table.startswith("crm.plan")
    }
    connection.rollback()
    return kept


def tables_of_orgs_written(connection: Connection) -> set[str]:
    """The tables by org, not by account, in which some session is writing."""
    written = connection.scalars(
        text(
            "SELECT DISTINCT c.relname FROM pg_locks AS l"
            " INNER JOIN pg_database AS d ON l.database = d.oid"
            " INNER JOIN pg_class AS c ON l.relation = c.oid AND c.relkind = 'r'"
            " INNER JOIN pg_attribute AS a ON c.oid = a.attrelid"
            " WHERE d.datname = current_database() AND l.mode = 'RowExclusiveLock'"
            " AND a.attname = 'organization_id'"
        )
    ).all()
    connection.rollback()
    return set(written)


def all_records(bench: Bench) -> dict[str, Any]:
    return {name: deepcopy(table.rows) for name, table in bench.org.tables.items()}


def foresee_and_see(bench: Bench) -> set[str]:
    """Plans a cycle, runs it, and holds the two side by side; returns what it came to.

    The plan leaves everything as it was.
    """
    bench.connection.commit()
    kept, records = all_that_is_kept(bench.connection), all_records(bench)
    with planned(ACCOUNT, Planning(in_full=True), run_id="plan") as plan:
        assert plan.report.state == "Complete", plan.report.reason
        foreseen, report = rows_of(plan.records(None)), plan.report
        assert tables_of_orgs_written(bench.connection) <= {"account_org"}
        plan.keep(bench.connection)
        bench.connection.commit()
    assert all_that_is_kept(bench.connection) == kept
    assert all_records(bench) == records
    really = bench.cycle()
    assert really.state == "Complete", really.reason
    assert foreseen == happened(bench.connection, really.cycle_id)
    newest = kept_plans(bench.connection, ACCOUNT)[0]
    assert (newest.explained, newest.unexplained) == (0, 0), departures_of(
        bench.connection, newest.plan_id
    )
    assert report.tally == really.tally
    # How often a job is looked at depends on how long the org works on it.
    for calls in (report.api_calls_by_kind, really.api_calls_by_kind):
        calls.pop("bulk.state", None)
    assert report.api_calls_by_kind == really.api_calls_by_kind
    return {f"{sobject} {outcome}" for _, sobject, outcome, _, _ in foreseen}


def plan_of(bench: Bench, planning: Planning | None = None) -> int:
    """Plans the next cycle, and keeps that; the plan's number."""
    bench.connection.commit()
    with planned(ACCOUNT, planning or Planning(), run_id="plan") as plan:
        assert plan.report.state == "Complete", plan.report.reason
        plan_id = plan.keep(bench.connection)
    bench.connection.commit()
    return plan_id


def applied(bench: Bench, plan_id: int) -> Applied:
    bench.connection.commit()
    done = apply_plan(ACCOUNT, plan_id, run_id="apply", by="otto")
    assert done.report.state == "Complete", done.report.reason
    return done
