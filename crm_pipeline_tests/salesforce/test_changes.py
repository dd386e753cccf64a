"""Reading back what changed in an org: everything, once, in few calls."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
import requests

from crm_pipeline.local_org.lifecycle import convert, merge
from crm_pipeline.salesforce.changes import Children, OrgPosition, Watch, read_changes, read_newest
from crm_pipeline.salesforce.connection import Org
from crm_pipeline.salesforce.errors import AccountStopped, OrgUnavailable
from crm_pipeline_tests.salesforce.orgs import LocalOrg

LEADS = Watch("Lead", ("IsDeleted", "Email", "IsConverted", "ConvertedContactId", "MasterRecordId"))
CONTACTS = Watch("Contact", ("IsDeleted", "Email", "MasterRecordId"))
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Reader:
    """Reads on and on from where it was, as a pipeline does."""

    def __init__(self, org: LocalOrg, *watches: Watch) -> None:
        self.connection = org.connect()
        self.watches = watches or (LEADS,)
        self.positions = {watch.sobject: OrgPosition(LONG_AGO) for watch in self.watches}

    def read(self, *, most: int | None = None, now: datetime | None = None) -> list[dict[str, Any]]:
        """The records of a reading, of the first `most` calls of it."""
        found: list[dict[str, Any]] = []
        moment = now or datetime.now(UTC)
        for reading in read_changes(
            self.connection, self.watches, self.positions, moment, pages_at_most=most or 100
        ):
            found += [record for records in reading.records.values() for record in records]
            self.positions |= reading.positions
        return found


def _leads(org: LocalOrg, number: int, stamp: str | None = None) -> list[str]:
    rows = [{"LastName": f"L{n}", "Company": "C"} for n in range(number)]
    return org.seed("Lead", *({**row, "SystemModstamp": stamp} if stamp else row for row in rows))


def _emails(records: list[dict[str, Any]]) -> list[str | None]:
    return [record["Email"] for record in records]


def test_everything_is_read_and_an_idle_reading_costs_one_call(org: LocalOrg) -> None:
    ids = _leads(org, 3)
    [contact] = org.seed("Contact", {"LastName": "C"})
    reader = Reader(org, LEADS, CONTACTS)
    assert {record["Id"] for record in reader.read()} == {*ids, contact}
    before = org.charged
    later = datetime.now(UTC) + timedelta(minutes=2)
    reader.read(now=later)
    assert org.charged - before == 1


def test_five_objects_share_a_call_and_a_sixth_makes_it_two(org: LocalOrg) -> None:
    objects = ("Lead", "Contact", "Account", "User", "Opportunity", "Campaign")
    reader = Reader(org, *(Watch(sobject, ("Name",)) for sobject in objects[:5]))
    reader.read()
    assert org.charged == 1
    reader = Reader(org, *(Watch(sobject, ("Name",)) for sobject in objects))
    reader.read()
    assert org.charged == 3


def test_records_of_one_second_that_fill_pages_are_each_read_once(org: LocalOrg) -> None:
    ids = _leads(org, 4_500, "2026-01-01T00:00:00.000+0000")
    reader = Reader(org)
    before = org.charged
    read = [record["Id"] for record in reader.read()]
    assert sorted(read) == sorted(ids)
    assert org.charged - before == 3


def test_a_reading_goes_on_where_it_was_left(org: LocalOrg) -> None:
    ids = _leads(org, 4_500, "2026-01-01T00:00:00.000+0000")
    reader = Reader(org)
    read = [record["Id"] for record in reader.read(most=1)]
    assert reader.positions["Lead"].cursor is not None
    read += [record["Id"] for record in reader.read()]
    assert sorted(read) == sorted(ids)
    assert reader.positions["Lead"].cursor is None


def test_while_much_is_caught_up_with_one_call_reads_the_newest(org: LocalOrg) -> None:
    _leads(org, 2_500, "2026-01-01T00:00:00.000+0000")
    [newest] = org.seed("Lead", {"LastName": "New", "Company": "C"})
    reader = Reader(org)
    reader.read(most=1)
    before = org.charged
    found = read_newest(reader.connection, reader.watches, reader.positions)
    assert org.charged - before == 1
    assert found["Lead"][-1]["Id"] == newest
    assert len(found["Lead"]) == 2_000


def test_what_changed_since_is_read(org: LocalOrg) -> None:
    first, second = _leads(org, 2)
    reader = Reader(org)
    later = datetime.now(UTC) + timedelta(minutes=5)
    reader.read(now=later)
    reader.positions = {"Lead": OrgPosition(datetime.now(UTC) + timedelta(seconds=-1))}
    _change(reader.connection, second, Email="second@example.com")
    assert "second@example.com" in _emails(reader.read())
    assert first


def test_deleted_merged_and_converted_records_are_among_the_changes(org: LocalOrg) -> None:
    deleted, converted, master, loser = _leads(org, 4)
    connection = org.connect()
    connection.request("delete", "DELETE", f"sobjects/Lead/{deleted}", writes=True)
    contact_id = convert(org.org, converted).contact_id
    merge(org.org, "Lead", master, [loser])
    read = {record["Id"]: record for record in Reader(org, LEADS, CONTACTS).read()}
    assert read[deleted]["IsDeleted"]
    assert not read[deleted]["MasterRecordId"]
    assert read[converted]["ConvertedContactId"] == contact_id
    assert read[loser]["MasterRecordId"] == master
    assert contact_id in read


def test_children_are_read_along(org: LocalOrg) -> None:
    [account] = org.seed("Account", {"Name": "Acme"})
    contacts = org.seed("Contact", *({"LastName": f"C{n}", "AccountId": account} for n in range(3)))
    watch = Watch("Account", ("Name",), (Children("Contacts", ("Id", "LastName")),))
    [record] = Reader(org, watch).read()
    assert {child["Id"] for child in record["Contacts"]} == set(contacts)


def test_without_children_the_list_is_empty(org: LocalOrg) -> None:
    org.seed("Account", {"Name": "Acme"})
    watch = Watch("Account", ("Name",), (Children("Contacts", ("Id",)),))
    [record] = Reader(org, watch).read()
    assert record["Contacts"] == []


def test_the_position_is_what_the_org_says_is_covered(org: LocalOrg) -> None:
    reader = Reader(org)
    now = datetime.now(UTC)
    reader.read(now=now)
    assert reader.positions["Lead"] == OrgPosition(now.replace(second=0, microsecond=0))


def test_nothing_is_lost_of_transactions_that_are_committed_late(org: LocalOrg) -> None:
    random, ids = Random(7), _leads(org, 20)
    careful, by_stamp = Reader(org), Reader(org)
    seen: dict[str, str | None] = {}
    seen_by_stamp: dict[str, str | None] = {}

    def read() -> None:
        now = datetime.now(UTC) + org.org.clock_shift
        seen.update((record["Id"], record["Email"]) for record in careful.read(now=now))
        for record in by_stamp.read(now=now):
            seen_by_stamp[record["Id"]] = record["Email"]
            stamp = datetime.fromisoformat(record["SystemModstamp"])
            by_stamp.positions["Lead"] = OrgPosition(stamp)

    for step in range(90):
        body: dict[str, Any] = {
            "id": random.choice(ids),
            "fields": {"Email": f"{step}@example.com"},
        }
        if step % 3 == 0:
            body["hold_seconds"] = random.randint(60, 1_200)
        requests.post(f"{org.url}/_admin/edit", json=body, timeout=30)
        org.org.clock_shift += timedelta(seconds=random.randint(1, 60))
        if step % 4 == 0:
            read()
    requests.post(f"{org.url}/_admin/transactions/end", timeout=30)
    read()
    truth = {row["Id"]: row.get("Email") for row in org.rows("Lead")}
    assert seen == truth
    assert seen_by_stamp != truth


def test_where_a_composite_does_not_tell_a_call_now_and_then_does(org: LocalOrg) -> None:
    reader = Reader(org)
    now = datetime.now(UTC)
    org.weather("updated", "error", status=400, code="NOT_ALLOWED")
    before = org.charged
    reader.read(now=now)
    assert reader.positions["Lead"].covered == now.replace(second=0, microsecond=0)
    assert org.charged - before == 3
    org.weather("updated", "error", status=400, code="NOT_ALLOWED")
    before = org.charged
    reader.read(now=now + timedelta(minutes=1))
    assert reader.positions["Lead"].covered == now.replace(second=0, microsecond=0)
    assert org.charged - before == 1


def test_where_the_org_says_nothing_an_overlap_is_read_again(org: LocalOrg) -> None:
    reader = Reader(org)
    now = datetime.now(UTC)
    org.weather("updated", "error", status=400, code="NOT_ALLOWED", times=9)
    reader.read(now=now)
    assert reader.positions["Lead"].covered == now - timedelta(minutes=10)


def test_an_object_that_the_org_lacks_stops(org: LocalOrg) -> None:
    reader = Reader(org, Watch("Prospect__c", ("Name",)))
    with pytest.raises(AccountStopped):
        reader.read()


def test_one_failing_query_loses_no_position(org: LocalOrg) -> None:
    _leads(org, 1)
    reader = Reader(org, LEADS, CONTACTS)
    org.weather("query", "error", status=500, nth=2)
    with pytest.raises(OrgUnavailable):
        reader.read()
    assert reader.positions == {"Lead": OrgPosition(LONG_AGO), "Contact": OrgPosition(LONG_AGO)}


def _change(connection: Org, lead: str, **fields: Any) -> None:
    connection.request("update", "PATCH", f"sobjects/Lead/{lead}", json=fields, writes=True)
