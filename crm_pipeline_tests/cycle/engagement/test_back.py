"""What people change at matched Leads and Contacts is told to the source, and nothing else."""

from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.cycle.engagement.conftest import Engaged, complete
from crm_pipeline_tests.depth import deep_rows_but_for
from crm_pipeline_tests.flows.engagement.warehouse import prospect


def told(bench: Bench) -> list[dict[str, Any]]:
    """The messages since this was asked last, oldest first."""
    rows = bench.connection.execute(
        text("DELETE FROM platform_inbox.message WHERE topic = 'engaged_people' RETURNING *")
    ).all()
    bench.connection.commit()
    return [row.body for row in sorted(rows, key=lambda row: row.version)]


@pytest.fixture
def ada(bench: Bench) -> str:
    """A matched lead, of which everything was told."""
    prospect(bench.connection, "ada", favorite=True)
    lead = bench.seed("Lead", FirstName="Ada", LastName="L", Company="C", Email="ada@x.example")
    for _ in range(3):
        complete(bench)
    told(bench)
    return lead


@pytest.mark.parametrize(
    ("field", "value", "name"),
    deep_rows_but_for(
        lambda field, *_: field in ("Email", "Favorite__c"),
        [
            ("Email", "new@x.example", "email"),
            ("Favorite__c", False, "favorite"),
            ("FirstName", "Augusta", "first_name"),
            ("LastName", "King", "last_name"),
            ("Prospect_Id__c", "by hand", "prospect_id"),
        ],
    ),
)
def test_an_edit_is_told_with_all_values(
    bench: Bench, ada: str, field: str, value: Any, name: str
) -> None:
    bench.admin("edit", id=ada, fields={field: value})
    complete(bench)
    body = told(bench)[0]
    assert body[name] == value
    assert body["id"] == ada
    assert body.keys() == {
        *("id", "email", "favorite", "name", "first_name", "last_name", "owner_email"),
        *("prospect_id", "object", "is_gone"),
    }


@pytest.mark.deep
def test_nothing_that_we_wrote_is_told(bench: Bench, ada: str) -> None:
    prospect(bench.connection, "ada", favorite=False, temperature=3)
    complete(bench)
    complete(bench)
    assert bench.org.table("Lead").rows[ada]["Favorite__c"] is False
    assert told(bench) == []


def test_other_fields_and_other_people_are_not_told(bench: Bench, ada: str) -> None:
    other = bench.seed("Lead", LastName="O", Company="C", Email="o@x.example")
    bench.admin("edit", id=ada, fields={"City": "Berlin"})
    bench.admin("edit", id=other, fields={"FirstName": "O"})
    complete(bench)
    assert told(bench) == []


@pytest.mark.deep
def test_an_edit_beside_our_write_is_not_lost(bench: Bench, ada: str) -> None:
    prospect(bench.connection, "ada", favorite=False)
    bench.admin("edit", id=ada, fields={"LastName": "King"})
    complete(bench)
    complete(bench)
    assert [body["last_name"] for body in told(bench)][-1] == "King"


@pytest.mark.deep
def test_a_new_address_of_the_owner_is_told(bench: Bench, ada: str) -> None:
    owner = bench.org.table("Lead").rows[ada]["OwnerId"]
    bench.admin("edit", id=owner, fields={"Email": "boss@acme.test"})
    complete(bench)
    assert [body["owner_email"] for body in told(bench)] == ["boss@acme.test"]
    complete(bench)
    assert told(bench) == []


def test_the_contact_of_a_converted_lead_is_told(bench: Bench, ada: str) -> None:
    bench.admin("convert", lead_id=ada)
    complete(bench)
    complete(bench)
    [contact] = bench.records("Contact")
    bodies = told(bench)
    assert [body["object"] for body in bodies if body["id"] == contact["Id"]] == ["Contact"]


@pytest.mark.deep
@pytest.mark.parametrize("has_address", [False, True])
def test_a_queue_as_owner_is_told_with_its_address_or_none(
    engaged: Engaged, has_address: bool
) -> None:
    queue = {"name": "Inbound", "email": "inbound@acme.test"}
    with engaged({"queues": [queue], "queue_owner_email": has_address}) as bench:
        prospect(bench.connection, "ada")
        lead = bench.seed("Lead", LastName="L", Company="C", Email="ada@x.example")
        for _ in range(3):
            complete(bench)
        told(bench)
        [group] = bench.org.table("Group").rows
        bench.admin("edit", id=lead, fields={"OwnerId": group})
        complete(bench)
        [body] = told(bench)
        assert body["owner_email"] == ("inbound@acme.test" if has_address else None)


@pytest.mark.deep
def test_of_two_leads_that_people_merge_the_one_that_is_left_is_told(
    bench: Bench, ada: str
) -> None:
    other = bench.seed("Lead", FirstName="A", LastName="L", Company="C", Email="ada@x.example")
    for _ in range(2):
        complete(bench)
    told(bench)
    bench.admin("merge", object="Lead", master_id=other, ids=[ada])
    bench.admin("edit", id=other, fields={"FirstName": "Augusta"})
    for _ in range(2):
        complete(bench)
    bodies = {body["id"]: body for body in told(bench)}
    assert bodies[other]["first_name"] == "Augusta"
    assert bodies[other]["is_gone"] is False
    assert bodies[ada]["is_gone"] is True


def test_what_two_people_change_is_told_as_it_stands_whoever_owns_it(engaged: Engaged) -> None:
    """One of them makes somebody the owner who leaves; what we write beside goes all the same."""
    secret = {"password": "secret", "security_token": "TOKEN"}
    users = [{"username": f"{name}@acme.test", **secret} for name in ("api", "leaver")]
    with engaged({"users": users}) as bench:
        prospect(bench.connection, "ada", favorite=True)
        lead = bench.seed("Lead", LastName="L", Company="C", Email="ada@x.example")
        for _ in range(3):
            complete(bench)
        told(bench)
        [leaver] = [
            record_id
            for record_id, user in bench.org.table("User").rows.items()
            if user["Username"] == "leaver@acme.test"
        ]
        bench.admin("edit", id=lead, fields={"FirstName": "Augusta", "OwnerId": leaver})
        bench.admin("edit", id=lead, fields={"LastName": "King", "Favorite__c": False})
        bench.admin("edit", id=leaver, fields={"IsActive": False})
        prospect(bench.connection, "ada", favorite=True, temperature=9)
        complete(bench)
        [body] = told(bench)
        assert (body["first_name"], body["last_name"]) == ("Augusta", "King")
        assert (body["favorite"], body["owner_email"]) == (False, "leaver@acme.test")
        row = bench.org.table("Lead").rows[lead]
        assert (row["Temperature__c"], row["Favorite__c"]) == (9, False)
