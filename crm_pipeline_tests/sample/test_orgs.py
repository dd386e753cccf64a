"""The sample accounts, their orgs, and the people whom these know."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from crm_pipeline.local_org.config import load
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.sample.accounts import SAMPLE_ACCOUNTS, clients
from crm_pipeline.sample.foreseen import audience, callers, foreseen, sessions_to_push, users
from crm_pipeline.sample.known_people import KnownPeople, known_callers, known_people
from crm_pipeline.sample.orgs import credentials, write_orgs
from crm_pipeline.sample.warehouse import create

UNTIL = datetime(2026, 11, 20, 12, 7, tzinfo=UTC)
ALDER, BANNER, COBALT, *_ = SAMPLE_ACCOUNTS


@pytest.fixture(scope="module")
def warehouse(module_pipeline: Engine) -> Engine:
    create(module_pipeline, clients(8), 1_500, seed=2, until=UNTIL)
    return module_pipeline


def test_the_orgs_file_is_one_that_the_local_org_serves(warehouse: Engine, tmp_path: Path):
    with warehouse.connect() as connection:
        file = write_orgs(connection, tmp_path / "orgs")

    assert [org.name for org in load(file)] == [each.account_id for each in SAMPLE_ACCOUNTS]
    with LocalOrgServer(file) as server:
        leads = server.org(ALDER.account_id).table("Lead").rows.values()
        assert {lead["IsConverted"] for lead in leads} == {True, False}
        assert any(lead["Email"].isupper() for lead in leads)


def test_secrets_are_for_the_owner_only_and_fresh_each_time(warehouse: Engine, tmp_path: Path):
    with warehouse.connect() as connection:
        write_orgs(connection, tmp_path)
        before = credentials(tmp_path)
        write_orgs(connection, tmp_path)

    for file in (tmp_path / "orgs.yaml", tmp_path / f"{COBALT.account_id}.key"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    after = credentials(tmp_path)
    assert before[ALDER.account_id]["client_secret"] != after[ALDER.account_id]["client_secret"]
    assert before[COBALT.account_id]["private_key"] != after[COBALT.account_id]["private_key"]
    assert {each["method"] for each in after.values()} == {"client_credentials", "jwt", "password"}


def test_written_anew_the_orgs_forget_what_they_held(warehouse: Engine, tmp_path: Path):
    left = tmp_path / f"{ALDER.account_id}.org"
    left.write_text("of another warehouse")

    with warehouse.connect() as connection:
        write_orgs(connection, tmp_path)

    assert not left.exists()


def test_known_people_stand_for_every_way_to_be_known():
    known = known_people(ALDER, [f"person{number:03}@mail.example" for number in range(100)])

    assert len(known.as_leads) + len(known.as_contacts) == len(known.addresses) == 20
    emails = [lead["Email"].lower() for lead in known.records["Lead"]]
    assert len(emails) > len(set(emails))
    assert {lead["Email"].lower() for lead in known.records["Lead"]} & {
        contact["Email"] for contact in known.records["Contact"]
    }


def test_an_account_that_lists_sessions_sees_only_those(warehouse: Engine):
    with warehouse.connect() as connection:
        listed = sessions_to_push(connection, COBALT)
        seen = audience(connection, COBALT)

    assert listed
    assert {row.event_session_id for row in seen.rows} <= set(listed)


def test_filtered_and_unusable_addresses_are_foreseen_as_rejected(warehouse: Engine):
    with warehouse.connect() as connection:
        seen = audience(connection, ALDER)
        numbers = foreseen(connection, ALDER)
        of_platform = users(connection, ALDER)

    filtered = [row for row in seen.rows if row.address and "@rival." in row.address]
    tests = [row for row in seen.rows if row.address and "mailtest" in row.address]
    none = [row for row in seen.rows if row.address is None]
    named = {*filtered, *tests, *none}
    waiting = [row for row in seen.rows if not row.counts and row not in named]
    assert min(len(filtered), len(tests), len(none), len(waiting)) > 0
    assert of_platform.rejected > 0
    rows = len(filtered) + len(tests) + len(none) + len(waiting)
    assert numbers.rejected == rows + of_platform.rejected
    visits = [row for row in seen.accepted if row.kind != "registration"]
    assert len(visits) > len(set(visits))
    again = len(visits) - len(set(visits))
    assert numbers.activities == len(seen.rows) - rows - again


@pytest.mark.parametrize("number", [1, 8, 12])
def test_any_number_of_clients_can_be_had(number: int):
    named = clients(number)

    assert len(named) == number
    assert len(set(named.values())) == number
    assert next(iter(named)) == ALDER.account_id


def test_an_org_knows_some_callers_once_and_some_twice(warehouse: Engine):
    with warehouse.connect() as connection:
        tracked = callers(connection, COBALT)
        assert not callers(connection, ALDER).leads
    known = KnownPeople()
    once = known_callers(known, tracked.numbers)
    assert len(tracked.addresses) > 5
    assert len(tracked.numbers) > len(once) > 1
    assert 0 < tracked.rejected < tracked.leads
