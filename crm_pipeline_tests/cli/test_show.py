"""Output of commands: nothing of it acts on the terminal."""

import json

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.cli.show import harmless
from crm_pipeline_tests.cli.conftest import Run

_NASTY = "\x1b]0;owned\x07\x1b[2J\x9b31m\x7f\u202e\u2066\u200f\u2028\r\x08\ufeff"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Zoë, 山田, اَلْعَرَبِيَّةُ 👩\u200d🚀", "Zoë, 山田, اَلْعَرَبِيَّةُ 👩\u200d🚀"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\u00a0b", "a\u00a0b"),
        ("two\nlines", "two\nlines"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31mred", "\\x9b31mred"),
        ("a\rb\tc\x00", "a\\rb\\tc\\x00"),
        ("gpj.\u202eexe", "gpj.\\u202eexe"),
        ("half \ud83d", "half \\ud83d"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_text_of_strangers_is_shown_and_does_nothing(given: str, shown: str) -> None:
    assert harmless(given) == shown


@pytest.mark.parametrize("command", [("account", "list"), ("account", "show"), ("state",)])
def test_a_name_with_control_characters_reaches_no_terminal(
    run: Run, acme: str, pipeline: Engine, command: tuple[str, ...]
) -> None:
    with pipeline.begin() as connection:
        connection.execute(text("UPDATE crm.account SET name = :name"), {"name": _NASTY})
    which = (acme,) if command != ("account", "list") else ()
    _is_harmless(run(*command, *which).output)


def test_what_an_org_said_and_a_person_wrote_is_shown_without_effect(
    run: Run, acme: str, pipeline: Engine
) -> None:
    with pipeline.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO crm.operation (account_id, flow, kind, natural_key, version, as_of,"
                " content_hash, intent, state, sobject, error_code, error_message)"
                " VALUES ('acme', 'webinars', 'activity', :said, 1, now(), '', cast(:intent AS"
                " jsonb), 'failed', :said, 'CODE', :said)"
            ),
            {"said": _NASTY, "intent": json.dumps({"Description": _NASTY})},
        )
        operation_id = connection.scalar(text("SELECT operation_id FROM crm.operation"))
        connection.execute(
            text(
                "INSERT INTO crm.incident (account_id, code, subject, message, operations)"
                " VALUES ('acme', 'CODE', :said, :said, 1)"
            ),
            {"said": _NASTY},
        )
    _is_harmless(run("operations", "list", acme).output)
    _is_harmless(run("operations", "show", operation_id).output)
    _is_harmless(run("state", acme).output)
    _is_harmless(run("account", "filter", "remove", acme, _NASTY, fails=1).output)
    _is_harmless(run("state", _NASTY, fails=1).output)


def _is_harmless(output: str) -> None:
    assert "\\x1b" in output
    assert not [c for c in _NASTY if not c.isprintable() and c in output]
