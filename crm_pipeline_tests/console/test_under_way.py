"""What the console does after its page has been answered ends in its log, whatever happens."""

import time
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, create_engine, text

from crm_pipeline.cli.console_settings import CommandDesk
from crm_pipeline.console.databases import ConsoleDatabases
from crm_pipeline.console.roles import ConsoleRole, Somebody
from crm_pipeline.console.under_way import WorkUnderWay

PERSONAL = "p1@example.com"

OTTO = Somebody("otto", ConsoleRole.operator)


def until_stopped(work: WorkUnderWay) -> Callable[[], str]:
    def wait() -> str:
        while not work.stop_asked():
            time.sleep(0.001)
        return "Paused"

    return wait


def broken() -> str:
    raise KeyError(PERSONAL)


def test_what_never_began_is_noted_when_the_console_stops(module_pipeline: Engine) -> None:
    databases = ConsoleDatabases(module_pipeline, None)
    work = WorkUnderWay(databases, CommandDesk())
    assert work.begin(OTTO, "acme", "plan 1", "applied", broken)
    assert work.begin(OTTO, "acme", "plan 2", "applied", until_stopped(work))
    assert work.begin(OTTO, "acme", "plan 3", "applied", broken)
    assert not work.begin(OTTO, "acme", "plan 3", "applied", broken)
    while work.is_under_way("acme", "plan 1"):
        time.sleep(0.001)
    work.end()
    databases.dispose()
    with module_pipeline.connect() as connection:
        noted = connection.execute(text("SELECT action, detail FROM crm.console_log ORDER BY 2"))
        assert list(map(tuple, noted)) == [
            ("applied", "plan 1: ended by KeyError"),
            ("applied", "plan 2: Paused"),
            ("not begun", "plan 3: the console was stopped before; ask for it again"),
        ]


def test_what_cannot_be_noted_is_logged_without_personal_data(
    caplog: pytest.LogCaptureFixture,
) -> None:
    away = create_engine("postgresql+psycopg://nobody@127.0.0.1:9/nothing")
    work = WorkUnderWay(ConsoleDatabases(away, None), CommandDesk())
    work.begin(OTTO, "acme", "plan 1", "applied", broken)
    while work.is_under_way("acme", "plan 1"):
        time.sleep(0.001)
    work.end()
    told = "'otto': applied acme plan 1: ended by KeyError, not in crm.console_log"
    assert told in caplog.messages
    assert "in broken" in caplog.text
    assert PERSONAL not in caplog.text
