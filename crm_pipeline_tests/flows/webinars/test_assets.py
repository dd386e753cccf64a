"""The assets, run by Dagster over real accounts, a real database and real orgs."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import text

from crm_pipeline.accounts.credentials import set_credentials
from crm_pipeline.accounts.store import update_settings
from crm_pipeline.cadence.cycle_runs import ASKED_BY_TAG, RANGE_TAG, account_tags
from crm_pipeline.database.statements import statement
from crm_pipeline.lineage.assets import PROMISES, TOPICS
from crm_pipeline.lineage.checks import judge
from crm_pipeline.salesforce.credentials import PasswordToken
from crm_pipeline_tests.databases import settings_of
from crm_pipeline_tests.flows.webinars.conftest import Fleet
from crm_pipeline_tests.topics import undone_without

NEEDS_ORG = {*undone_without("load_results"), "sync_state"}
"""Of accounts that have the flow `webinars` on alone; there is nothing to do for other flows."""

NEEDS_NO_ORG = TOPICS.keys() - NEEDS_ORG

STEPS = list(TOPICS)

GOOD = PasswordToken(username="api@acme.test", password="secret", security_token="TOKEN")
WRONG = PasswordToken(username="api@acme.test", password="wrong")


def set_login(fleet: Fleet, account: str, credentials: PasswordToken) -> None:
    set_credentials(fleet.connection, account, credentials)
    fleet.connection.commit()


def latest(fleet: Fleet, asset: str, account: str) -> dict[str, Any]:
    """The metadata of the account's latest materialization of the asset."""
    found = fleet.instance.fetch_materializations(
        dg.AssetRecordsFilter(dg.AssetKey(asset), asset_partitions=[account]), limit=1
    )
    materialization = found.records[0].asset_materialization
    assert materialization is not None
    return {name: value.value for name, value in materialization.metadata.items()}


def runs_of(fleet: Fleet, account: str) -> list[str]:
    """The ids of the runs that Dagster finds by the account's tag."""
    found = fleet.instance.get_runs(dg.RunsFilter(tags=account_tags([account])))
    return [run.run_id for run in found]


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    error = failed.step_failure_data.error
    assert error is not None
    return error.message


def test_a_run_about_any_accounts_shows_each_ones_own_status(fleet):
    """It is found by each one's tag, gives back each one's claim, and tells nothing private.

    What an account got done is in sync, and all of it is green again after a good cycle.
    """
    first, between, broken, _, last = accounts = fleet.take(5)
    fleet.connection.execute(
        text(
            "INSERT INTO crm.sync_state (account_id, claimed_until)"
            " SELECT unnest(CAST(:accounts AS text[])), now() + interval '20 minutes'"
        ),
        {"accounts": [first, broken]},
    )
    set_login(fleet, broken, WRONG)

    result = fleet.run(first, broken, last)

    assert not result.success
    for step in STEPS:
        shown = fleet.statuses(step, accounts)
        of_broken = "materialized" if step in NEEDS_NO_ORG else "failed"
        assert shown == ["materialized", "missing", of_broken, "missing", "materialized"], step
    assert [fleet.records(account, "Lead") for account in accounts] == [1, 0, 0, 0, 1]
    message = failure_of(result)
    assert f"{broken} ({broken.title()}): " in message
    assert "INVALID_LOGIN" in message
    assert first not in message
    assert between not in message
    assert fleet.stale(NEEDS_NO_ORG, [broken]) == []
    assert fleet.stale(STEPS, [first]) == []
    assert [runs_of(fleet, each) for each in (first, between, broken, last)] == [
        [result.run_id],
        [],
        [result.run_id],
        [result.run_id],
    ]
    claims = text("SELECT count(*) FROM crm.sync_state WHERE claimed_until IS NOT NULL")
    assert fleet.connection.scalar(claims) == 0
    stored = fleet.connection.scalar(text("SELECT string_agg(event, ' ') FROM event_logs"))
    for private in ("example.com", "First ", "Last ", "TOKEN", "api@acme.test", "Company "):
        assert private not in stored, private

    set_login(fleet, broken, GOOD)
    assert fleet.run(partition=broken).success
    assert {fleet.status(step, broken) for step in STEPS} == {"materialized"}


def observed(fleet: Fleet, asset: str) -> list[dict[str, Any]]:
    """What was observed of a table or an object, the newest first."""
    found = fleet.instance.fetch_observations(dg.AssetKey(asset.split("/")), limit=100)
    return [
        {name: value.value for name, value in record.asset_observation.metadata.items()}
        for record in found.records
        if record.asset_observation
    ]


def test_a_run_tells_what_it_has_read_of_tables_and_written_to_objects(fleet):
    """The sum over its accounts; nothing where there was nothing to read, and no org was asked."""
    first, second = fleet.take(2)
    before = [len(observed(fleet, each)) for each in ("warehouse/registration", "salesforce/Lead")]
    fleet.run(first, second)
    rows, leads = observed(fleet, "warehouse/registration"), observed(fleet, "salesforce/Lead")
    assert (len(rows), len(leads)) == (before[0] + 1, before[1] + 1)
    assert leads[0]["accounts"] == leads[0]["create"] == 2
    assert [row.data for row in leads[0]["by_account"].records] == [
        {"account_id": account, "create": fleet.records(account, "Lead")}
        for account in (first, second)
    ]
    assert rows[0]["rows_read"] == sum(
        latest(fleet, "registrations", each)["rows"] for each in (first, second)
    )
    fleet.run(first)
    assert observed(fleet, "warehouse/registration") == rows
    assert observed(fleet, "salesforce/Lead") == leads


@pytest.mark.deep
def test_a_range_of_partitions_shows_each_ones_own_status(fleet):
    """As a backfill in the UI starts it; it is found by each one's tag."""
    first, broken, last = accounts = fleet.take(3)
    set_login(fleet, broken, WRONG)
    result = fleet.run(tags={RANGE_TAG: first, "dagster/asset_partition_range_end": last})
    shown = fleet.statuses("sync_state", accounts)
    assert shown == ["materialized", "failed", "materialized"]
    assert [runs_of(fleet, each) for each in accounts] == [[result.run_id]] * 3


def test_a_failed_account_shows_how_it_stands_and_what_can_be_done(fleet):
    """Also where its state is materialized alone, which was green once, and said Complete."""
    (broken,) = fleet.take(1)
    set_login(fleet, broken, WRONG)
    page = f"https://console.example.com/accounts/{broken}"
    for _ in range(2):
        with settings_of(CONSOLE_URL="https://console.example.com"):
            result = fleet.run(partition=broken)
        (failed,) = [event for event in result.all_events if event.is_step_failure]
        failure = failed.step_failure_data.user_failure_data
        assert failure is not None
        assert failure.metadata[f"console: {broken}"].value == page
        assert observed(fleet, "load_results")[0]["console"] == page
        shown = latest(fleet, "sync_state", broken)
        assert shown["console"] == page
        assert (shown["state"], shown["waiting"]) == ("Failed", 2)
        assert "INVALID_LOGIN" in str(shown["reason"])
        assert f"crm-pipeline account credentials {broken}" in str(shown["remedy"])
        assert shown["next_try"] == "when the credentials have been changed"
        assert {fleet.status(step, broken) for step in NEEDS_NO_ORG} == {"materialized"}
        assert fleet.status("sync_state", broken) == "failed"
    since = shown["since"]

    result = fleet.run(partition=broken, asset_selection=[dg.AssetKey("sync_state")])
    assert "INVALID_LOGIN" in failure_of(result)
    assert fleet.status("sync_state", broken) == "failed"
    shown = latest(fleet, "sync_state", broken)
    assert (shown["state"], shown["waiting"]) == ("Failed", 2)
    assert shown["next_try"] == "when the credentials have been changed"
    assert fleet.run(partition=broken, asset_selection=[dg.AssetKey("registrations")]).success

    set_login(fleet, broken, GOOD)
    fleet.run(partition=broken)
    shown = latest(fleet, "sync_state", broken)
    assert (shown["state"], shown["waiting"]) == ("Complete", 0)
    assert shown["since"] > since
    assert "reason" not in shown


def test_a_failed_account_says_when_it_is_tried_again(fleet):
    (account,) = fleet.take(1)
    fleet.server.org(account).weather.maintenance = "down"
    before = datetime.now(UTC).timestamp()
    fleet.run(partition=account)
    shown = latest(fleet, "sync_state", account)
    assert shown["remedy"] == "nothing: it is tried again by itself"
    assert 15 * 60 <= shown["next_try"] - before < 16 * 60


def test_a_partition_is_in_sync_after_a_good_cycle(fleet):
    """Dagster calls it *Unsynced* where something above it was logged after it."""
    accounts = fleet.take(2)
    for _ in range(2):
        assert fleet.run(*accounts).success
        assert fleet.stale(STEPS, accounts) == []
    assert fleet.run(partition=accounts[0]).success
    assert fleet.stale(STEPS, accounts[:1]) == []


@pytest.mark.deep
def test_a_partition_that_was_green_shows_its_failure(fleet):
    good, broken = fleet.take(2)
    fleet.run(good, broken)
    set_login(fleet, broken, WRONG)
    fleet.connection.execute(
        text("UPDATE warehouse.person SET surname = 'Changed', shipped_at = now()")
    )
    fleet.connection.commit()

    fleet.run(good, broken)

    assert fleet.status("sync_state", good) == "materialized"
    assert fleet.status("sync_state", broken) == "failed"


def logged(fleet: Fleet, result: dg.ExecuteInProcessResult) -> tuple[set[str], set[str]]:
    """The assets that a run has logged materializations of, and those it has logged verdicts of."""
    made, judged = (
        dg.DagsterEventType.ASSET_MATERIALIZATION,
        dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    )
    records = fleet.instance.get_records_for_run(result.run_id, of_type={made, judged}).records
    events = [record.event_log_entry.get_dagster_event() for record in records]
    return (
        {e.asset_key.to_user_string() for e in events if e.event_type == made and e.asset_key},
        {
            e.asset_check_evaluation_data.asset_key.to_user_string()
            for e in events
            if e.event_type == judged
        },
    )


def test_of_steps_that_do_nothing_only_what_is_new_is_logged(fleet):
    """Their partitions stay in sync, and the verdicts about them current."""
    (account,) = fleet.take(1)
    with_checks = {promise.topic for promise in PROMISES}
    assert logged(fleet, fleet.run(account)) == (set(STEPS), with_checks)
    fleet.run(account)  # It shows that those which did something do nothing now.
    assert logged(fleet, fleet.run(account)) == ({"sync_state"}, {"sync_state"})
    assert fleet.stale(STEPS, [account]) == []


@pytest.mark.deep
def test_of_steps_that_do_nothing_what_was_switched_and_what_had_failed_is_logged(fleet):
    (account,) = fleet.take(1)
    fleet.run(account)
    update_settings(fleet.connection, account, {"campaigns": {}})
    fleet.connection.commit()
    switched, _ = logged(fleet, fleet.run(account))
    assert {"campaigns", "campaign_members", "sync_state"} <= switched < set(STEPS)
    assert latest(fleet, "campaign_members", account)["campaigns"] == "on"
    assert fleet.stale(STEPS, [account]) == []

    set_login(fleet, account, WRONG)
    changed = (
        "UPDATE warehouse.person SET surname = 'New', shipped_at = now() WHERE client_id = :id"
    )
    fleet.connection.execute(text(changed), {"id": f"client-{account}"})
    fleet.connection.commit()
    assert not fleet.run(account).success
    assert fleet.status("retried_operations", account) == "failed"
    set_login(fleet, account, GOOD)
    assert fleet.run(account).success
    assert {fleet.status(step, account) for step in STEPS} == {"materialized"}
    assert fleet.stale(STEPS, [account]) == []


def test_campaigns_say_whether_the_account_has_them_on(fleet):
    off, on = fleet.take(2)
    update_settings(fleet.connection, on, {"campaigns": {}})
    fleet.connection.commit()
    assert fleet.run(off, on).success
    said = [latest(fleet, "campaign_members", account)["campaigns"] for account in (off, on)]
    assert said == ["off", "on"]
    assert [fleet.records(account, "CampaignMember") for account in (off, on)] == [0, 1]


@pytest.mark.parametrize("step", ["registrations", "attendances", "filtered_leads"])
def test_a_step_that_only_reads_leaves_the_account_as_it_is(fleet, step):
    (account,) = fleet.take(1)
    assert fleet.run(partition=account, asset_selection=[dg.AssetKey(step)]).success
    assert fleet.status(step, account) == "materialized"
    assert fleet.records(account, "Lead") == 0
    recorded = text("SELECT count(*) FROM crm.operation WHERE account_id = :account")
    assert fleet.connection.scalar(recorded, {"account": account}) == 0


@pytest.mark.deep
def test_an_account_that_is_busy_is_left_alone_and_says_so(fleet):
    free, busy = fleet.take(2)
    with fleet.connection.engine.connect() as other:
        assert other.scalar(statement("ledger/lock_account"), {"account_id": busy})
        result = fleet.run(free, busy)
        other.execute(statement("ledger/unlock_account"), {"account_id": busy})

    assert result.success
    assert fleet.status("load_results", free) == "materialized"
    assert fleet.status("load_results", busy) == "missing"
    assert fleet.records(busy, "Lead") == 0
    observed = fleet.instance.fetch_observations(dg.AssetKey("sync_state"), limit=1)
    observation = observed.records[0].asset_observation
    assert observation is not None
    assert observation.partition == busy
    assert "Another cycle" in str(observation.metadata["reason"].value)


def disable(fleet, account: str) -> None:
    fleet.connection.execute(
        text("UPDATE crm.account SET enabled = false WHERE account_id = :id"), {"id": account}
    )
    fleet.connection.commit()


@pytest.mark.deep
def test_a_disabled_account_is_refused_to_whoever_names_it(fleet):
    good, disabled = fleet.take(2)
    disable(fleet, disabled)
    result = fleet.run(good, disabled)
    assert not result.success
    assert f"crm-pipeline account enable {disabled}" in failure_of(result)
    assert fleet.records(disabled, "Lead") == 0
    assert fleet.status("sync_state", good) == "materialized"


def test_an_account_that_was_disabled_while_its_run_waited_fails_nothing(fleet):
    good, disabled = fleet.take(2)
    disable(fleet, disabled)
    result = fleet.run(good, disabled, tags={ASKED_BY_TAG: "schedule"})
    assert result.success
    assert fleet.records(disabled, "Lead") == 0


def test_the_metadata_tells_what_the_cycle_did(fleet):
    """As one account from the UI goes through every step; once more there is nothing to do."""
    (account,) = fleet.take(1)
    assert fleet.run(partition=account).success

    assert {fleet.status(step, account) for step in STEPS} == {"materialized"}
    assert fleet.records(account, "Event") == 1
    assert latest(fleet, "registrations", account)["rows"] == 1
    filtered = latest(fleet, "filtered_leads", account)
    assert (filtered["rows_in"], filtered["accepted"], filtered["rejected"]) == (1, 1, 0)
    assert latest(fleet, "lead_payloads", account)["activities_new"] == 1
    loaded = latest(fleet, "load_results", account)
    assert (loaded["leads_created"], loaded["activities_created"], loaded["failed"]) == (1, 1, 0)
    calls = fleet.server.org(account).meter.calls
    assert loaded["api_calls"] == calls.total() - calls["login"] - calls["revoke"]
    assert loaded["data_storage_mb"] == 1
    state = latest(fleet, "sync_state", account)
    assert (state["account"], state["state"]) == (account.title(), "Complete")
    assert (state["waiting"], state["exhausted"]) == (0, 0)

    assert fleet.run(partition=account).success
    assert fleet.records(account, "Lead") == 1
    assert fleet.records(account, "Event") == 1
    assert latest(fleet, "registrations", account)["rows"] == 0
    assert latest(fleet, "filtered_leads", account)["rows_read"] == 0
    assert latest(fleet, "lead_payloads", account)["activities_new"] == 0
    assert latest(fleet, "load_results", account)["api_calls"] == 0


@pytest.mark.deep
def test_rejected_rows_are_counted_by_reason(fleet):
    (account,) = fleet.take(1)
    fleet.connection.execute(
        text("INSERT INTO crm.email_filter VALUES (:account, 'EXAMPLE.com')"), {"account": account}
    )
    fleet.connection.commit()
    fleet.run(account)
    filtered = latest(fleet, "filtered_leads", account)
    assert filtered["rejected"] == filtered["rejected: filtered"] == 1
    assert fleet.records(account, "Lead") == 0


def test_a_run_about_nobody_says_what_to_do(fleet):
    result = fleet.run()
    assert not result.success
    assert "choose partitions" in failure_of(result)


def test_an_account_that_is_unknown_fails_alone(fleet):
    (account,) = fleet.take(1)
    result = fleet.run(account, "nobody")
    assert "nobody" in failure_of(result)
    assert fleet.status("sync_state", account) == "materialized"


def test_an_account_that_is_held_says_so_and_what_to_do(fleet):
    """The steps that read are green, those that send have said why they did nothing."""
    (account,) = fleet.take(1)
    assert fleet.run(account).success
    limits = {"changed_people": 0, "changed_share": 0.1}
    update_settings(fleet.connection, account, {"limits": limits})
    fleet.connection.execute(
        text(
            "UPDATE warehouse.person SET surname = 'N/A', shipped_at = now() WHERE client_id ="
            " (SELECT client_id FROM crm.account WHERE account_id = :account)"
        ),
        {"account": account},
    )
    fleet.connection.commit()
    assert fleet.run(account).success
    said = latest(fleet, "sync_state", account)
    assert said["state"] == "Held"
    assert "1 of 1 known people would change (at most 0)" in said["reason"]
    assert f"`crm-pipeline approve {account}`" in said["remedy"]
    assert said["next_try"] == "when somebody has approved or rejected what is held"
    held = [promise for promise in PROMISES if promise.name == "nothing_is_held"]
    [verdict] = judge(fleet.instance, [account], held)
    assert not verdict.passed
