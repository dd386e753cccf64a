"""The checks: what each notices, on a real ledger, and what Dagster then shows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from sqlalchemy import Connection, text

from crm_pipeline.accounts.store import update_settings
from crm_pipeline.definitions import defs
from crm_pipeline.lineage.assets import PROMISES, check_key
from crm_pipeline.lineage.checks import judge
from crm_pipeline.lineage.overdue import overdue_accounts
from crm_pipeline_tests.flows.webinars.conftest import Fleet


def verdicts(fleet: Fleet, account: str) -> dict[str, bool]:
    return {e.check_name: e.passed for e in judge(fleet.instance, [account], PROMISES)}


def failing(fleet: Fleet, account: str) -> list[str]:
    return sorted(name for name, passed in verdicts(fleet, account).items() if not passed)


def change(connection: Connection, sql: str, **values: object) -> None:
    connection.execute(text(sql), values)
    connection.commit()


@dataclass
class Synced:
    """Accounts after a good cycle, which no test has had yet; the members' have campaigns on."""

    accounts: list[str]
    members: list[str]


@pytest.fixture(scope="module")
def synced(fleet: Fleet) -> Synced:
    """All by one run, as Dagster's part of it costs more than a cycle."""
    synced = Synced(fleet.take(13), fleet.take(3))
    for each in synced.members:
        update_settings(fleet.connection, each, {"campaigns": {}})
    fleet.connection.commit()
    assert fleet.run(*synced.accounts, *synced.members).success
    return synced


@pytest.fixture
def account(synced: Synced) -> str:
    """An account after a good cycle."""
    return synced.accounts.pop()


def test_after_a_good_cycle_every_check_passes(fleet, account):
    assert verdicts(fleet, account) == {check.name: True for check in PROMISES}


def test_a_row_that_got_lost_between_reading_and_the_ledger_is_noticed(fleet, account):
    change(
        fleet.connection,
        "UPDATE crm.cycle SET counts = jsonb_set(counts, '{topics,filtered_leads,rows_read}', '2')"
        " WHERE account_id = :account",
        account=account,
    )
    assert failing(fleet, account) == ["every_row_is_accounted_for"]


def test_an_operation_that_vanished_from_the_ledger_is_noticed(fleet, account):
    change(
        fleet.connection,
        "DELETE FROM crm.operation WHERE account_id = :account AND kind = 'activity'",
        account=account,
    )
    assert failing(fleet, account) == ["every_row_is_accounted_for"]


@pytest.mark.parametrize(("added", "noticed"), [("-1 hour", True), ("1 hour", False)])
def test_a_payload_for_a_filtered_address_is_noticed(fleet, account, added, noticed):
    """A filter string that was added after the cycle is for the next one."""
    change(
        fleet.connection,
        "INSERT INTO crm.email_filter VALUES"
        " (:account, ' Example.COM ', now() + CAST(:added AS interval))",
        account=account,
        added=added,
    )
    assert failing(fleet, account) == (["no_filtered_address"] if noticed else [])


@pytest.mark.parametrize(
    ("field", "value", "number"),
    [("LastName", '""', "required_values_missing"), ("City", f'"{"x" * 41}"', "values_too_long")],
)
def test_a_payload_that_breaks_the_orgs_rules_is_noticed(fleet, account, field, value, number):
    change(
        fleet.connection,
        "UPDATE crm.operation SET sent = jsonb_set(coalesce(sent, intent -> sobject),"
        " ARRAY[:field], CAST(:value AS jsonb)) WHERE account_id = :account AND kind = 'person'",
        account=account,
        field=field,
        value=value,
    )
    (evaluation,) = [e for e in judge(fleet.instance, [account], PROMISES) if not e.passed]
    assert evaluation.check_name == "payloads_fit_the_org"
    assert evaluation.metadata[number].value == 1


@pytest.fixture
def member(fleet: Fleet, synced: Synced) -> str:
    """An account with campaigns on, after a good cycle: it has one member of one campaign."""
    account = synced.members.pop()
    assert fleet.records(account, "CampaignMember") == 1
    return account


def test_campaigns_and_members_as_they_are_sent_fit_the_org(fleet, member):
    assert verdicts(fleet, member) == {check.name: True for check in PROMISES}


def test_a_member_without_its_campaign_is_noticed(fleet, member):
    change(
        fleet.connection,
        "DELETE FROM crm.event_campaign WHERE account_id = :account",
        account=member,
    )
    assert failing(fleet, member) == ["payloads_fit_the_org"]


def test_a_members_value_that_is_too_long_is_noticed(fleet, member):
    change(
        fleet.connection,
        "UPDATE crm.operation SET intent = jsonb_set(intent, '{Status}', to_jsonb(repeat('x', 99)))"
        " WHERE account_id = :account AND kind = 'member'",
        account=member,
    )
    assert failing(fleet, member) == ["payloads_fit_the_org"]


def test_many_failures_are_a_warning(fleet, account):
    change(
        fleet.connection,
        "UPDATE crm.sync_state SET succeeded = 8, failed = 1 WHERE account_id = :account",
        account=account,
    )
    (evaluation,) = [e for e in judge(fleet.instance, [account], PROMISES) if not e.passed]
    assert evaluation.check_name == "few_writes_fail"
    assert evaluation.severity == dg.AssetCheckSeverity.WARN
    assert evaluation.metadata["percent_failed"].value == 11.1


def test_exhausted_retries_are_noticed(fleet, account):
    change(
        fleet.connection,
        "UPDATE crm.operation SET state = 'exhausted'"
        " WHERE account_id = :account AND kind = 'activity'",
        account=account,
    )
    assert failing(fleet, account) == ["no_exhausted_retries"]


@pytest.mark.parametrize(("minutes", "late"), [(59, False), (61, True)])
def test_what_waits_longer_than_promised_is_noticed(fleet, account, minutes, late):
    change(
        fleet.connection,
        "UPDATE crm.operation SET state = 'failed', created_at = :at"
        " WHERE account_id = :account AND kind = 'activity'",
        account=account,
        at=datetime.now(UTC) - timedelta(minutes=minutes),
    )
    assert failing(fleet, account) == (["delivered_in_time"] if late else [])


def shown(fleet: Fleet, check: str, account: str) -> tuple[AssetCheckExecutionRecordStatus, bool]:
    """Dagster's latest verdict of the check, and whether that is still current."""
    (key,) = [check_key(each) for each in PROMISES if each.name == check]
    (info,) = fleet.instance.event_log_storage.get_asset_check_partition_info(
        [key], partition_keys=[account]
    )
    return info.latest_execution_status, info.is_current


@pytest.mark.deep
def test_a_cycle_shows_its_verdicts_for_each_account(fleet):
    good, spent = fleet.take(2)
    fleet.run(good, spent)
    change(
        fleet.connection,
        "UPDATE crm.operation SET state = 'exhausted', attempts_left = 0"
        " WHERE account_id = :account AND kind = 'activity'",
        account=spent,
    )

    fleet.run(good, spent)

    assert shown(fleet, "no_exhausted_retries", good) == (
        AssetCheckExecutionRecordStatus.SUCCEEDED,
        True,
    )
    assert shown(fleet, "no_exhausted_retries", spent) == (
        AssetCheckExecutionRecordStatus.FAILED,
        True,
    )


def test_a_check_can_be_executed_by_itself_for_one_partition(fleet, account):
    change(
        fleet.connection,
        "UPDATE crm.operation SET state = 'exhausted' WHERE account_id = :account",
        account=account,
    )
    (key,) = [check_key(check) for check in PROMISES if check.name == "no_exhausted_retries"]
    job = dg.define_asset_job("one_check", selection=dg.AssetSelection.checks(key))
    resolved = dg.Definitions.merge(defs, dg.Definitions(jobs=[job])).resolve_job_def("one_check")

    result = resolved.execute_in_process(
        instance=fleet.instance, tags={"dagster/partition": account}
    )

    assert result.success
    assert shown(fleet, key.name, account) == (AssetCheckExecutionRecordStatus.FAILED, True)


@pytest.mark.deep
def test_an_account_that_no_longer_runs_is_shown_as_late_by_the_sensor(fleet, account):
    """Refused credentials, say: no cycle judges it any more, and its last verdict was good."""
    change(
        fleet.connection,
        "INSERT INTO crm.alert (account_id, cause, detail, message)"
        " VALUES (:account, 'late', '', '')",
        account=account,
    )
    context = dg.build_sensor_context(
        instance=fleet.instance, repository_def=defs.get_repository_def()
    )

    for _ in range(2):  # late, in time again, and the same once more
        change(fleet.connection, "UPDATE crm.alert SET closed_at = NULL, raised_at = now()")
        for newly in (1, 0):
            said = overdue_accounts(context)
            assert isinstance(said, dg.SkipReason)
            assert said.skip_message == f"1 accounts are late, {newly} of them newly."
            assert shown(fleet, "delivered_in_time", account) == (
                AssetCheckExecutionRecordStatus.FAILED,
                True,
            )
        change(fleet.connection, "UPDATE crm.alert SET closed_at = now()")
        fleet.run(account)
        assert shown(fleet, "delivered_in_time", account) == (
            AssetCheckExecutionRecordStatus.SUCCEEDED,
            True,
        )
