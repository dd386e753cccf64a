"""An org's answer is looked at before it is believed, and one record's fault is its own."""

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_pipeline.salesforce import writes
from crm_pipeline.salesforce.errors import AccountStopped, OrgUnavailable, SalesforceProblem
from crm_pipeline.salesforce.login import log_in
from crm_pipeline.salesforce.matching import choose, find_people
from crm_pipeline.salesforce.outcomes import Outcome, Write
from crm_pipeline.salesforce.packing import collections_of
from crm_pipeline.salesforce.writes import Duplicate, send_by_composite, single_create
from crm_pipeline_tests.salesforce.orgs import APP, Canned, after_login

LEAD, CONTACT, ACCOUNT = "00Q000000000001AAA", "003000000000001AAA", "001000000000001AAA"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["success", "id", "errors", "statusCode", "message", "fields", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


def lead(ref: int, **fields: Any) -> Write:
    return Write(ref, "Lead", "create", {"LastName": f"L{ref}", "Company": "c", **fields})


def send(connection: Any, given_writes: list[Write]) -> dict[int, Outcome]:
    sent = send_by_composite(connection, given_writes, parallel=1)
    return {outcome.ref: outcome for batch in sent for outcome in batch}


@pytest.mark.parametrize("odd", [{0}, {137}, {199}, {3, 4, 190}])
def test_a_refused_collection_is_halved_until_the_odd_records_are_alone(org, odd):
    connection = org.connect()

    outcomes = send(
        connection,
        [lead(ref, **({"NumberOfEmployees": "many"} if ref in odd else {})) for ref in range(200)],
    )

    assert {ref for ref, each in outcomes.items() if each.status == "error"} == odd
    assert all(outcomes[ref].errors[0].code == "JSON_PARSER_ERROR" for ref in odd)
    assert sorted(row["LastName"] for row in org.rows("Lead")) == sorted(
        f"L{ref}" for ref in range(200) if ref not in odd
    )
    assert connection.calls["create"] <= 1 + 2 * 8 * len(odd)


def test_where_all_records_are_odd_the_account_is_stopped_after_some_calls(org):
    connection = org.connect()

    with pytest.raises(AccountStopped):
        send(connection, [lead(ref, NumberOfEmployees="many") for ref in range(200)])

    assert connection.calls["create"] <= 1 + 2 * 24
    assert org.rows("Lead") == []


@pytest.mark.parametrize(
    "row",
    [
        None,
        [],
        "yes",
        {"success": True},
        {"success": True, "id": None},
        {"success": True, "id": 4711},
        {"success": True, "id": "no id"},
    ],
)
def test_a_success_without_a_record_is_looked_up(canned, row):
    body = [{"success": True, "id": LEAD, "errors": []}, row]
    answer = {"compositeResponse": [{"referenceId": "c0", "httpStatusCode": 200, "body": body}]}
    org = canned(after_login(Canned(200, orjson.dumps(answer))))

    outcomes = send(log_in(org.url, APP), [lead(0), lead(1)])

    assert [outcomes[0].status, outcomes[1].status] == ["ok", "lost"]


@given(rows=st.lists(json_values, min_size=2, max_size=2))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_a_row_of_an_answer_is_each_write_has_one_outcome(rows):
    part = next(collections_of([lead(0), lead(1)]))

    outcomes, _ = writes._read_rows(part, rows)

    assert [outcome.ref for outcome in outcomes] == [0, 1]
    assert all(each.salesforce_id for each in outcomes if each.status == "ok")


@pytest.mark.parametrize(
    ("named", "duplicates"),
    [
        ([("Account", ACCOUNT)], []),
        ([("Account", ACCOUNT), ("Lead", LEAD)], [Duplicate("Lead", LEAD)]),
        ([("Contact", CONTACT), (None, LEAD), ("Lead", None)], [Duplicate("Contact", CONTACT)]),
        ([("Case", "500000000000001AAA")], []),
    ],
)
def test_a_duplicate_rule_names_people_or_nobody(canned, named, duplicates):
    found = [{"record": {"attributes": {"type": kind}, "Id": each}} for kind, each in named]
    error = {
        "errorCode": "DUPLICATES_DETECTED",
        "message": "Use one of these records?",
        "duplicateResut": {"matchResults": [{"matchRecords": found}, None]},
    }
    answer = {"compositeResponse": [{"referenceId": "s0", "httpStatusCode": 400, "body": [error]}]}
    org = canned(after_login(Canned(200, orjson.dumps(answer))))

    [created] = single_create(log_in(org.url, APP), [lead(0)])

    assert created.duplicates == duplicates
    (refused,) = created.outcome.errors
    assert refused.code == "DUPLICATES_DETECTED"
    told = refused.message.removeprefix("Use one of these records?")
    others = "".join(f"{kind} {each}" for kind, each in named)
    assert told == ("" if duplicates else f" (the duplicate rule names nobody, but {others})")


@given(body=json_values)
def test_whatever_names_duplicates_is_read(body):
    assert all(isinstance(each, Duplicate) for each in writes._duplicates([body]))


def query_answer(*pages: Any) -> Canned:
    answers = [
        {"referenceId": f"q{place}", "httpStatusCode": 200, "body": page}
        for place, page in enumerate(pages)
    ]
    return Canned(200, orjson.dumps({"compositeResponse": answers}))


def found(canned: Any, leads: Any, contacts: Any) -> Any:
    org = canned(after_login(query_answer(leads, contacts)))
    return find_people(log_in(org.url, APP), ["ann@example.com"], lead_fields=(), contact_fields=())


def page(*records: Any) -> dict[str, Any]:
    return {"totalSize": len(records), "done": True, "records": list(records)}


def test_a_record_that_lacks_what_it_was_asked_for_is_passed_over(canned):
    good = {"Id": LEAD, "Email": "Ann@example.com", "CreatedDate": "2026-01-01T00:00:00.000+0000"}
    people = found(
        canned,
        page(
            {"Id": None, "Email": "ann@example.com"},
            {"Id": LEAD, "Email": None},
            {"Id": LEAD, "Email": 4711},
            {"Id": ACCOUNT, "Email": "ann@example.com"},
            {"Id": "00Q000000000002AAA", "Email": "ann@example.com", "CreatedDate": None},
            good,
        ),
        page(),
    )

    match = choose(people["ann@example.com"])
    assert match is not None
    assert match.salesforce_id == LEAD, "who has no date is taken for the youngest"


@pytest.mark.parametrize("odd", [None, [], "x", {}, {"records": None}, {"records": [None]}])
def test_an_answer_that_is_no_page_makes_nobody_a_stranger(canned, odd):
    with pytest.raises(OrgUnavailable):
        found(canned, odd, page())


def test_half_a_surrogate_pair_in_an_answer_leaves_it_readable(canned):
    body = b'[{"errorCode": "STRING_TOO_LONG", "message": "too large: \\ud83d"}]'
    org = canned(after_login(Canned(400, body)))

    with pytest.raises(SalesforceProblem, match="STRING_TOO_LONG"):
        log_in(org.url, APP).request("query", "GET", "query/?q=x")
