from typing import Any

import pytest

from crm_pipeline_tests.local_org.records import error, read


def node(sobject: str, reference_id: str, **fields: Any) -> dict[str, Any]:
    return {"attributes": {"type": sobject, "referenceId": reference_id}, **fields}


ACME = node(
    "Account",
    "acme",
    Name="Acme",
    Contacts={
        "records": [node("Contact", "ada", LastName="x"), node("Contact", "bob", LastName="y")]
    },
)


def test_a_tree_creates_parents_and_children(acme):
    answer = acme.post("composite/tree/Account", json={"records": [ACME]})
    body = answer.json()
    assert answer.status_code == 201
    assert body["hasErrors"] is False
    ids = {each["referenceId"]: each["id"] for each in body["results"]}
    assert list(ids) == ["acme", "ada", "bob"]
    assert read(acme, "Contact", ids["ada"])["AccountId"] == ids["acme"]


def test_one_failure_keeps_the_whole_tree_from_being_created(acme):
    bad = node("Account", "bad", Contacts={"records": [node("Contact", "x", LastName="x")]})
    answer = acme.post("composite/tree/Account", json={"records": [ACME, bad]})
    assert answer.status_code == 400
    assert answer.json() == {
        "hasErrors": True,
        "results": [
            {
                "referenceId": "bad",
                "errors": [
                    {
                        "statusCode": "REQUIRED_FIELD_MISSING",
                        "message": "Required fields are missing: [Name]",
                        "fields": ["Name"],
                    }
                ],
            }
        ],
    }
    assert acme.org.table("Account").rows == {}


def deep(levels: int) -> dict[str, Any]:
    inner = node("Account", f"level{levels}", Name="x")
    if levels > 1:
        inner["ChildAccounts"] = {"records": [deep(levels - 1)]}
    return inner


def test_a_tree_has_at_most_five_levels_and_200_records(acme):
    assert acme.post("composite/tree/Account", json={"records": [deep(5)]}).status_code == 201
    assert acme.post("composite/tree/Account", json={"records": [deep(6)]}).status_code == 400
    many = [node("Account", f"a{number}", Name="x") for number in range(201)]
    assert acme.post("composite/tree/Account", json={"records": many[:200]}).status_code == 201
    answer = acme.post("composite/tree/Account", json={"records": many})
    assert error(answer)["errorCode"] == "EXCEEDED_ID_LIMIT"


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"records": []},
        {"records": [7]},
        {"records": [{"Name": "x"}]},
        {"records": [node("Contact", "a", LastName="x")]},
        {"records": [node("Account", "a", Name="x")] * 2},
        {"records": [node("Account", "a", Name="x", Contacts={"records": 7})]},
    ],
)
def test_a_tree_of_another_shape_is_refused(acme, body):
    answer = acme.post("composite/tree/Account", json=body)
    assert answer.status_code == 400
    assert set(error(answer)) == {"message", "errorCode"}
