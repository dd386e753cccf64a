"""The file that lets an org survive a restart."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
import requests

from crm_pipeline.local_org.config import OrgConfigError
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline_tests.local_org.records import LEAD, admin, create, deleted, read
from crm_pipeline_tests.local_org.wire import Caller


@contextmanager
def running(**config: Any) -> Iterator[Caller]:
    """The org, started with what its file holds."""
    with LocalOrgServer({"name": "acme", **config}) as server, requests.Session() as http:
        org = server.org("acme")
        session = org.open_session(next(iter(org.users.values())).id, None)
        http.headers["Authorization"] = f"Bearer {session.token}"
        yield Caller(org, server.url_of("acme"), http)


@pytest.fixture
def kept(tmp_path):
    """The settings of an org that keeps its records in a file."""
    return {"folder": tmp_path, "file": "acme.org", "records": {"Lead": [LEAD]}}


def test_records_survive_a_restart(kept):
    with running(**kept) as acme:
        changed, gone = create(acme, Email="ada@example.com"), create(acme)
        acme.call("PATCH", f"sobjects/Lead/{changed}", json={"Title": "Countess"})
        acme.call("DELETE", f"sobjects/Lead/{gone}")
        before = read(acme, "Lead", changed)
    with running(**kept) as acme:
        assert read(acme, "Lead", changed) == before
        assert acme.values("SELECT Id FROM Lead WHERE Email = 'ADA@example.com'") == [changed]
        assert len(acme.values("SELECT Id FROM Lead")) == 2
        assert acme.get(f"sobjects/Lead/{gone}").status_code == 404
        assert create(acme) not in (changed, gone)


def test_what_was_rolled_back_is_not_in_the_file(kept):
    records = [{"attributes": {"type": "Lead"}, **LEAD}, {"attributes": {"type": "Lead"}}]
    with running(**kept) as acme:
        acme.post("composite/sobjects", json={"allOrNone": True, "records": records})
    with running(**kept) as acme:
        assert len(acme.values("SELECT Id FROM Lead")) == 1


def test_what_was_answered_is_in_the_file_even_if_the_process_is_killed(kept, tmp_path):
    with running(**kept) as acme:
        lead = create(acme)
        shutil.copy(tmp_path / "acme.org", tmp_path / "as_it_stood.org")
    with running(**{**kept, "file": "as_it_stood.org"}) as acme:
        assert read(acme, "Lead", lead)["Id"] == lead


def test_restoring_and_resetting_reach_the_file(kept):
    with running(**kept) as acme:
        admin(acme, "snapshot")
        create(acme)
        admin(acme, "restore")
        seeded = acme.values("SELECT Id FROM Lead")
    with running(**kept) as acme:
        assert acme.values("SELECT Id FROM Lead") == seeded
        create(acme)
        admin(acme, "reset")
    with running(**kept) as acme:
        assert acme.values("SELECT Id FROM Lead") == seeded


def test_a_file_that_is_something_else_is_refused_and_left_alone(kept, tmp_path):
    file = tmp_path / "acme.org"
    file.write_bytes(b"hello\n")
    with pytest.raises(OrgConfigError, match="file is not a database"):
        LocalOrgServer({"name": "acme", **kept})
    assert file.read_bytes() == b"hello\n"
    file.unlink()
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE guest (name)")
    content = file.read_bytes()
    with pytest.raises(OrgConfigError, match="is no file of a local org"):
        LocalOrgServer({"name": "acme", **kept})
    assert file.read_bytes() == content


def test_a_file_that_cannot_be_written_is_told(kept, tmp_path):
    with pytest.raises(OrgConfigError, match="unable to open"):
        LocalOrgServer({"name": "acme", **kept, "folder": tmp_path / "nowhere"})


def test_a_refreshed_org_keeps_its_new_ids_and_its_file_over_a_restart(kept):
    config = {
        **kept,
        "users": [{"username": "admin@acme.test"}, {"username": "sales@acme.test"}],
        "queues": [{"name": "Hot leads"}],
        "assignment_rules": [{"object": "Lead", "owner": "Hot leads"}],
        "opportunity_stages": [{"label": "Talking"}, {"label": "Won", "type": "won"}],
    }
    setup = ("OpportunityStage", "LeadStatus", "Group", "User", "AssignmentRule")
    with running(**config) as acme:
        old_id = acme.org.id
        sizes = [len(acme.org.table(each).rows) for each in setup]
        account = create(acme, "Account", Name="Engines")
        create(acme, "Contact", LastName="x", AccountId=account)
        admin(acme, "seed", {"Lead": [{**LEAD, "Id": "00Q000000000001EAA"}]})
        new_id = admin(acme, "refresh")["id"]
    for _ in range(2):
        with running(**config) as acme:
            assert acme.org.id == new_id != old_id
            assert acme.values("SELECT Id FROM Organization") == [new_id]
            assert acme.values("SELECT Id FROM Contact WHERE Account.Name = 'Engines'")
            assert acme.values("SELECT AccountId FROM Contact") != [account]
            assert "00Q000000000001EAA" not in acme.values("SELECT Id FROM Lead")
            assert [len(acme.org.table(each).rows) for each in setup] == sizes
            users = {each.id for each in acme.org.users.values()}
            assert set(acme.org.table("User").rows) == users
            (owner,) = acme.query(f"SELECT Owner.Name FROM Lead WHERE Id = '{create(acme)}'")
            assert owner["Owner"]["Name"] == "Hot leads"
    with running(**config) as acme:
        admin(acme, "reset")
        assert admin(acme, "orgs", method="GET")[0]["id"] == old_id


def test_what_was_erased_is_told_after_a_restart(kept):
    with running(**kept) as acme:
        lead = create(acme)
        admin(acme, "erase", {"ids": [lead]})
    with running(**kept) as acme:
        assert deleted(acme) == [lead]
        assert acme.get(f"sobjects/Lead/{lead}").status_code == 404
        assert create(acme) != lead
        admin(acme, "reset")
    with running(**kept) as acme:
        assert deleted(acme) == []
