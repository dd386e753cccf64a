"""What people are told, from the command line."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.alerts.watch import watch
from crm_pipeline.settings import settings
from crm_pipeline_tests.alerts.receiver import Receiver, receiving
from crm_pipeline_tests.cadence.rows import an_idle_account, an_operation
from crm_pipeline_tests.cli.conftest import Run


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Told of accounts that begin with a, by a target of that name; and by another one of b."""
    with receiving() as receiver:
        file = tmp_path / "alerts.yaml"
        urls = (receiver.url, receiver.url)
        file.write_text(
            "targets:\n"
            + "\n".join(
                f'  {name}: {{url: "{url}/{name}", accounts: ["{name}*"]}}'
                for name, url in zip("ab", urls, strict=True)
            )
        )
        monkeypatch.setenv("ALERTS_FILE", str(file))
        settings.cache_clear()
        yield receiver


def test_a_pause_is_told_and_what_is_still_so_after_it(
    run: Run, pipeline: Engine, receiver: Receiver
) -> None:
    with pipeline.begin() as connection:
        an_idle_account(connection, "a")
        an_operation(connection, "a", "person:1", state="exhausted", attempts_left=0)
    assert "until 20" in run("alerts", "pause", "a", "--for", "8h", "--why", "a move").stdout
    watch()
    (paused,) = receiver.alerts("/a")
    assert paused["cause"] == "alerts paused"
    assert "alerts are paused until 20" in paused["message"]
    assert "(a move); `crm-pipeline alerts resume a` ends it." in paused["message"]
    listed = run("alerts", "list").stdout
    assert "\nAlerts" not in listed
    assert "a\twarning\texhausted retries\t20" in listed
    run("alerts", "resume", "a")
    assert "not paused" in run("alerts", "resume", "a", fails=1).stderr
    watch()
    told = [(each["cause"], each["over"]) for each in receiver.alerts("/a")[1:]]
    assert sorted(told) == [("alerts paused", True), ("exhausted retries", False)]
    run("alerts", "pause", "a", "--for", "1h")
    with pipeline.begin() as connection:
        connection.execute(text("UPDATE crm.operation SET state = 'dropped'"))
    watch()
    assert ("exhausted retries", True) in [
        (each["cause"], each["over"]) for each in receiver.alerts("/a")
    ]
    ended = json.loads(run("--json", "alerts", "list", "a", "--since", "2026-01-01").stdout)
    assert "exhausted retries" in json.dumps(ended)
    assert "exhausted retries" not in run("alerts", "list", "a").stdout


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "Say either --for or --until"),
        (["--for", "8h", "--until", "2030-01-01"], "Say either --for or --until"),
        (["--for", "tomorrow"], "tomorrow is no time; it looks like 30m, 8h or 2d."),
        (["--for", "0h"], "0h is no time"),
        (["--for", "31d"], "at most 30 days"),
        (["--until", "2020-01-01"], "is over; it is 20"),
        (["--until", "2999-01-01 10:00"], "at most 30 days"),
    ],
)
def test_a_pause_has_an_end(options: list[str], told: str, run: Run, acme: str) -> None:
    assert told in run("alerts", "pause", acme, *options, fails=1).stderr


def test_a_test_says_what_each_target_took_and_who_would_reach_nobody(
    run: Run, pipeline: Engine, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pipeline.begin() as connection:
        for account_id in ("a", "b", "c"):
            an_idle_account(connection, account_id)
    receiver.answers["/b"] = 500
    said = run("alerts", "test", fails=1).stdout
    assert "a\tyes\t\nb\tno\tit answers 500\n" in said.replace("yes\n", "yes\t\n")
    assert [each["over"] for each in receiver.alerts("/a")] == [False, True]
    receiver.answers.clear()
    assert "Of 1 account no target would be told: c." in run("alerts", "test").stderr
    assert "There is no target x; a, b." in run("alerts", "test", "x", fails=1).stderr
    monkeypatch.delenv("ALERTS_FILE")
    settings.cache_clear()
    assert "Only the log is told" in run("alerts", "test", fails=1).stderr
    assert "Only the log is told" in run("alerts", "list").stdout
    monkeypatch.setenv("ALERTS_FILE", "/no/such.yaml")
    settings.cache_clear()
    assert "No such file" in run("alerts", "list", fails=1).stderr
