"""Targets of ALERTS_FILE on a real database and real HTTP: routes, thresholds, failures."""

import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from apprise.plugins.pagerduty import PAGERDUTY_API_LOOKUP
from apprise.plugins.slack import NotifySlack
from sqlalchemy import Connection, text

from crm_pipeline.accounts.credentials import mark_refused, set_credentials
from crm_pipeline.accounts.store import remove_account
from crm_pipeline.alerts.causes import CAUSES
from crm_pipeline.alerts.channels import MOST_LINES, MOST_PAGES
from crm_pipeline.alerts.targets import AlertsFileError, choices
from crm_pipeline.alerts.watch import watch
from crm_pipeline.cadence.purge import purge_alerts
from crm_pipeline.database.engines import engine
from crm_pipeline.salesforce.credentials import PasswordToken
from crm_pipeline.settings import PROJECT, Settings, settings
from crm_pipeline_tests.alerts.receiver import Receiver, a_certificate, receiving
from crm_pipeline_tests.cadence.rows import an_idle_account, an_operation

DOCUMENT = (PROJECT / "docs" / "alerts.md").read_text(encoding="utf-8")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes ALERTS_FILE."""

    def choose(content: dict[str, Any] | str) -> None:
        file = tmp_path / "alerts.yaml"
        file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        monkeypatch.setenv("ALERTS_FILE", str(file))
        settings.cache_clear()

    return choose


def exhaust(connection: Connection, account_id: str, number: int = 1) -> None:
    an_idle_account(connection, account_id)
    for key in range(number):
        an_operation(connection, account_id, f"person:{key}", state="exhausted", attempts_left=0)
    connection.commit()


def drop(connection: Connection) -> None:
    connection.execute(text("UPDATE crm.operation SET state = 'dropped'"))
    connection.commit()


def test_each_target_is_told_of_its_accounts_and_severities(connection, receiver, chosen):
    chosen(
        {
            "targets": {
                "everything": {"url": f"{receiver.url}/all", "at_least": "info"},
                "pager": {"url": f"{receiver.url}/pager", "at_least": "critical"},
                "team": {"url": f"{receiver.url}/team", "accounts": ["acme", "acme-*"]},
            }
        }
    )
    exhaust(connection, "other")
    exhaust(connection, "acme-uk")
    set_credentials(connection, "other", PasswordToken(username="a", password="b"))
    mark_refused(connection, "other", "INVALID_LOGIN")
    connection.commit()
    watch()

    def told(path: str) -> list[tuple[str, str]]:
        return sorted((each["account_id"], each["cause"]) for each in receiver.alerts(path))

    assert told("/team") == [("acme-uk", "exhausted retries")]
    assert told("/pager") == [("other", "refused credentials")]
    assert told("/all") == sorted(told("/team") + told("/pager") + [("other", "exhausted retries")])
    drop(connection)
    watch()
    begin, end = receiver.alerts("/team")
    assert (begin["over"], end["over"]) == (False, True)
    assert begin["key"] == end["key"] != receiver.alerts("/pager")[0]["key"]
    assert len(receiver.alerts("/pager")) == 1


def test_a_target_that_fails_holds_up_no_other_and_is_told_of_without_its_secret(
    connection, receiver, chosen, caplog, monkeypatch
):
    monkeypatch.setenv("BAD_HOOK", f"{receiver.url}/hunter2")
    chosen(
        {
            "targets": {
                "bad": {"url": "${BAD_HOOK}"},
                "gone": {"url": "json://127.0.0.1:1/hunter2"},
                "strange": {"url": "hunter2://127.0.0.1"},
                "good": {"url": f"{receiver.url}/good"},
            },
            "causes": {"unreachable targets": {"after_minutes": 0}},
        }
    )
    receiver.answers["/hunter2"] = 302
    exhaust(connection, "a")
    with caplog.at_level(logging.DEBUG):
        assert [each.cause for each in watch()] == ["exhausted retries"]
        assert [each.cause for each in watch()] == ["unreachable targets"]
        assert watch() == []
    assert "hunter2" not in caplog.text
    assert "Alerts could not be sent to bad: it answers 302." in caplog.text
    about = receiver.alerts("/good")[-1]
    assert about["account_id"] is None
    assert about["message"] == (
        "alerts do not reach bad: it answers 302; alerts do not reach gone: it cannot be reached, "
        "or refuses what it is sent; alerts do not reach strange: its url is none that apprise "
        "knows; see https://appriseit.com."
    )
    receiver.answers.clear()
    chosen({"targets": {name: {"url": f"{receiver.url}/{name}"} for name in ("bad", "good")}})
    watch()
    assert [each["cause"] for each in receiver.alerts("/bad")] == ["exhausted retries"]
    watch()
    assert receiver.alerts("/good")[-1]["over"]


def test_a_notice_that_came_before_it_could_be_noted_comes_again_with_the_same_key(
    connection, receiver, chosen, pipeline
):
    chosen({"targets": {"hook": {"url": f"{receiver.url}/hook", "secret": "of sixteen letters"}}})
    exhaust(connection, "a")

    def lose_the_table() -> None:
        receiver.meanwhile = lambda: None
        with pipeline.begin() as other:
            other.execute(text("ALTER TABLE crm.alert_told RENAME TO lost"))

    receiver.meanwhile = lose_the_table
    with pytest.raises(Exception, match="alert_told"):
        watch()
    with pipeline.begin() as other:
        other.execute(text("ALTER TABLE crm.lost RENAME TO alert_told"))
    assert len(watch()) == 1
    assert watch() == []
    first, second = receiver.came["/hook"]
    assert first[1] == second[1]
    assert first[0]["webhook-id"] == second[0]["webhook-id"]


def test_two_watches_at_once_tell_once(connection, receiver, chosen):
    chosen({"targets": {"hook": {"url": f"{receiver.url}/hook"}}})
    exhaust(connection, "a")
    told_meanwhile = []
    receiver.meanwhile = lambda: told_meanwhile.append(watch())
    assert len(watch()) == 1
    assert told_meanwhile == [[]]


def test_what_a_webhook_gets_is_verified_as_the_document_shows(connection, receiver, chosen):
    chosen({"targets": {"hook": {"url": f"{receiver.url}/hook", "secret": "of sixteen letters"}}})
    exhaust(connection, "a")
    watch()
    (headers, body) = receiver.came["/hook"][0]
    [example] = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    shown: dict[str, Any] = {}
    exec(example, shown)
    assert shown["is_genuine"]("of sixteen letters", headers, body)
    assert not shown["is_genuine"]("of sixteen letterz", headers, body)
    assert not shown["is_genuine"]("of sixteen letters", headers, body + b" ")
    late = headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) - 301)}
    assert not shown["is_genuine"]("of sixteen letters", late, body)


def test_a_pager_has_an_incident_for_each_alert_and_closes_it(
    connection, receiver, chosen, monkeypatch
):
    monkeypatch.setitem(PAGERDUTY_API_LOOKUP, "us", f"{receiver.url}/enqueue")
    chosen({"targets": {"pager": {"url": "pagerduty://routing@key", "at_least": "info"}}})
    for number in range(MOST_PAGES + 1):
        exhaust(connection, f"a{number}")
    assert len(watch()) == MOST_PAGES
    assert len(watch()) == 1
    drop(connection)
    watch()
    watch()
    events = receiver.documents("/enqueue")
    opened = [each for each in events if each["event_action"] == "trigger"]
    closed = [each for each in events if each["event_action"] == "resolve"]
    assert opened[0]["payload"]["severity"] == "warning"
    assert "operations list a0`" in opened[0]["payload"]["summary"]
    assert len(opened) == len({each["dedup_key"] for each in opened}) == MOST_PAGES + 1
    assert sorted(each["dedup_key"] for each in closed) == sorted(
        each["dedup_key"] for each in opened
    )


def test_a_chat_has_one_message_of_all(connection, receiver, chosen, monkeypatch):
    monkeypatch.setattr(NotifySlack, "webhook_url", f"{receiver.url}/slack")
    path = "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    chosen({"targets": {"chat": {"url": f"https://hooks.slack.com/services/{path}"}}})
    for number in range(MOST_LINES + 2):
        exhaust(connection, f"a{number}")
    assert len(watch()) == MOST_LINES + 2
    said = b"".join(
        body for _, body in receiver.came["/slack/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"]
    )
    assert b"[warning] A0 (a0): 1 operation failed in every try" in said
    assert b"2 more; `crm-pipeline alerts list` has them all." in said


def test_teams_has_a_card_of_all_and_of_their_ends(
    connection, chosen, monkeypatch, tmp_path, caplog
):
    """A flow of Power Automate, at the address that it shows since the end of 2025."""
    certificate, key = a_certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with receiving((certificate, key)) as teams:
        place = teams.url.removeprefix("https://")
        address = f"workflows://{place}/flow1/s3cret?pa=yes"
        chosen({"targets": {"teams": {"url": address, "accounts": ["acme"]}}})
        exhaust(connection, "acme")
        exhaust(connection, "other")
        path = "/powerautomate/automations/direct/workflows/flow1/triggers/manual/paths/invoke"
        teams.answers[path] = 429
        with caplog.at_level(logging.DEBUG):
            assert watch() == []
        assert "s3cret" not in caplog.text
        teams.answers[path] = 202  # as Power Automate answers
        (notice,) = watch()
        assert notice.account_id == "acme"
        drop(connection)
        (end,) = watch()
        assert (end.over, end.key) == (True, notice.key)
    said = [str(each["attachments"][0]["content"]["body"]) for each in teams.documents(path)[1:]]
    assert len(said) == 2
    assert all("1 operation failed in every try" in each for each in said)
    assert ["It is over" in each for each in said] == [False, True]


def test_alerts_lead_to_the_account_and_to_its_last_run(connection, receiver, chosen, monkeypatch):
    monkeypatch.setenv("CONSOLE_URL", "https://console.example")
    monkeypatch.setenv("DAGSTER_UI_URL", "https://dagster.example/ui/")
    monkeypatch.setitem(PAGERDUTY_API_LOOKUP, "us", f"{receiver.url}/enqueue")
    pager = {"url": "pagerduty://routing@key"}
    chosen({"targets": {"hook": {"url": f"{receiver.url}/hook"}, "pager": pager}})
    run_id = "0e0a1bfc-7a6d-4a9b-8f4e-2b7c6f2f0b11"
    for account, of in {"a": run_id, "b": "cli-1", "c": None}.items():
        exhaust(connection, account)
        if of is not None:
            connection.execute(
                text(
                    "INSERT INTO crm.cycle (account_id, run_id, state, finished_at)"
                    " VALUES (:account, :run_id, 'Complete', now())"
                ),
                {"account": account, "run_id": of},
            )
    connection.commit()
    watch()
    links = {
        each["account_id"]: (each["console"], each["run"]) for each in receiver.alerts("/hook")
    }
    page = "https://console.example/accounts"
    assert links == {
        "a": (f"{page}/a", f"https://dagster.example/ui/runs/{run_id}"),
        "b": (f"{page}/b", None),
        "c": (f"{page}/c", None),
    }
    (document,) = receiver.documents("/hook")
    first, *more = document["text"].splitlines()
    assert first.endswith("`crm-pipeline operations list a`.")
    assert more[:2] == [*links["a"]]
    assert [each["links"] for each in receiver.documents("/enqueue")] == [
        [{"href": f"{page}/{account}"}] for account in "abc"
    ]


def test_who_was_told_of_an_account_that_is_removed_is_told_that_it_is_over(
    connection, receiver, chosen
):
    chosen({"targets": {"hook": {"url": f"{receiver.url}/hook"}}})
    exhaust(connection, "a")
    watch()
    remove_account(connection, "a")
    connection.commit()
    watch()
    assert [each["over"] for each in receiver.alerts("/hook")] == [False, True]


def test_alerts_that_are_over_are_purged_once_their_end_is_told(
    connection, receiver, chosen, pipeline
):
    chosen({"targets": {name: {"url": f"{receiver.url}/{name}"} for name in ("good", "bad")}})
    for account in ("a", "b", "open"):
        exhaust(connection, account)
    watch()
    connection.execute(text("UPDATE crm.operation SET state = 'dropped' WHERE account_id = 'a'"))
    connection.commit()
    watch()
    receiver.answers["/bad"] = 500
    connection.execute(text("UPDATE crm.operation SET state = 'dropped' WHERE account_id = 'b'"))
    connection.commit()
    watch()
    connection.execute(
        text("UPDATE crm.alert SET began_at = '2020-01-01', closed_at = closed_at - interval '9 d'")
    )
    connection.execute(
        text("INSERT INTO crm.alert_digest (day, target) VALUES ('2020-01-01', 'x')")
    )
    connection.commit()
    assert purge_alerts(pipeline, days=14) == 0
    assert purge_alerts(pipeline, days=8) == 1
    left = text("SELECT account_id FROM crm.alert WHERE account_id IS NOT NULL ORDER BY 1")
    assert list(connection.scalars(left)) == ["b", "open"]
    assert connection.scalar(text("SELECT count(*) FROM crm.alert_digest")) == 0
    connection.commit()
    receiver.answers.clear()
    watch()
    assert purge_alerts(pipeline, days=8) == 1
    assert [each["over"] for each in receiver.alerts("/bad")][-1]


def test_thresholds_say_how_many_and_how_long(connection, receiver, chosen):
    few = {"exhausted retries": {"at_least": 2, "after_minutes": 5, "severity": "critical"}}
    chosen({"targets": {"hook": {"url": f"{receiver.url}/hook"}}, "causes": few})
    exhaust(connection, "one", 1)
    exhaust(connection, "two", 2)
    assert watch() == []
    connection.execute(text("UPDATE crm.alert SET began_at = began_at - interval '5 minutes'"))
    connection.commit()
    (notice,) = watch()
    assert (notice.account_id, notice.severity) == ("two", "critical")


def test_what_ends_before_it_lasted_long_enough_is_never_told(connection, receiver, chosen):
    blips = {"exhausted retries": {"after_minutes": 5}}
    chosen({"targets": {"hook": {"url": f"{receiver.url}/hook"}}, "causes": blips})
    exhaust(connection, "a")
    watch()
    drop(connection)
    watch()
    assert receiver.came == {}


def test_an_account_at_its_next_cycle_is_as_its_last_one_left_it(connection, receiver, chosen):
    chosen({"targets": {"hook": {"url": f"{receiver.url}/hook"}}})
    an_idle_account(connection, "a")
    connection.execute(
        text(
            "INSERT INTO crm.cycle (account_id, run_id, state, reason, finished_at)"
            " VALUES ('a', 'r', 'Failed', 'The org is down.', now())"
        )
    )
    state = text(
        "UPDATE crm.sync_state SET state = :state, reason = :reason, failures_in_a_row = 3"
    )
    connection.execute(state, {"state": "Failed", "reason": "The org is down."})
    connection.execute(text("UPDATE crm.account SET created_at = now() - interval '1 day'"))
    hours_ago = datetime.now(UTC) - timedelta(hours=2)
    an_operation(connection, "a", "person:1", state="failed", created_at=hours_ago)
    connection.commit()
    assert [each.cause for each in watch()] == ["late", "failing cycles"]
    connection.execute(state, {"state": "Processing", "reason": None})
    connection.commit()
    assert watch() == []


def test_a_source_that_cannot_be_asked_is_told(connection, receiver, chosen, monkeypatch):
    hook = {"hook": {"url": f"{receiver.url}/hook"}}
    chosen({"targets": hook, "causes": {"unreadable sources": {"after_minutes": 0}}})
    an_idle_account(connection, "a")
    connection.commit()
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://nobody:hunter2@127.0.0.1:1/none")
    settings.cache_clear()
    engine.cache_clear()
    (notice,) = watch()
    assert (notice.account_id, notice.cause) == (None, "unreadable sources")
    assert "nobody knows who is late" in notice.message
    assert "hunter2" not in notice.message
    assert watch() == []
    monkeypatch.delenv("WAREHOUSE_URL")
    settings.cache_clear()
    engine("pipeline").dispose()
    engine.cache_clear()


def test_a_file_that_cannot_be_read_is_told_to_whom_the_settings_name(
    connection, receiver, chosen, monkeypatch
):
    monkeypatch.setenv("ALERT_WEBHOOK_URL", f"{receiver.url}/setting")
    chosen("targets: {chat: {adress: x}}")
    exhaust(connection, "a")
    assert sorted(each.cause for each in watch()) == ["alerts file", "exhausted retries"]
    chosen("targets: {}")
    assert [(each.cause, each.over) for each in watch()] == [("alerts file", True)]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("targets: [", "is no YAML (line 1)"),
        ("- a", "the file: "),
        ("targets: {chat: {adress: x}}", "targets.chat.adress: Extra inputs are not permitted"),
        ("targets: {chat: {}}", "targets.chat: one of url and email is expected"),
        ("targets: {chat: {url: s3cret}}", "targets.chat: its url is no address"),
        ("targets: {chat: {url: '${NO_SUCH}'}}", "there is no variable NO_SUCH"),
        ("targets: {chat: {url: 's3cret://$'}}", "a $ that begins no ${NAME} is written $$"),
        ("targets: {chat: {url: slack://s3cret, secret: s3cret}}", "a secret signs what goes to"),
        ("targets: {chat: {url: 'https://s3cret', at_least: bad}}", "targets.chat.at_least: "),
        ("targets: {p: {url: 'pagerduty://a@b', digest: true}}", "a pager gets no digest"),
        ("targets: {log: {url: 'https://x'}}", "log is a target already"),
        ("targets: {chat: {email: a@b.c}}", "SMTP_URL is not set"),
        ("causes: {lat: {severity: info}}", "there is no cause 'lat'; did you mean late?"),
        ("causes: {late: {at_least: 3}}", "late counts nothing, so it has no at_least"),
        ("causes: {late: {after_minutes: -1}}", "causes.late.after_minutes: "),
    ],
)
def test_a_file_that_cannot_work_is_told_in_one_line_without_its_secrets(
    content: str, told: str, chosen: Any
):
    chosen(content)
    with pytest.raises(AlertsFileError) as refused:
        choices(Settings())
    assert told in str(refused.value)
    assert "s3cret" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_example_of_the_document_works(chosen: Any, monkeypatch: pytest.MonkeyPatch):
    [example] = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    for name in re.findall(r"\$\{(\w+)\}", example):
        monkeypatch.setenv(name, "https://example.test")
    monkeypatch.setenv("SMTP_URL", "smtps://mail.example")
    chosen(example)
    assert choices(Settings()).targets.keys() == yaml.safe_load(example)["targets"].keys()


def test_the_table_of_causes_is_that_of_the_code():
    inside = re.search(r"<!-- causes -->\n(.*?)\n<!-- /causes -->", DOCUMENT, re.DOTALL)
    rows = [
        "| cause | severity | begins when | ends when | `at_least` | `after_minutes` | remedy |",
        "|---|---|---|---|---|---|---|",
    ]
    for each in CAUSES.values():
        remedy = each.remedy.format(account_id="acme")
        shown = f"`{remedy}`" if remedy.startswith("crm-pipeline ") else remedy
        number = "" if each.at_least is None else each.at_least
        rows.append(
            f"| `{each.name}` | {each.severity} | {each.begins} | {each.ends} | {number} "
            f"| {each.after_minutes} | {shown} |"
        )
    assert inside
    assert inside[1] == "\n".join(rows)
