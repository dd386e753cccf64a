"""Questions to a person at a terminal: asked while nothing is held, and checked again then."""

import io
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts import store
from crm_pipeline.cli.app import app
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.cli.test_process import COMMAND
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

ENDS_WITHIN = 60


class Terminal:
    """A command of another process, and the person at its terminal."""

    def __init__(self, command: "subprocess.Popen[str]", typing: int) -> None:
        self._command = command
        self._typing = typing

    def is_asked(self, question: str) -> str:
        """Waits for a question; everything that was said until then."""
        said = ""
        assert self._command.stdout is not None
        while question not in said:
            character = self._command.stdout.read(1)
            assert character, said
            said += character
        return said

    def answers(self, answer: str) -> None:
        """Types an answer."""
        os.write(self._typing, f"{answer}\n".encode())

    def ends(self) -> tuple[int, str]:
        """Waits for the end; the exit status, and what was said since."""
        said, _ = self._command.communicate(timeout=ENDS_WITHIN)
        return self._command.returncode, said


class Thinking(io.RawIOBase):
    """A terminal whose person thinks before answering yes: meanwhile other things happen."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self._meanwhile = meanwhile
        self.answers = 0

    def isatty(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._meanwhile()
        self.answers += 1
        buffer[:2] = b"y\n"
        return 2


@contextmanager
def terminal(*arguments: str) -> Iterator[Terminal]:
    mine, theirs = pty.openpty()
    command = subprocess.Popen(
        [COMMAND, *arguments],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield Terminal(command, mine)
    finally:
        command.kill()
        command.wait()
        os.close(mine)
        os.close(theirs)


@pytest.fixture
def people(org: Org, pipeline: Engine) -> None:
    """Three people of account acme."""
    with pipeline.begin() as connection:
        for number in (1, 2, 3):
            add_person(connection, number)
            register(connection, number, number)


@pytest.mark.parametrize(
    ("asking", "question"),
    [
        (("filter", "add", "acme", "example"), "Reject them"),
        (("session", "add", "acme", "2"), "List it?"),
        (("set", "acme", "campaigns={}"), "Read them?"),
        (("set", "acme", "client=client-2"), "Take it all the same"),
        (("send-again", "acme"), "Go on?"),
        (("adopt", "acme"), "Go on?"),
    ],
)
def test_nobody_waits_for_a_person_who_thinks(
    run: Run,
    people: None,
    pipeline: Engine,
    monkeypatch: pytest.MonkeyPatch,
    asking: tuple[str, ...],
    question: str,
) -> None:
    """A question was asked within a transaction, and others of the account hung."""

    def meanwhile() -> None:
        with pipeline.begin() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '2s'"))
            connection.execute(text("UPDATE crm.account SET name = 'Acme'"))
            connection.execute(text("LOCK crm.operation, crm.account IN EXCLUSIVE MODE"))
        with account_lock(pipeline, "acme") as held:
            assert held is not None
        run("account", "disable", "acme")

    person = Thinking(meanwhile)
    said = io.StringIO()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(person)))
    with redirect_stdout(said), redirect_stderr(said):
        app(["account", *asking], prog_name="crm-pipeline", standalone_mode=False)
    assert person.answers == said.getvalue().count(question) == 1, "it is asked once"
    assert "Account acme" in said.getvalue()


def test_what_changed_while_somebody_thought_is_asked_anew(
    run: Run, people: None, pipeline: Engine
) -> None:
    with terminal("account", "filter", "add", "acme", "example") as asked:
        assert "of the 3 people" in asked.is_asked("Reject them").lower()
        with pipeline.begin() as connection:
            add_person(connection, 4)
            register(connection, 4, 4)
        asked.answers("y")
        assert "of the 4 people" in asked.is_asked("Reject them").lower()
        asked.answers("n")
        status, said = asked.ends()
    assert (status, "Nothing is changed." in said) == (1, True)
    with pipeline.connect() as connection:
        assert store.filter_strings(connection, "acme") == []


def test_a_question_without_an_answer_changes_nothing(run: Run, people: None) -> None:
    told = run("account", "filter", "add", "acme", "example", typed="", fails=1)
    assert "Stopped: an answer was needed and none came." in told.stderr
    assert "has no filter" in run("account", "filter", "list", "acme").stdout


def test_nothing_is_held_while_credentials_are_typed(
    run: Run, people: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SALESFORCE_CLIENT_SECRET", "s3cret")
    add = ("beta", "--client=client-1", "--name=B", "--login-url=https://b.my.salesforce.com")
    with terminal("account", "add", *add) as asked:
        asked.is_asked("Client id")
        run("account", "add", *add, "--yes", typed="3MVG9\n")
        asked.answers("3MVG9")
        status, said = asked.ends()
    assert (status, "beta exists already" in said) == (1, True), said
