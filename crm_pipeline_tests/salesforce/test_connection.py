"""Requests: what is counted, what is tried again, and what every kind of failure means."""

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from crm_pipeline.salesforce.answers import Answer
from crm_pipeline.salesforce.connection import ApiUsage, Org
from crm_pipeline.salesforce.errors import (
    AccountPaused,
    AccountStopped,
    LostAnswer,
    OrgUnavailable,
    RequestRefused,
)
from crm_pipeline.salesforce.login import log_in
from crm_pipeline_tests.salesforce.orgs import (
    APP,
    HTML_503,
    Canned,
    after_login,
    in_turn,
    refusal,
    token,
)

OK = Canned(200, b'{"fine":true}')
EXPIRED = refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
LEAD = {"LastName": "Lovelace", "Company": "Analytical"}


def _create(connection: Org, **more: Any) -> Answer:
    return connection.request("create", "POST", "sobjects/Lead", json=LEAD, writes=True, **more)


def _read(connection: Org) -> Answer:
    return connection.request("limits", "GET", "limits")


def test_calls_are_counted_by_kind_as_the_org_counts_them(org):
    connection = org.connect()
    for _ in range(3):
        _read(connection)
    _create(connection)

    assert connection.calls == {"limits": 3, "create": 1}
    assert connection.api_calls == org.charged == 4
    assert connection.usage == ApiUsage(4, 15_000)
    assert connection.latency > 0


def test_calls_that_are_refused_or_cut_are_counted_as_the_org_counts_them(org):
    connection = org.connect()
    org.weather("create", "reset_after")
    with pytest.raises(LostAnswer):
        _create(connection)
    with pytest.raises(RequestRefused):
        connection.request("create", "POST", "sobjects/Lead", json={}, writes=True)

    assert connection.calls == {"create": 2}
    assert connection.api_calls == org.charged


def test_the_count_is_never_below_the_orgs(org):
    connection = org.connect()
    org.weather("limits", "html_503", times=2)
    _read(connection)
    org.weather("limits", "expire_session")
    _read(connection)

    assert connection.calls == {"limits": 5}
    assert connection.api_calls >= org.charged


def test_usage_is_read_beside_an_apps_own(canned):
    header = {"Sforce-Limit-Info": "per-app-api-usage=17/250(appName=x); api-usage=18/5000"}
    server = canned(after_login(Canned(200, b"{}", headers=header)))
    connection = log_in(server.url, APP)
    assert connection.usage is None

    _read(connection)

    assert connection.usage == ApiUsage(18, 5_000)


@pytest.mark.parametrize(
    "action", ["reset_before", "reset_after", "html_503", "truncate", "wrong_length"]
)
def test_a_read_that_fails_in_passing_is_tried_again(org, action):
    connection = org.connect()
    org.weather("limits", action, times=2)

    assert _read(connection).body["DailyApiRequests"]
    assert connection.api_calls == 3


def test_a_read_is_tried_a_bounded_number_of_times(org):
    connection = org.connect()
    org.weather("limits", "html_503", times=100)

    with pytest.raises(OrgUnavailable, match="HTTP 503"):
        _read(connection)
    assert connection.api_calls == 3


def test_a_wait_in_vain_is_not_repeated(org):
    connection = org.connect_to_hang()
    org.weather("limits", "hang", seconds=60, times=9)

    with pytest.raises(OrgUnavailable, match="no answer in time"):
        _read(connection)
    assert connection.api_calls == 1
    org.lets_go()


def test_simple_salesforce_would_wait_for_ever(canned, monkeypatch):
    """It passes no timeout, and takes none; the session sets it on every call instead."""
    server = canned(after_login(OK))
    connection = log_in(server.url, APP, read_timeout=7)
    seen = []
    adapter = connection._session.get_adapter("https://x")
    send = adapter.send

    def noting(*args, **kwargs):
        seen.append(kwargs["timeout"])
        return send(*args, **kwargs)

    monkeypatch.setattr(adapter, "send", noting)

    connection._access.salesforce.query("SELECT Id FROM Lead")
    _read(connection)

    assert seen == [(10.0, 7), (10.0, 7)]


@pytest.mark.parametrize(
    ("action", "written"),
    [
        ("reset_before", 0),
        ("reset_after", 1),
        ("html_503", 0),
        ("html_503_after", 1),
        ("truncate", 1),
        ("wrong_length", 1),
        ("hang", 1),
        ("hang_after", 1),
    ],
)
def test_a_write_whose_answer_is_lost_is_never_sent_again(org, action, written):
    connection = org.connect_to_hang() if action.startswith("hang") else org.connect()
    org.weather("create", action, seconds=60)

    with pytest.raises(LostAnswer):
        _create(connection)
    assert connection.calls["create"] == 1

    org.lets_go()
    deadline = time.monotonic() + 60
    while len(org.rows("Lead")) < written and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(org.rows("Lead")) == written


@pytest.mark.parametrize(
    "answer",
    [
        refusal(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded."),
        refusal(503, "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"),
        Canned(420, b"<html>", "text/html"),
        Canned(429, b"", "text/html"),
        Canned(404, b"<html>", "text/html"),
    ],
)
def test_a_write_that_certainly_did_nothing_is_tried_again(canned, answer):
    server = canned(after_login(answer, Canned(201, b'{"id":"x","success":true}')))

    assert _create(log_in(server.url, APP)).status == 201


def test_a_write_that_cannot_be_sent_did_nothing(org):
    connection = org.connect()
    _read(connection)
    connection._session.close()
    connection._session.get_adapter("https://x")._base = "http://127.0.0.1:9"

    with pytest.raises(OrgUnavailable, match="no connection"):
        _create(connection)
    assert connection.calls == {"limits": 1}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), AccountPaused),
        (refusal(403, "API_DISABLED_FOR_ORG"), AccountStopped),
        (
            refusal(
                401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API"
            ),
            AccountStopped,
        ),
        (refusal(400, "JSON_PARSER_ERROR"), AccountStopped),
        (Canned(410, b"<html>", "text/html"), AccountStopped),
        (refusal(400, "STRING_TOO_LONG", "City: too long"), RequestRefused),
        (refusal(404, "NOT_FOUND"), RequestRefused),
        (Canned(413, b"<html>", "text/html"), RequestRefused),
        (Canned(300, b'["/services/data/v62.0/sobjects/Lead/00Q"]'), RequestRefused),
        (Canned(307, b"", headers={"Location": "https://evil.example"}), OrgUnavailable),
        (
            Canned(301, b"", headers={"Location": "https://new.my.salesforce.com/services/data"}),
            AccountStopped,
        ),
        (refusal(500, "UNKNOWN_EXCEPTION"), LostAnswer),
        (refusal(503, "SERVER_UNAVAILABLE"), LostAnswer),
        (HTML_503, LostAnswer),
        (Canned(200, b"<html>Hello</html>", "text/html"), LostAnswer),
        (Canned(200, b'{"id":', "application/json"), LostAnswer),
    ],
)
def test_the_answer_to_a_write_means_what_the_table_says(canned, answer, problem):
    server = canned(after_login(answer))
    connection = log_in(server.url, APP)

    with pytest.raises(problem):
        _create(connection)

    # The login and the write, once; the versions may be asked for beside them.
    assert [asked.method for asked in server.asked].count("POST") == 2


def test_a_policy_that_keeps_taking_too_long_stops_the_account(canned):
    server = canned(after_login(refusal(400, "TXN_SECURITY_METERING_ERROR")))
    connection = log_in(server.url, APP)

    with pytest.raises(AccountStopped, match="Exempt from Transaction Security"):
        _read(connection)
    assert connection.api_calls == 3


def test_an_expired_session_is_renewed_once_and_the_request_arrives(org):
    connection = org.connect()
    org.weather("create", "expire_session")

    assert _create(connection).status == 201
    assert org.logins == 2
    assert len(org.rows("Lead")) == 1


def test_a_session_that_is_renewed_in_another_org_is_not_used(org):
    connection = org.connect()
    org.weather("create", "expire_session")
    org.org.id = "00DREFRESHED000AAA"

    with pytest.raises(AccountStopped, match="leads to org 00DREFRESHED000AAA now"):
        _create(connection)
    assert org.rows("Lead") == []


def test_headers_survive_the_new_login(canned):
    """simple-salesforce loses them when it sends again: an assignment rule would run."""
    server = canned(after_login(EXPIRED, Canned(201, b'{"id":"x","success":true}')))
    connection = log_in(server.url, APP)

    _create(connection, headers={"Sforce-Auto-Assign": "FALSE"})

    _, first, _, second = server.asked
    assert first.headers["Sforce-Auto-Assign"] == second.headers["Sforce-Auto-Assign"] == "FALSE"
    assert first.body == second.body
    assert first.headers["Authorization"] == "Bearer 00D!session0"
    assert second.headers["Authorization"] == "Bearer 00D!session1"


def test_sessions_that_are_refused_again_and_again_stop_the_account(canned):
    """simple-salesforce logs in again until Python's stack is full."""
    server = canned(after_login(EXPIRED))
    connection = log_in(server.url, APP)

    for _ in range(3):
        with pytest.raises(AccountStopped, match="session"):
            _read(connection)

    assert server.paths().count("/services/oauth2/token") == 2


def test_a_session_that_expires_again_later_is_renewed_again(canned):
    server = canned(after_login(EXPIRED, OK, EXPIRED, OK))
    connection = log_in(server.url, APP)

    assert _read(connection).body == {"fine": True}
    assert _read(connection).body == {"fine": True}
    assert server.paths().count("/services/oauth2/token") == 3


def test_a_401_that_is_no_json_means_an_expired_session_too(canned):
    """simple-salesforce fails with a JSONDecodeError."""
    server = canned(after_login(Canned(401, b"<html>", "text/html"), OK))

    assert _read(log_in(server.url, APP)).body == {"fine": True}


def test_many_threads_with_an_expired_session_log_in_once(org):
    connection = org.connect()
    org.org.weather.latency_seconds = 0.02
    barrier = threading.Barrier(8)
    org.org.sessions.clear()

    def read(_):
        barrier.wait()
        return _read(connection).status

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(8))) == [200] * 8
    assert org.logins == 2


def test_credentials_that_were_withdrawn_meanwhile_are_tried_once_by_all_threads(canned):
    answers = in_turn(token(), Canned(400, b'{"error":"invalid_grant"}'))
    server = canned(lambda asked: answers(asked) if "oauth2" in asked.path else EXPIRED)
    connection = log_in(server.url, APP)

    def read(_):
        with pytest.raises(AccountStopped, match="invalid_grant"):
            _read(connection)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(read, range(8)))
    with pytest.raises(AccountStopped, match="invalid_grant"):
        _read(connection)
    assert server.paths().count("/services/oauth2/token") == 2


def test_a_file_is_uploaded_whole_again_after_a_new_login(canned):
    server = canned(after_login(EXPIRED, Canned(201)))
    connection = log_in(server.url, APP)

    connection.request("upload", "PUT", "x", data=io.BytesIO(b"a,b\n1,2\n"), writes=True)

    assert [asked.body for asked in server.asked if asked.method == "PUT"] == [b"a,b\n1,2\n"] * 2


def test_a_download_that_is_cut_off_starts_over(canned):
    csv = "text/csv"
    cut = Canned(200, b"Id\n001", csv, {"Content-Length": "4000", "Connection": "close"})
    server = canned(after_login(cut, Canned(200, b"Id\n002\n", csv)))
    file = io.BytesIO()

    answer = log_in(server.url, APP).request("results", "GET", "x", into=file)

    assert file.getvalue() == b"Id\n002\n"
    assert answer.body is None


def test_an_error_in_place_of_a_download_is_an_error(canned):
    server = canned(after_login(refusal(404, "NOT_FOUND", "no such job")))
    file = io.BytesIO()

    with pytest.raises(RequestRefused, match="NOT_FOUND"):
        log_in(server.url, APP).request("results", "GET", "x", into=file)
    assert file.getvalue() == b""


def test_a_gzipped_answer_is_read(canned):
    import gzip

    body = gzip.compress(b'{"fine":true}')
    server = canned(after_login(Canned(200, body, headers={"Content-Encoding": "gzip"})))

    assert _read(log_in(server.url, APP)).body == {"fine": True}


def test_no_cookie_is_kept(canned):
    server = canned(after_login(Canned(200, b"{}", headers={"Set-Cookie": "sid=00D; path=/"})))
    connection = log_in(server.url, APP)

    _read(connection)
    _read(connection)

    assert "Cookie" not in server.asked[-1].headers


def test_problems_name_no_address_and_no_content(org):
    connection = org.connect()
    org.weather("query", "reset_after", times=9)

    with pytest.raises(OrgUnavailable) as lost:
        connection.request("query", "GET", "query/?q=zoe@example.com")

    shown = f"{lost.value} {lost.value!r}"
    assert "zoe" not in shown
    assert "127.0.0.1" not in shown
    assert lost.value.__suppress_context__
