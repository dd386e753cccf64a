"""The sensor over the queue of requests: it asks for what was asked, and for nothing else."""

import dagster as dg
from sqlalchemy import Connection, text

from crm_pipeline.accounts.store import disable_account, get_account
from crm_pipeline.cadence.ticks import new_requests
from crm_pipeline.database.statements import statement
from crm_pipeline.definitions import defs
from crm_pipeline.inbound.asking import ask_for_removal
from crm_pipeline.inbound.queue import pending, put_off
from crm_pipeline.inbound.tombstones import hasher_of
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline_tests.cadence.rows import an_idle_account


def ask(connection: Connection, account: str) -> None:
    hasher = hasher_of(connection, get_account(connection, account))
    ask_for_removal(
        connection, hasher, "tom@example.com", does="erase", door="command", name="erase"
    )
    connection.commit()


def tick(instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    context = dg.build_sensor_context(instance=instance, repository_def=defs.get_repository_def())
    with dg.partition_loading_context(dynamic_partitions_store=instance):
        return list(new_requests.evaluate_tick(context).run_requests or ())


def test_a_request_is_asked_for_once_and_with_its_topics_only(connection, instance):
    for account in ("acme", "quiet"):
        an_idle_account(connection, account)
    connection.commit()
    assert tick(instance) == []
    ask(connection, "acme")
    [request] = tick(instance)
    assert request.partition_key == "acme"
    assert request.asset_selection is not None
    assert dg.AssetKey("removals") in request.asset_selection
    assert dg.AssetKey("load_results") not in request.asset_selection
    assert tick(instance) == [], "it is claimed"


def test_an_account_at_its_cycle_is_asked_for_afterwards(connection, instance, pipeline):
    an_idle_account(connection, "acme")
    ask(connection, "acme")
    with account_lock(pipeline, "acme"):
        assert tick(instance) == []
    assert len(tick(instance)) == 1


def test_neither_a_disabled_account_nor_one_whose_time_has_not_come(connection, instance):
    for account in ("off", "later"):
        an_idle_account(connection, account)
        ask(connection, account)
    disable_account(connection, "off")
    [request] = pending(connection, "later", ("removal",))
    put_off(connection, request, "the org is down")
    connection.commit()
    assert tick(instance) == []


def test_an_account_that_has_just_failed_is_left_alone_for_a_minute(connection, instance):
    an_idle_account(connection, "acme")
    ask(connection, "acme")
    just_now = "UPDATE crm.sync_state SET state = 'Failed', finished_at = now() - interval '{} s'"
    connection.execute(text(just_now.format(30)))
    connection.commit()
    assert tick(instance) == []
    connection.execute(text(just_now.format(90)))
    connection.commit()
    assert len(tick(instance)) == 1


def test_requests_that_wait_too_long_break_the_promise(connection):
    an_idle_account(connection, "acme")
    ask(connection, "acme")
    asked = {"account_ids": ["acme"], "freshness_minutes": 60}
    check = statement("checks/requests_are_answered")
    assert connection.execute(check, asked).one().passed
    connection.execute(text("UPDATE crm.request SET received_at = now() - interval '2 hours'"))
    row = connection.execute(check, asked).one()
    assert (row.passed, row.waiting) == (False, 1)
