from typing import Any

import orjson
import pytest

from crm_pipeline_tests.local_org.records import LEAD, create, error, read
from crm_pipeline_tests.local_org.wire import VERSION, Caller

DATA = f"/services/data/v{VERSION}"
ROLLED_BACK = [
    {
        "errorCode": "PROCESSING_HALTED",
        "message": "The transaction was rolled back since another operation in the same "
        "transaction failed.",
    }
]


def sub(reference_id: str, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "referenceId": reference_id,
        "method": method,
        "url": f"{DATA}/{path}",
        **({} if body is None else {"body": body}),
        **more,
    }


def send(acme: Caller, *subrequests: dict[str, Any], **options: Any) -> Any:
    answer = acme.post("composite", json={"compositeRequest": subrequests, **options})
    assert answer.status_code == 200, answer.text
    return answer.json()["compositeResponse"]


ACCOUNT = sub("account", "POST", "sobjects/Account", {"Name": "Acme"})
CONTACT = sub(
    "contact", "POST", "sobjects/Contact", {"LastName": "x", "AccountId": "@{account.id}"}
)
BAD = sub("bad", "POST", "sobjects/Contact", {"LastName": "x", "Email": "foo"})


def test_each_subrequest_has_its_answer_and_may_refer_to_earlier_ones(acme):
    account, contact, read_back = send(
        acme,
        ACCOUNT,
        CONTACT,
        sub("read", "GET", "sobjects/Contact/@{contact.id}?fields=AccountId"),
    )
    account_id = account["body"]["id"]
    assert account == {
        "body": {"id": account_id, "success": True, "errors": []},
        "httpHeaders": {"Location": f"{DATA}/sobjects/Account/{account_id}"},
        "httpStatusCode": 201,
        "referenceId": "account",
    }
    assert contact["referenceId"] == "contact"
    assert read_back["body"]["AccountId"] == account_id


def test_a_reference_may_be_escaped_as_json(acme):
    text = orjson.dumps({"compositeRequest": [ACCOUNT, CONTACT]}).replace(b"@{", b"\\u0040\\u007b")
    answer = acme.post("composite", data=text, headers={"Content-Type": "application/json"})
    account, contact = answer.json()["compositeResponse"]
    [parent] = acme.values(f"SELECT AccountId FROM Contact WHERE Id = '{contact['body']['id']}'")
    assert parent == account["body"]["id"]


def test_only_bodies_of_errors_are_arrays_and_the_others_go_on(acme):
    bad, account = send(acme, BAD, ACCOUNT)
    assert bad == {
        "body": [
            {
                "message": "Email: invalid email address: foo",
                "errorCode": "INVALID_EMAIL_ADDRESS",
                "fields": ["Email"],
            }
        ],
        "httpHeaders": {},
        "httpStatusCode": 400,
        "referenceId": "bad",
    }
    assert account["httpStatusCode"] == 201


def test_a_reference_that_leads_nowhere_halts_its_subrequest(acme):
    _, contact = send(acme, {**BAD, "referenceId": "account"}, CONTACT)
    assert contact == {
        "body": [
            {
                "errorCode": "PROCESSING_HALTED",
                "message": "Invalid reference specified. No value for account.id found in account",
            }
        ],
        "httpHeaders": {},
        "httpStatusCode": 400,
        "referenceId": "contact",
    }


def test_with_all_or_none_the_culprit_keeps_its_error_and_all_is_undone(acme):
    account, bad, later = send(
        acme, ACCOUNT, BAD, {**ACCOUNT, "referenceId": "later"}, allOrNone=True
    )
    assert (account["httpStatusCode"], account["body"]) == (400, ROLLED_BACK)
    assert bad["body"][0]["errorCode"] == "INVALID_EMAIL_ADDRESS"
    assert (later["httpStatusCode"], later["body"]) == (400, ROLLED_BACK)
    assert acme.org.table("Account").rows == {}


def test_queries_and_collections_are_subrequests_and_count_as_one_api_call(acme):
    lead_id = create(acme, Email="ada@example.com")
    used = acme.org.meter.charged
    found, updated, upserted, described = send(
        acme,
        sub("found", "GET", "query?q=SELECT+Id+FROM+Lead+WHERE+Email='ada@example.com'"),
        sub(
            "updated",
            "PATCH",
            "composite/sobjects",
            {
                "records": [
                    {"attributes": {"type": "Lead"}, "id": "@{found.records[0].Id}", "Title": "x"}
                ]
            },
        ),
        sub(
            "upserted",
            "PATCH",
            "composite/sobjects/Lead/Ext__c",
            {"records": [{"attributes": {"type": "Lead"}, **LEAD, "Ext__c": "1"}]},
        ),
        sub("described", "GET", "sobjects/Lead/describe"),
    )
    assert found["body"]["records"][0]["Id"] == lead_id
    assert updated["body"] == [{"id": lead_id, "success": True, "errors": []}]
    assert upserted["body"][0]["created"] is True
    assert described["body"]["name"] == "Lead"
    assert read(acme, "Lead", lead_id)["Title"] == "x"
    assert acme.org.meter.charged == used + 2
    assert acme.org.meter.calls["composite"] == 1


def test_a_query_in_a_composite_may_be_longer_than_any_url(acme):
    emails = ",".join(f"'{number}@example.com'" for number in range(2_000))
    (found,) = send(acme, sub("q", "GET", f"query?q=SELECT Id FROM Lead WHERE Email IN ({emails})"))
    assert found["body"] == {"totalSize": 0, "done": True, "records": []}


def test_outer_all_or_none_overrules_that_of_a_collection(acme):
    records = [{"attributes": {"type": "Lead"}, **LEAD}, {"attributes": {"type": "Lead"}}]
    collection = sub("many", "POST", "composite/sobjects", {"allOrNone": False, "records": records})
    account, many = send(acme, ACCOUNT, collection, allOrNone=True)
    assert account["body"] == ROLLED_BACK
    assert [each["success"] for each in many["body"]] == [False, False]
    assert acme.org.table("Lead").rows == {}
    account, many = send(acme, ACCOUNT, collection)
    assert [each["success"] for each in many["body"]] == [True, False]


def test_a_failed_collection_undoes_only_itself(acme):
    records = [
        {"attributes": {"type": "Account"}, "Name": "x"},
        {"attributes": {"type": "Account"}},
    ]
    account, many = send(
        acme,
        ACCOUNT,
        sub("many", "POST", "composite/sobjects", {"allOrNone": True, "records": records}),
    )
    assert list(acme.org.table("Account").rows) == [account["body"]["id"]]
    assert [each["success"] for each in many["body"]] == [False, False]


def test_twenty_five_subrequests_of_which_five_may_query_are_the_limit(acme):
    gets = [sub(f"r{number}", "GET", "sobjects") for number in range(26)]
    assert len(send(acme, *gets[:25])) == 25
    answer = acme.post("composite", json={"compositeRequest": gets})
    assert answer.status_code == 400
    queries = [sub(f"r{number}", "GET", "query?q=SELECT Id FROM Lead") for number in range(6)]
    assert len(send(acme, *queries[:5])) == 5
    answer = acme.post("composite", json={"compositeRequest": queries})
    assert answer.status_code == 400
    assert "limit is 5" in error(answer)["message"]


def test_composites_and_bulk_jobs_do_not_go_inside(acme):
    for path in ("composite", "jobs/ingest"):
        (answer,) = send(acme, sub("x", "POST", path, {}))
        assert answer["httpStatusCode"] == 400
    (answer,) = send(acme, {"referenceId": "x", "method": "GET", "url": "http://[broken"})
    assert answer["httpStatusCode"] in (400, 404)


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"compositeRequest": []},
        {"compositeRequest": {}},
        {"compositeRequest": [7]},
        {"compositeRequest": [{"url": "/x", "referenceId": "a"}]},
        {"compositeRequest": [{"method": "GET", "referenceId": "a"}]},
        {"compositeRequest": [{"method": "GET", "url": "/x"}]},
        {"compositeRequest": [{"method": "GET", "url": "/x", "referenceId": "a.b"}]},
        {"compositeRequest": [{"method": "GET", "url": "/x", "referenceId": "a"}] * 2},
        {"compositeRequest": [{"method": "LOOK", "url": "/x", "referenceId": "a"}]},
        {
            "compositeRequest": [
                {"method": "GET", "url": "/x", "referenceId": "a", "httpHeaders": {"a": 1}}
            ]
        },
        {"allOrNone": 1, "compositeRequest": [{"method": "GET", "url": "/x", "referenceId": "a"}]},
    ],
)
def test_a_body_of_another_shape_is_refused_as_a_whole(acme, body):
    answer = acme.post("composite", json=body)
    assert answer.status_code == 400
    assert set(error(answer)) == {"message", "errorCode"}
