"""Bulk API 2.0: few calls, results that find their writes, and nothing written unseen."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_pipeline.local_org.ids import long_id
from crm_pipeline.salesforce.bulk import bulk_query, next_wait, send_by_bulk, settle
from crm_pipeline.salesforce.connection import Org
from crm_pipeline.salesforce.errors import (
    AccountPaused,
    AccountStopped,
    OrgUnavailable,
    SalesforceProblem,
)
from crm_pipeline.salesforce.login import log_in
from crm_pipeline.salesforce.outcomes import Outcome, Write
from crm_pipeline_tests.salesforce.orgs import APP, Asked, Canned, after_login, refusal


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr("crm_pipeline.salesforce.bulk._SHORTEST_WAIT_SECONDS", 0.02)


def _lead(ref: int, **fields: Any) -> Write:
    return Write(ref, "Lead", "create", {"LastName": f"L{ref}", "Company": "c", **fields})


def _leads(number: int) -> list[Write]:
    return [_lead(ref) for ref in range(number)]


def _send(
    connection: Org, writes: Iterable[Write], **more: Any
) -> tuple[dict[int, Outcome], SalesforceProblem | None]:
    outcomes: dict[int, Outcome] = {}
    try:
        for batch in send_by_bulk(connection, writes, **more):
            for outcome in batch:
                assert outcome.ref not in outcomes
                outcomes[outcome.ref] = outcome
    except SalesforceProblem as problem:
        return outcomes, problem
    return outcomes, None


def _statuses(outcomes: dict[int, Outcome]) -> Counter[str]:
    return Counter(outcome.status for outcome in outcomes.values())


def test_many_creates_cost_a_handful_of_calls_and_each_learns_its_id(org):
    connection = org.connect()

    outcomes, problem = _send(connection, _leads(5_000))

    assert problem is None
    names = {row["Id"]: row["LastName"] for row in org.rows("Lead")}
    assert len(names) == 5_000
    assert all(names[o.salesforce_id or ""] == f"L{ref}" for ref, o in outcomes.items())
    assert all(outcome.created for outcome in outcomes.values())
    assert connection.calls["bulk.job"] == connection.calls["bulk.upload"] == 1
    assert connection.calls["bulk.results"] == 1
    assert connection.api_calls <= 8
    assert connection.api_calls == org.charged


@pytest.mark.parametrize("number", [1, 201, 10_001])
def test_the_last_record_arrives_whatever_their_number(org, number):
    """simple-salesforce's bulk v1 drops a last batch of one: 1 sends none, 10,001 sends 10,000."""
    outcomes, _ = _send(org.connect(), _leads(number))

    assert _statuses(outcomes) == {"ok": number}
    assert len(org.rows("Lead")) == number


def test_updates_that_all_worked_need_no_results(org):
    leads = org.seed("Lead", *[{"LastName": "A", "Company": "c"}] * 2_500)
    connection = org.connect()
    writes = [
        Write(ref, "Lead", "update", {"City": f"C{ref}"}, salesforce_id=lead)
        for ref, lead in enumerate(leads)
    ]

    outcomes, _ = _send(connection, writes)

    assert {o.salesforce_id: f"C{ref}" for ref, o in outcomes.items()} == {
        row["Id"]: row["City"] for row in org.rows("Lead")
    }
    assert "bulk.results" not in connection.calls


def test_rows_that_fail_are_told_apart_from_those_that_do_not(org):
    writes = [
        _lead(0),
        Write(1, "Lead", "create", {"LastName": "x"}),
        _lead(2, Email="not an email"),
        _lead(3),
    ]

    outcomes, problem = _send(org.connect(), writes)

    assert problem is None
    assert [outcomes[ref].status for ref in range(4)] == ["ok", "error", "error", "ok"]
    assert outcomes[1].errors[0].code == "REQUIRED_FIELD_MISSING"
    assert outcomes[1].errors[0].fields == ("Company",)
    assert outcomes[2].errors[0].code == "INVALID_EMAIL_ADDRESS"


def test_updates_of_which_some_fail_are_known_by_the_failed_ones(org):
    leads = org.seed("Lead", *[{"LastName": "A", "Company": "c"}] * 3)
    connection = org.connect()
    cities = ["a", "x" * 41, "c"]
    writes = [
        Write(ref, "Lead", "update", {"City": cities[ref]}, salesforce_id=lead)
        for ref, lead in enumerate(leads)
    ]

    outcomes, _ = _send(connection, writes)

    assert [outcomes[ref].status for ref in range(3)] == ["ok", "error", "ok"]
    assert outcomes[1].errors[0].code == "STRING_TOO_LONG"
    assert outcomes[2].salesforce_id == leads[2]
    assert connection.calls["bulk.results"] == 1


def test_an_update_clears_what_is_none_and_leaves_what_is_missing(org):
    leads = org.seed("Lead", *[{"LastName": "A", "Company": "c", "City": "x", "Title": "t"}] * 2)
    writes = [
        Write(0, "Lead", "update", {"City": None}, salesforce_id=leads[0]),
        Write(1, "Lead", "update", {"Title": "new"}, salesforce_id=leads[1]),
    ]

    _send(org.connect(), writes)

    assert [(row.get("City"), row.get("Title")) for row in org.rows("Lead")] == [
        (None, "t"),
        ("x", "new"),
    ]


@pytest.mark.parametrize(
    "text", ["two\nlines", 'a "quoted, word"', "Müller 🎉", "@{c0.id}", "a,b", "#", "'"]
)
def test_text_arrives_as_it_is(org, text):
    outcomes, _ = _send(org.connect(), [_lead(0, Description=text), _lead(1)])

    assert _statuses(outcomes) == {"ok": 2}
    assert [row.get("Description") for row in org.rows("Lead")] == [text, None]


def test_creates_with_the_same_content_each_get_a_record(org):
    writes = [Write(ref, "Lead", "create", {"LastName": "A", "Company": "c"}) for ref in range(4)]

    outcomes, _ = _send(org.connect(), writes)

    assert {o.salesforce_id for o in outcomes.values()} == {row["Id"] for row in org.rows("Lead")}
    assert len(org.rows("Lead")) == 4


def test_an_upsert_finds_its_records_by_the_external_id(make_org):
    org = make_org(
        objects={"Lead": {"fields": {"Key__c": {"type": "string", "external_id": True}}}}
    )
    org.seed("Lead", {"LastName": "A", "Company": "c", "Key__c": "k0"})
    writes = [
        Write(
            ref,
            "Lead",
            "upsert",
            {"Key__c": f"k{ref}", "LastName": "B", "Company": "c"},
            external_id_field="Key__c",
        )
        for ref in range(2)
    ]

    outcomes, _ = _send(org.connect(), writes)

    assert [outcomes[0].created, outcomes[1].created] == [False, True]
    assert sorted(row["Key__c"] for row in org.rows("Lead")) == ["k0", "k1"]


def test_each_object_and_action_has_a_job_and_so_has_each_upload_that_is_full(org, monkeypatch):
    monkeypatch.setattr(
        "crm_pipeline.salesforce.bulk_csv.uploads_of.__kwdefaults__", {"limit": 6_000}
    )
    leads = org.seed("Lead", *[{"LastName": "A", "Company": "c"}] * 10)
    connection = org.connect()
    updates = [
        Write(2_000 + ref, "Lead", "update", {"City": "x"}, salesforce_id=lead)
        for ref, lead in enumerate(leads)
    ]

    outcomes, problem = _send(connection, _leads(1_000) + updates)

    assert problem is None
    assert _statuses(outcomes) == {"ok": 1_010}
    assert len(org.rows("Lead")) == 1_010
    assert connection.calls["bulk.job"] == 3


def test_a_record_that_comes_twice_ends_as_it_came_last(org):
    [lead] = org.seed("Lead", {"LastName": "A", "Company": "c"})
    writes = [
        Write(ref, "Lead", "update", {"City": city}, salesforce_id=lead)
        for ref, city in enumerate(("first", "second"))
    ]

    outcomes, _ = _send(org.connect(), writes)

    assert _statuses(outcomes) == {"ok": 2}
    assert [row["City"] for row in org.rows("Lead")] == ["second"]


def test_assignment_rules_run_only_when_they_are_asked_for(make_org):
    users = [{"username": n, "password": "x"} for n in ("api@acme.test", "sales@acme.test")]
    rule = {"object": "Lead", "owner": "sales@acme.test", "id": long_id("01Q000000000001")}
    org = make_org(users=users, assignment_rules=[rule])
    connection = org.connect()
    api, sales = (user.id for user in org.org.users.values())

    _send(connection, [_lead(0)])
    _send(connection, [_lead(1)], assignment_rule_id=rule["id"])

    assert [row["OwnerId"] for row in org.rows("Lead")] == [api, sales]


@pytest.mark.parametrize(
    "kind", ["bulk2.create_job", "bulk2.upload", "bulk2.close", "bulk2.state", "bulk2.results"]
)
@pytest.mark.parametrize(
    "action", ["reset_before", "reset_after", "html_503", "html_503_after", "truncate"]
)
def test_an_answer_that_is_lost_anywhere_on_the_way_doubles_and_loses_nothing(org, kind, action):
    connection = org.connect()
    org.weather(kind, action)

    outcomes, problem = _send(connection, _leads(50))

    assert problem is None
    assert _statuses(outcomes) == {"ok": 50}
    assert len({row["LastName"] for row in org.rows("Lead")}) == len(org.rows("Lead")) == 50


def test_an_org_that_loses_every_upload_got_nothing(org):
    org.weather("bulk2.upload", "reset_after", times=99)

    outcomes, problem = _send(org.connect(), _leads(3))

    assert isinstance(problem, OrgUnavailable)
    assert _statuses(outcomes) == {"not_sent": 3}
    assert org.rows("Lead") == []


def test_a_job_that_goes_out_of_sight_is_lost_and_can_be_settled(org):
    connection = org.connect()
    told: dict[str, list[int]] = {}
    org.weather("bulk2.state", "html_503", times=99)

    outcomes, problem = _send(connection, _leads(3), on_job=told.__setitem__)

    assert isinstance(problem, OrgUnavailable)
    assert _statuses(outcomes) == {"lost": 3}
    [(job_id, refs)] = told.items()
    assert refs == [0, 1, 2]
    with pytest.raises(OrgUnavailable):
        settle(connection, job_id)
    org.org.weather.faults.clear()
    assert settle(connection, job_id)


def test_a_job_is_told_before_anything_is_written(org):
    seen = []

    _send(org.connect(), _leads(3), on_job=lambda job_id, refs: seen.append(len(org.rows("Lead"))))

    assert seen == [0]


def test_a_job_that_has_not_ended_is_aborted_when_it_is_settled(make_org):
    org = make_org(limits={"bulk_seconds": 60})
    connection = org.connect()
    answer = connection.request(
        "bulk.job",
        "POST",
        "jobs/ingest",
        json={"object": "Lead", "operation": "insert", "contentType": "CSV", "lineEnding": "LF"},
    )

    assert settle(connection, answer.body["id"])

    state = connection.request("s", "GET", f"jobs/ingest/{answer.body['id']}").body["state"]
    assert state == "Aborted"


def test_a_job_that_nobody_remembers_is_settled(org):
    assert settle(org.connect(), "750000000000001AAA")


def test_patience_ends_a_job_and_what_it_did_not_do_is_not_sent(make_org):
    org = make_org(limits={"bulk_seconds": 60})

    outcomes, problem = _send(org.connect(), _leads(3), patience=0.05)

    assert isinstance(problem, OrgUnavailable)
    assert _statuses(outcomes) == {"not_sent": 3}
    assert org.rows("Lead") == []


def test_a_field_that_the_org_does_not_have_stops_the_account(org):
    outcomes, problem = _send(org.connect(), [_lead(0, Nothing__c="x")])

    assert isinstance(problem, AccountStopped)
    assert _statuses(outcomes) == {"not_sent": 1}


def test_an_object_that_the_org_does_not_have_stops_the_account(org):
    outcomes, problem = _send(org.connect(), [Write(0, "Nothing__c", "create", {"Name": "x"})])

    assert isinstance(problem, AccountStopped)
    assert _statuses(outcomes) == {"not_sent": 1}


def test_the_days_requests_running_out_is_no_reason_to_lose_sight_unsaid(make_org):
    org = make_org(limits={"daily_api_requests": 2})

    outcomes, problem = _send(org.connect(), _leads(3))

    assert isinstance(problem, AccountPaused)
    assert _statuses(outcomes) == {"not_sent": 3}
    assert org.rows("Lead") == []


def _jobs(info: dict[str, Any], **results: str) -> Any:
    """An org whose one job ends as told."""

    def answer(asked: Asked) -> Canned:
        name = asked.path.rpartition("/")[2]
        if name in results:
            return Canned(200, results[name].encode(), "text/csv")
        if asked.method == "PUT":
            return Canned(201)
        return Canned(200, orjson.dumps({"id": "750", **info}))

    logins = after_login()
    return lambda asked: logins(asked) if "oauth2" in asked.path else answer(asked)


def test_a_failed_job_keeps_what_succeeded_and_says_what_was_not_tried(canned):
    server = canned(
        _jobs(
            {
                "state": "Failed",
                "numberRecordsProcessed": 2,
                "numberRecordsFailed": 1,
                "errorMessage": "TooManyLockFailure : Too many lock failures",
            },
            successfulResults='"sf__Id","sf__Created","LastName"\n"00Q1","true","L0"\n',
            failedResults='"sf__Id","sf__Error","LastName"\n"","STRING_TOO_LONG:x:A --","L1"\n',
            unprocessedrecords='"LastName"\n"L2"\n',
        )
    )

    outcomes, problem = _send(log_in(server.url, APP), _leads(4))

    assert isinstance(problem, OrgUnavailable)
    assert [outcomes[ref].status for ref in range(4)] == ["ok", "error", "not_sent", "lost"]
    assert outcomes[0].salesforce_id == "00Q1"


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("InvalidBatch : Field name not found : Nothing__c", AccountStopped),
        ("LineEnding is invalid on user data", AccountStopped),
        ("ExceededQuota : ApiBatchItems Limit exceeded", AccountPaused),
        ("TooManyLockFailure : x", OrgUnavailable),
    ],
)
def test_why_a_job_failed_decides_what_becomes_of_the_account(canned, message, problem):
    info = {"state": "Failed", "numberRecordsProcessed": 0, "errorMessage": message}
    server = canned(_jobs(info))

    outcomes, raised = _send(log_in(server.url, APP), _leads(2))

    assert type(raised) is problem
    assert _statuses(outcomes) == {"not_sent": 2}


def test_rows_of_a_complete_job_that_no_result_mentions_are_lost(canned):
    server = canned(
        _jobs(
            {"state": "JobComplete", "numberRecordsProcessed": 1, "numberRecordsFailed": 0},
            successfulResults='"sf__Id","sf__Created","LastName"\n"00Q1","true","L1"\n',
        )
    )

    outcomes, _ = _send(log_in(server.url, APP), _leads(2))

    assert [outcomes[ref].status for ref in range(2)] == ["lost", "ok"]


def test_a_job_that_is_refused_stops_the_account_and_says_which(canned):
    logins = after_login()
    server = canned(
        lambda asked: (
            logins(asked)
            if "oauth2" in asked.path
            else refusal(400, "INVALIDENTITY", "not supported by the Bulk API")
        )
    )

    outcomes, problem = _send(log_in(server.url, APP), _leads(2))

    assert isinstance(problem, AccountStopped)
    assert "Lead" in str(problem)
    assert _statuses(outcomes) == {"not_sent": 2}


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.floats(0.1, 3_600), st.floats(0.2, 60))
def test_the_next_look_comes_neither_at_once_nor_late(rows, processed, elapsed, last):
    wait = next_wait(rows, min(processed, rows), elapsed, last)

    assert 0 < wait <= 60


def test_the_next_look_comes_when_the_job_is_likely_to_be_done():
    assert next_wait(100, 50, 10, 1) == pytest.approx(11)
    assert next_wait(100, 0, 10, 1) == 2


def test_a_query_of_any_size_streams_page_by_page(org, monkeypatch):
    monkeypatch.setattr("crm_pipeline.salesforce.bulk.BULK_RESULT_PAGE", 400)
    org.seed(
        "Lead",
        *[{"LastName": f"L{n}", "Company": "two\nlines, ü", "Title": None} for n in range(1_000)],
    )
    connection = org.connect()

    rows = list(bulk_query(connection, "SELECT Id, LastName, Company, Title FROM Lead"))

    assert [row["LastName"] for row in rows] == [f"L{n}" for n in range(1_000)]
    assert rows[0]["Company"] == "two\nlines, ü"
    assert rows[0]["Title"] == ""
    assert connection.calls["bulk.results"] == 3
    assert connection.api_calls == org.charged


def test_a_query_without_results_and_one_that_is_refused(org):
    connection = org.connect()

    assert list(bulk_query(connection, "SELECT Id FROM Lead")) == []
    with pytest.raises(SalesforceProblem):
        list(bulk_query(connection, "SELECT Nothing FROM Lead"))


def test_a_page_whose_answer_is_lost_is_asked_for_again(org):
    org.seed("Lead", {"LastName": "A", "Company": "c"})
    org.weather("bulk2.query.results", "wrong_length")

    assert len(list(bulk_query(org.connect(), "SELECT Id FROM Lead"))) == 1


@pytest.mark.parametrize(
    "cut",
    [b'"Id","Name"\n"1","a"\n', b'"Id","Name"\n"1","a"\n"2"', b'"Id","Name"\n"1","a"\n"2","b'],
)
def test_a_page_that_is_cut_off_unnoticed_is_found_out_by_its_rows(canned, cut):
    two = {"Sforce-NumberOfRecords": "2", "Sforce-Locator": "null"}
    whole = b'"Id","Name"\n"1","a"\n"2","b"\n'
    pages = [Canned(200, cut, "text/csv", two), Canned(200, whole, "text/csv", two)]
    jobs = _jobs({"state": "JobComplete"})
    server = canned(lambda asked: pages.pop(0) if "results" in asked.path else jobs(asked))

    rows = list(bulk_query(log_in(server.url, APP), "SELECT Id, Name FROM Lead"))

    assert rows == [{"Id": "1", "Name": "a"}, {"Id": "2", "Name": "b"}]


def test_a_page_that_never_comes_whole_is_an_org_that_is_down(canned):
    page = Canned(200, b'"Id"\n"1"\n', "text/csv", {"Sforce-NumberOfRecords": "2"})
    jobs = _jobs({"state": "JobComplete"})
    server = canned(lambda asked: page if "results" in asked.path else jobs(asked))

    with pytest.raises(OrgUnavailable, match="whole"):
        list(bulk_query(log_in(server.url, APP), "SELECT Id FROM Lead"))


def test_deleted_records_are_streamed_when_they_are_asked_for(org):
    [lead] = org.seed("Lead", {"LastName": "A", "Company": "c"})
    connection = org.connect()
    connection.request("delete", "DELETE", f"sobjects/Lead/{lead}", writes=True)

    assert list(bulk_query(connection, "SELECT Id FROM Lead")) == []
    rows = list(bulk_query(connection, "SELECT Id FROM Lead", include_deleted=True))
    assert rows == [{"Id": lead}]
