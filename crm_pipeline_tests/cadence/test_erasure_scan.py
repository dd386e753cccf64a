"""The nightly job reads both databases, and the account's verdict tells what it found."""

from sqlalchemy import text

from crm_pipeline.accounts.store import get_account
from crm_pipeline.cadence.erasure_scan import scan_for_erased_people
from crm_pipeline.database.engines import dagster_storage
from crm_pipeline.database.statements import statement
from crm_pipeline.inbound.tombstones import bury, hasher_of
from crm_pipeline_tests.cadence.rows import an_idle_account

TOM = "tom@example.com"


def test_somebody_in_dagsters_log_breaks_the_promise(connection, instance):
    an_idle_account(connection, "acme")
    bury(connection, hasher_of(connection, get_account(connection, "acme")), TOM, "erase")
    connection.commit()
    with dagster_storage() as storage, storage.begin() as dagsters:
        dagsters.execute(text("CREATE TABLE kept (said text)"))
        dagsters.execute(text("INSERT INTO kept VALUES (:said)"), {"said": f"a {TOM} b"})
    assert scan_for_erased_people.execute_in_process(instance=instance).success
    asked = {"account_ids": ["acme"], "freshness_minutes": 60}
    row = connection.execute(statement("checks/nobody_erased_is_left"), asked).one()
    assert (row.passed, row.found_in) == (False, "public.kept.said")
