"""Queries and subrequests, packed into as few calls as the limits allow."""

from typing import Any

import orjson
import pytest

from crm_pipeline.salesforce.composite import QueryRefused, Subrequest, composite, query_all
from crm_pipeline.salesforce.errors import (
    AccountPaused,
    LostAnswer,
    OrgUnavailable,
    RequestRefused,
)
from crm_pipeline.salesforce.login import log_in
from crm_pipeline.salesforce.soql import packed_in_queries
from crm_pipeline_tests.salesforce.orgs import APP, Canned, after_login

Part = tuple[int, Any]

DESCRIBE = Subrequest("describeLead", "GET", "sobjects/Lead/describe", kind="describe")


def _leads(number: int, **fields: Any) -> list[dict[str, Any]]:
    return [
        {"LastName": f"L{n}", "Company": "c", "Email": f"p{n}@example.com", **fields}
        for n in range(number)
    ]


def _composite_answer(*parts: Part) -> Canned:
    answers = [
        {"referenceId": f"q{n}", "httpStatusCode": status, "httpHeaders": {}, "body": body}
        for n, (status, body) in enumerate(parts)
    ]
    return Canned(200, orjson.dumps({"compositeResponse": answers}))


def _page(*ids: str, following: str | None = None) -> Part:
    page: dict[str, Any] = {
        "totalSize": len(ids),
        "done": following is None,
        "records": [{"Id": i} for i in ids],
    }
    return 200, page | ({"nextRecordsUrl": following} if following else {})


def _error(code: str, message: str = "") -> Part:
    return 400, [{"errorCode": code, "message": message}]


def test_ten_thousand_emails_in_leads_and_contacts_cost_two_calls(org):
    org.seed("Lead", *_leads(3))
    connection = org.connect()
    emails = [f"p{n}@example.com" for n in range(10_000)]

    result = query_all(
        connection,
        [
            query
            for sobject in ("Lead", "Contact")
            for query in packed_in_queries(["Id", "Email"], sobject, "Email", emails)
        ],
    )

    assert org.charged == connection.api_calls == 2
    assert connection.calls == {"query": 2}
    assert [len(records) for records in result.records] == [3, *[0] * 9]


def test_describes_ride_along_for_nothing(org):
    connection = org.connect()

    result = query_all(connection, ["SELECT Id FROM Lead"] * 10, also=[DESCRIBE])

    assert org.charged == 2
    assert connection.calls == {"describe+query": 1, "query": 1}
    [answer] = result.also
    assert answer.body["name"] == "Lead"
    assert len(result.records) == 10


def test_what_rides_along_may_ride_alone_and_may_fail(org):
    connection = org.connect()
    unknown = Subrequest("x", "GET", "sobjects/Nothing__c/describe", kind="describe")

    result = query_all(connection, [], also=[DESCRIBE, unknown])

    assert org.charged == 1
    assert [answer.status for answer in result.also] == [200, 404]
    assert result.also[1].error == ("NOT_FOUND", "The requested resource does not exist")
    assert query_all(connection, []).records == []
    assert org.charged == 1


def test_following_pages_are_packed_as_well(make_org):
    org = make_org(limits={"query_batch_size": 200})
    org.seed("Lead", *_leads(900))
    connection = org.connect()

    result = query_all(connection, ["SELECT Id FROM Lead"] * 7)

    # Five pages of each of seven queries, five to a call.
    assert org.charged == 5 * 2
    for records in result.records:
        assert len({record["Id"] for record in records}) == 900


def test_a_cursor_that_is_gone_starts_the_query_again(canned):
    server = canned(
        after_login(
            _composite_answer(_page("1", following="/services/data/v62.0/query/01g-1")),
            _composite_answer(_error("INVALID_QUERY_LOCATOR")),
            _composite_answer(_page("2", following="/services/data/v62.0/query/01g-2")),
            _composite_answer(_page("3")),
        )
    )

    result = query_all(log_in(server.url, APP), ["SELECT Id FROM Lead"])

    assert result.records == [[{"Id": "2"}, {"Id": "3"}]]


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        (_error("INVALID_QUERY_LOCATOR"), OrgUnavailable),
        (_error("QUERY_TIMEOUT"), OrgUnavailable),
        (_error("INVALID_FIELD", "No such column 'x' on entity 'Lead'."), QueryRefused),
        (_error("MALFORMED_QUERY"), QueryRefused),
        (_error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), AccountPaused),
        (_error("SOMETHING_NEW"), RequestRefused),
    ],
)
def test_a_query_that_fails_inside_a_composite_is_a_problem_in_the_end(canned, part, problem):
    server = canned(after_login(_composite_answer(part)))

    with pytest.raises(problem):
        query_all(log_in(server.url, APP), ["SELECT Id FROM Lead"])

    assert len(server.asked) <= 4


def test_a_query_that_fails_in_passing_is_asked_again(canned):
    server = canned(
        after_login(_composite_answer(_error("QUERY_TIMEOUT")), _composite_answer(_page("1")))
    )

    assert query_all(log_in(server.url, APP), ["SELECT Id FROM Lead"]).records == [[{"Id": "1"}]]


def test_hidden_fields_are_said_with_what_the_describe_shows(org):
    org.org.hide_fields(["Lead.Phone"])

    with pytest.raises(QueryRefused, match="mapping") as refused:
        query_all(org.connect(), ["SELECT Phone FROM Lead"], also=[DESCRIBE])

    [describe] = refused.value.also
    assert "Phone" not in {field["name"] for field in describe.body["fields"]}


def test_deleted_records_are_found_when_they_are_asked_for(org):
    [kept, deleted] = org.seed("Lead", *_leads(2))
    connection = org.connect()
    connection.request("delete", "DELETE", f"sobjects/Lead/{deleted}", writes=True)

    queries = ["SELECT Id, IsDeleted FROM Lead"]

    assert [r["Id"] for r in query_all(connection, queries).records[0]] == [kept]
    both = query_all(connection, queries, include_deleted=True).records[0]
    assert {r["Id"]: r["IsDeleted"] for r in both} == {kept: False, deleted: True}


@pytest.mark.parametrize(
    "text",
    ["a+b&c=d#e", "100% & more", "@{q0.body}", "[x]{y}|\\^`<>", "naïve – ü", "a?b/c;d", "it's"],
)
def test_a_query_arrives_as_it_was_written_whatever_it_contains(org, text):
    [lead] = org.seed("Lead", {"LastName": text, "Company": "c"})
    org.seed("Lead", {"LastName": "other", "Company": "c"})
    queries = packed_in_queries(["Id"], "Lead", "LastName", [text])

    result = query_all(org.connect(), ["SELECT Id FROM User", *queries])

    assert [record["Id"] for record in result.records[1]] == [lead]


def test_too_many_subrequests_are_a_bug_of_ours(org):
    with pytest.raises(ValueError, match="26"):
        composite(org.connect(), [DESCRIBE] * 26)


@pytest.mark.parametrize("body", [b"{}", b"[]", b"null", b'{"compositeResponse":[]}', b""])
def test_an_answer_that_is_no_composites_is_a_lost_one(canned, body):
    connection = log_in(canned(after_login(Canned(200, body))).url, APP)

    with pytest.raises(LostAnswer):
        composite(connection, [DESCRIBE], writes=True)
    with pytest.raises(OrgUnavailable):
        composite(connection, [DESCRIBE])


def test_headers_go_to_each_subrequest_since_it_inherits_none(canned):
    server = canned(after_login(_composite_answer(_page("1"))))

    composite(
        log_in(server.url, APP),
        [Subrequest("q0", "GET", "query/?q=x", headers={"Sforce-Auto-Assign": "FALSE"})],
    )

    [sent] = orjson.loads(server.asked[-1].body)["compositeRequest"]
    assert sent["httpHeaders"] == {"Sforce-Auto-Assign": "FALSE"}
    assert sent["url"] == "/services/data/v62.0/query/?q=x"
