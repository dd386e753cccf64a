"""Writes by composite calls: exact calls, exact outcomes, and nothing sent twice."""

import threading
from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Any

import orjson
import pytest

from crm_pipeline.salesforce.connection import Org
from crm_pipeline.salesforce.errors import (
    AccountPaused,
    AccountStopped,
    OrgUnavailable,
    SalesforceProblem,
    Treatment,
)
from crm_pipeline.salesforce.login import log_in
from crm_pipeline.salesforce.outcomes import Outcome, RowError, Write
from crm_pipeline.salesforce.writes import Duplicate, send_by_composite, single_create
from crm_pipeline_tests.salesforce.orgs import APP, Asked, Canned, LocalOrg, after_login
from crm_pipeline_tests.small_calls import small_calls

FALSE = {"Sforce-Auto-Assign": "FALSE"}


def _lead(ref: int, **fields: Any) -> Write:
    return Write(ref, "Lead", "create", {"LastName": f"L{ref}", "Company": "c", **fields})


def _leads(number: int) -> list[Write]:
    return [_lead(ref) for ref in range(number)]


def _send(
    connection: Org, writes: Iterable[Write], **more: Any
) -> tuple[dict[int, Outcome], SalesforceProblem | None]:
    """All outcomes by ref, each once, and what was raised in the end."""
    outcomes: dict[int, Outcome] = {}
    try:
        for batch in send_by_composite(connection, writes, **{"parallel": 1, **more}):
            for outcome in batch:
                assert outcome.ref not in outcomes
                outcomes[outcome.ref] = outcome
    except SalesforceProblem as problem:
        return outcomes, problem
    return outcomes, None


def _statuses(outcomes: dict[int, Outcome]) -> Counter[str]:
    return Counter(outcome.status for outcome in outcomes.values())


@pytest.fixture(name="small_calls")
def _small_calls():
    with small_calls():
        yield


def test_ten_thousand_creates_cost_ten_calls_and_each_learns_its_id(org):
    connection = org.connect()

    outcomes, problem = _send(connection, _leads(10_000), parallel=4)

    assert problem is None
    assert connection.calls == {"create": 10}
    assert org.charged == 10
    names = {row["Id"]: row["LastName"] for row in org.rows("Lead")}
    assert len(names) == 10_000
    assert all(names[o.salesforce_id or ""] == f"L{ref}" for ref, o in outcomes.items())
    assert all(outcome.created for outcome in outcomes.values())


def test_six_thousand_updates_of_two_objects_cost_six_calls(org):
    leads = org.seed("Lead", *[{"LastName": "A", "Company": "c"}] * 4_000)
    contacts = org.seed("Contact", *[{"LastName": "A"}] * 2_000)
    connection = org.connect()
    writes = [
        Write(
            ref,
            "Lead" if record[:3] == "00Q" else "Contact",
            "update",
            {"LastName": f"B{ref}"},
            salesforce_id=record,
        )
        for ref, record in enumerate(leads + contacts)
    ]

    outcomes, problem = _send(connection, writes)

    assert problem is None
    assert connection.calls == {"update": 6}
    assert _statuses(outcomes) == {"ok": 6_000}
    assert not any(outcome.created for outcome in outcomes.values())
    changed = {row["Id"]: row["LastName"] for s in ("Lead", "Contact") for row in org.rows(s)}
    assert changed == {write.salesforce_id: write.fields["LastName"] for write in writes}


def test_creates_and_updates_share_calls(org):
    [lead] = org.seed("Lead", {"LastName": "A", "Company": "c"})
    connection = org.connect()
    update = Write(0, "Lead", "update", {"City": "Bonn"}, salesforce_id=lead)

    outcomes, _ = _send(connection, [update, _lead(1)])

    assert connection.calls == {"create+update": 1}
    assert _statuses(outcomes) == {"ok": 2}


def test_an_upsert_says_whether_it_created(make_org):
    org = make_org(
        objects={"Activity": {"fields": {"Key__c": {"type": "string", "external_id": True}}}}
    )
    event = {"Subject": "s", "DurationInMinutes": 0, "ActivityDateTime": "2026-01-01T00:00:00Z"}
    writes = [
        Write(ref, "Event", "upsert", {**event, "Key__c": f"k{ref}"}, external_id_field="Key__c")
        for ref in range(3)
    ]
    connection = org.connect()

    first, _ = _send(connection, writes[:2])
    again, _ = _send(connection, writes)

    assert [first[ref].created for ref in range(2)] == [True, True]
    assert [again[ref].created for ref in range(3)] == [False, False, True]
    assert len(org.rows("Event")) == 3


@pytest.mark.parametrize("key", ["a b?/1", "100%", "x&y=z", "ü", "o'brien"])
def test_an_external_id_may_contain_anything(make_org, key):
    """In simple-salesforce it goes into the path as it is."""
    org = make_org(
        objects={"Lead": {"fields": {"Key__c": {"type": "string", "external_id": True}}}}
    )
    [lead] = org.seed("Lead", {"LastName": "A", "Company": "c", "Key__c": key})
    fields = {"Key__c": key, "LastName": "B"}

    outcomes, _ = _send(
        org.connect(), [Write(0, "Lead", "upsert", fields, external_id_field="Key__c")]
    )

    assert outcomes[0] == Outcome(0, "ok", lead)
    assert [row["LastName"] for row in org.rows("Lead")] == ["B"]


def test_deletes_are_writes_too(org):
    leads = org.seed("Lead", *[{"LastName": "A", "Company": "c"}] * 3)

    outcomes, _ = _send(
        org.connect(),
        [Write(ref, "Lead", "delete", {}, salesforce_id=lead) for ref, lead in enumerate(leads)],
    )

    assert _statuses(outcomes) == {"ok": 3}
    assert org.rows("Lead") == []


def test_a_row_that_is_refused_says_why_and_stops_no_other(org):
    writes = [_lead(0), Write(1, "Lead", "create", {"LastName": "x"}), _lead(2)]

    outcomes, problem = _send(org.connect(), writes)

    assert problem is None
    assert [outcomes[ref].status for ref in range(3)] == ["ok", "error", "ok"]
    [error] = outcomes[1].errors
    assert (error.code, error.fields) == ("REQUIRED_FIELD_MISSING", ("Company",))
    assert error.treatment is Treatment.MEND_ORG


@pytest.mark.usefixtures("small_calls")
@pytest.mark.parametrize(
    ("action", "committed"),
    [
        ("reset_before", False),
        ("reset_after", True),
        ("html_503", False),
        ("html_503_after", True),
        ("truncate", True),
        ("wrong_length", True),
        ("hang_after", True),
    ],
)
def test_only_the_rows_of_a_lost_answer_are_lost_and_none_is_sent_twice(org, action, committed):
    # Short for the call that hangs, and long enough for the others.
    connection = org.connect(read_timeout=3.0 if action == "hang_after" else 20.0)
    org.weather("composite", action, nth=2, seconds=60)

    outcomes, problem = _send(connection, _leads(12))

    assert problem is None
    assert [outcomes[ref].status for ref in range(12)] == ["ok"] * 4 + ["lost"] * 4 + ["ok"] * 4
    assert connection.calls == {"create": 3}
    assert len(org.rows("Lead")) == (12 if committed else 8)
    org.lets_go()


@pytest.mark.usefixtures("small_calls")
def test_an_org_that_loses_one_answer_after_another_is_left_alone(org):
    org.weather("composite", "reset_after", nth=2, times=9)
    connection = org.connect()

    outcomes, problem = _send(connection, _leads(20))

    assert isinstance(problem, OrgUnavailable)
    assert _statuses(outcomes) == {"ok": 4, "lost": 8, "not_sent": 8}
    assert len(org.rows("Lead")) == 12
    assert connection.api_calls == 3


@pytest.mark.usefixtures("small_calls")
@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (
            {"status": 403, "code": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests"},
            AccountPaused,
        ),
        ({"status": 403, "code": "API_DISABLED_FOR_ORG"}, AccountStopped),
    ],
)
@pytest.mark.parametrize("kind", ["composite", "collections.create"])
def test_what_was_not_sent_when_the_org_stops_us_is_said_before_it_is_raised(
    org, kind, fault, problem
):
    org.weather(kind, "error", nth=2, times=99, **fault)

    outcomes, raised = _send(org.connect(), _leads(12))

    assert type(raised) is problem
    statuses = _statuses(outcomes)
    assert statuses["ok"] == len(org.rows("Lead"))
    assert statuses == {"ok": 4 if kind == "composite" else 2, "not_sent": 12 - statuses["ok"]}


@pytest.mark.usefixtures("small_calls")
def test_the_days_requests_running_out_pauses_and_loses_nothing(make_org):
    org = make_org(limits={"daily_api_requests": 2})

    outcomes, problem = _send(org.connect(), _leads(12))

    assert isinstance(problem, AccountPaused)
    assert _statuses(outcomes) == {"ok": 8, "not_sent": 4}
    assert len(org.rows("Lead")) == 8


def test_maintenance_costs_no_record_an_attempt(org):
    org.org.weather.maintenance = "read_only"

    outcomes, problem = _send(org.connect(), _leads(3))

    assert isinstance(problem, OrgUnavailable)
    assert _statuses(outcomes) == {"not_sent": 3}
    assert outcomes[0].errors[0].code == "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"


@pytest.mark.usefixtures("small_calls")
def test_an_outage_before_the_first_call_ends_leaves_everything_unsent(org):
    connection = org.connect()
    connection._session.get_adapter("https://x")._base = "http://127.0.0.1:9"

    outcomes, problem = _send(connection, _leads(12), parallel=3)

    assert isinstance(problem, OrgUnavailable)
    assert _statuses(outcomes) == {"not_sent": 12}


@pytest.mark.usefixtures("small_calls")
def test_a_session_that_expires_midway_is_renewed_and_all_arrive_once(org):
    connection = org.connect()
    org.weather("composite", "expire_session", nth=2)

    outcomes, problem = _send(connection, _leads(12), parallel=3)

    assert problem is None
    assert _statuses(outcomes) == {"ok": 12}
    assert len(org.rows("Lead")) == 12
    assert org.logins == 2


@pytest.mark.usefixtures("small_calls")
@pytest.mark.parametrize(
    ("fault", "status", "codes"),
    [
        ({"status": 400, "code": "UNABLE_TO_LOCK_ROW"}, "error", ["UNABLE_TO_LOCK_ROW"]),
        ({"status": 503, "code": "SERVER_UNAVAILABLE"}, "lost", []),
        ({"status": 500, "code": "UNKNOWN_EXCEPTION"}, "lost", []),
        ({"status": 400, "code": "REQUEST_RUNNING_TOO_LONG"}, "lost", []),
        ({"status": 400, "code": "PROCESSING_HALTED"}, "error", ["PROCESSING_HALTED"]),
    ],
)
def test_a_collection_that_fails_inside_a_call_concerns_its_rows_only(org, fault, status, codes):
    org.weather("collections.create", "error", nth=2, **fault)

    outcomes, problem = _send(org.connect(), _leads(6))

    assert problem is None
    assert [outcomes[r].status for r in range(6)] == ["ok", "ok", status, status, "ok", "ok"]
    assert [error.code for error in outcomes[2].errors] == codes


def test_locked_rows_are_errors_and_the_others_are_written(org):
    org.weather("collections.create", "lock", rows=[2])

    outcomes, _ = _send(org.connect(), _leads(3))

    assert [outcomes[ref].status for ref in range(3)] == ["ok", "error", "ok"]
    assert outcomes[1].errors[0].treatment is Treatment.RETRY_SERIALLY


def test_headers_reach_the_collections(make_org):
    org = make_org(
        users=[
            {"username": "api@acme.test", "password": "x"},
            {"username": "sales@acme.test", "password": "x"},
        ],
        assignment_rules=[{"object": "Lead", "owner": "sales@acme.test"}],
        duplicate_rules=[{"object": "Lead", "match": ["Email"], "action": "alert"}],
    )
    connection = org.connect()
    api, sales = (user.id for user in org.org.users.values())

    _send(connection, [_lead(0, Email="a@example.com")], headers=FALSE)
    _send(connection, [_lead(1)])
    refused, _ = _send(connection, [_lead(2, Email="a@example.com")], headers=FALSE)
    allowed = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    saved, _ = _send(connection, [_lead(3, Email="a@example.com")], headers=allowed)

    owners = {row["LastName"]: row["OwnerId"] for row in org.rows("Lead")}
    assert (owners["L0"], owners["L1"]) == (api, sales)
    assert refused[2].errors[0].treatment is Treatment.USE_DUPLICATE
    assert saved[3].status == "ok"


@pytest.mark.parametrize("text", ["@{c0.body}", "write to @{me}, please", "@{"])
def test_text_that_a_composite_would_misread_arrives_as_it_is(org, text):
    writes = [_lead(0), _lead(1, Description=text), *(_lead(ref) for ref in range(2, 250))]

    outcomes, problem = _send(org.connect(), writes, headers=FALSE)

    assert problem is None
    assert _statuses(outcomes) == {"ok": 250}
    assert {row.get("Description") for row in org.rows("Lead")} == {None, text}


@pytest.mark.usefixtures("small_calls")
def test_text_that_a_composite_would_misread_is_lost_and_refused_like_any_other(org):
    org.weather("collections.create", "reset_after")
    lost, _ = _send(org.connect(), [_lead(0, Description="@{a}")])
    org.weather("collections.create", "error", status=400, code="STRING_TOO_LONG")
    refused, _ = _send(org.connect(), [_lead(1, Description="@{a}")])

    assert _statuses(lost) == {"lost": 1}
    assert refused[1].errors[0].code == "STRING_TOO_LONG"


@pytest.mark.usefixtures("small_calls")
def test_calls_overlap_up_to_the_given_number(canned):
    barrier = threading.Barrier(3)

    def answer(asked: Asked) -> Canned:
        barrier.wait(timeout=30)
        sent = orjson.loads(asked.body)["compositeRequest"]
        row = {"id": "00Q", "success": True, "errors": []}
        parts = [
            {
                "referenceId": each["referenceId"],
                "httpStatusCode": 200,
                "body": [row] * len(each["body"]["records"]),
            }
            for each in sent
        ]
        return Canned(200, orjson.dumps({"compositeResponse": parts}))

    login = after_login()
    server = canned(lambda asked: login(asked) if "oauth2" in asked.path else answer(asked))

    outcomes, problem = _send(log_in(server.url, APP), _leads(24), parallel=3)

    assert problem is None
    assert _statuses(outcomes) == {"ok": 24}


@pytest.mark.usefixtures("small_calls")
def test_more_is_asked_for_as_outcomes_come_and_shares_no_call(org):
    connection = org.connect()
    outcomes: dict[int, Outcome] = {}
    further = {0: [], 4: [_lead(100)], 8: [_lead(101), _lead(102)], 11: [_lead(103)]}

    def more() -> list[Write]:
        return further.pop(len(outcomes), [])

    for batch in send_by_composite(connection, _leads(8), parallel=1, more=more):
        outcomes |= {outcome.ref: outcome for outcome in batch}
    assert not further, "asked before the first outcome, and after each"
    assert list(outcomes) == [*range(8), 100, 101, 102, 103]
    assert _statuses(outcomes) == {"ok": 12}
    assert connection.calls == {"create": 5}


@pytest.mark.usefixtures("small_calls")
def test_what_was_asked_for_and_not_sent_is_said_too(org):
    org.weather("composite", "error", nth=2, status=403, code="API_DISABLED_FOR_ORG")
    further = [[_lead(101)], [_lead(100)]]

    outcomes, raised = _send(org.connect(), _leads(8), more=lambda: further and further.pop())

    assert isinstance(raised, AccountStopped)
    assert _statuses(outcomes) == {"ok": 4, "not_sent": 6}


@pytest.mark.usefixtures("small_calls")
def test_who_stops_listening_stops_the_sending(org):
    connection = org.connect()
    sending = send_by_composite(connection, _leads(40), headers=FALSE, parallel=2)

    next(sending)
    sending.close()  # type: ignore[attr-defined]

    assert connection.api_calls <= 4


@pytest.mark.parametrize(
    "rows", [[], None, [{"id": "1", "success": True}] * 3, {"unexpected": True}]
)
def test_results_that_do_not_match_the_rows_are_lost_ones(canned, rows):
    part = {"referenceId": "c0", "httpStatusCode": 200, "body": rows}
    server = canned(after_login(Canned(200, orjson.dumps({"compositeResponse": [part]}))))

    outcomes, _ = _send(log_in(server.url, APP), _leads(2))

    assert _statuses(outcomes) == {"lost": 2}


def test_rolled_back_rows_are_known_by_success_and_not_by_their_id(canned):
    """Salesforce gives the id of a record that no longer exists."""
    row = {
        "id": "00Q000000000001AAA",
        "success": False,
        "errors": [{"statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK", "message": "x"}],
    }
    part = {"referenceId": "c0", "httpStatusCode": 200, "body": [row]}
    server = canned(after_login(Canned(200, orjson.dumps({"compositeResponse": [part]}))))

    outcomes, _ = _send(log_in(server.url, APP), _leads(1))

    assert outcomes[0].status == "error"
    assert outcomes[0].salesforce_id is None
    assert outcomes[0].errors[0].treatment is Treatment.RESEND


_ACTIONS = [
    "reset_before",
    "reset_after",
    "html_503",
    "html_503_after",
    "truncate",
    "wrong_length",
    "expire_session",
    "error",
    "lock",
]


@pytest.mark.usefixtures("small_calls")
@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_weather_an_outcome_is_the_truth(org, seed):
    random = Random(seed)
    for _ in range(5):
        org.weather(
            random.choice(["composite", "collections.create"]),
            random.choice(_ACTIONS),
            nth=random.randint(1, 12),
            code=random.choice(["UNKNOWN_EXCEPTION", "UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE"]),
            status=random.choice([400, 500]),
        )

    outcomes, problem = _send(org.connect(), _leads(40), parallel=3)

    written = Counter(row["LastName"] for row in org.rows("Lead"))
    assert len(outcomes) == 40
    assert all(number == 1 for number in written.values())
    for ref, outcome in outcomes.items():
        if outcome.status != "lost":
            assert (f"L{ref}" in written) == (outcome.status == "ok")
    assert problem is not None or _statuses(outcomes)["not_sent"] == 0


def _with_duplicates(make_org: Any) -> LocalOrg:
    org: LocalOrg = make_org(
        duplicate_rules=[
            {
                "object": "Lead",
                "match": ["Email"],
                "against": ["Lead", "Contact"],
                "action": "block",
            }
        ]
    )
    return org


def test_a_single_create_names_the_records_that_a_duplicate_rule_found(make_org):
    org = _with_duplicates(make_org)
    [lead] = org.seed("Lead", {"LastName": "A", "Company": "c", "Email": "ann@example.com"})
    [contact] = org.seed("Contact", {"LastName": "B", "Email": "bob@example.com"})
    connection = org.connect()
    writes = [
        _lead(0, Email="ann@example.com"),
        _lead(1, Email="bob@example.com", Description="@{x}"),
        _lead(2, Email="new@example.com"),
    ]

    results = single_create(connection, writes, headers=FALSE)

    assert [result.outcome.ref for result in results] == [0, 1, 2]
    assert [result.outcome.status for result in results] == ["error", "error", "ok"]
    assert results[0].duplicates == [Duplicate("Lead", lead)]
    assert results[1].duplicates == [Duplicate("Contact", contact)]
    assert results[0].outcome.errors[0].treatment is Treatment.USE_DUPLICATE
    assert org.charged == 2


@pytest.mark.parametrize("key", ["duplicateResut", "duplicateResult"])
def test_both_spellings_of_the_result_are_read(canned, key):
    record = {"attributes": {"type": "Contact"}, "Id": "003000000000001AAA"}
    found = {"matchResults": [{"entityType": "Contact", "matchRecords": [{"record": record}]}]}
    error = {"errorCode": "DUPLICATES_DETECTED", "message": "Use one?", key: found}
    part = {"referenceId": "s0", "httpStatusCode": 400, "body": [error]}
    server = canned(after_login(Canned(200, orjson.dumps({"compositeResponse": [part]}))))

    [result] = single_create(log_in(server.url, APP), _leads(1))

    assert result.duplicates == [Duplicate("Contact", "003000000000001AAA")]


def test_single_creates_whose_answer_is_lost_are_lost(org):
    org.weather("composite", "reset_after")

    results = single_create(org.connect(), _leads(2))

    assert [result.outcome.status for result in results] == ["lost", "lost"]
    assert len(org.rows("Lead")) == 2


def test_single_creates_raise_what_concerns_the_account(org):
    org.weather("create", "error", status=403, code="API_DISABLED_FOR_ORG")

    with pytest.raises(AccountStopped):
        single_create(org.connect(), _leads(1))
    with pytest.raises(ValueError, match="26"):
        single_create(org.connect(), _leads(26))


def test_no_representation_shows_what_is_in_a_record():
    write = _lead(1, Email="zoe@example.com")
    error = RowError("INVALID_EMAIL_ADDRESS", "invalid email: zoe@example.com", ("Email",))

    shown = f"{write!r} {error!r} {Outcome(1, 'error', errors=(error,))!r}"

    assert "zoe" not in shown
    assert "INVALID_EMAIL_ADDRESS" in shown
