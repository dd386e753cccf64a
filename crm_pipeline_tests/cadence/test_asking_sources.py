"""The planner asks the sources of each flow that an account has on, once for all accounts."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from crm_pipeline.accounts.store import update_settings
from crm_pipeline.cadence.due import due_accounts
from crm_pipeline.database.engines import engine
from crm_pipeline.flows.registry import FLOWS
from crm_pipeline.ledger.positions import advance, positions
from crm_pipeline.ledger.read_back import hint
from crm_pipeline_tests.cadence.rows import (
    LONG_AGO,
    a_shipped_person,
    a_state,
    an_account,
    an_idle_account,
    read_up_to,
)
from crm_pipeline_tests.small_flow.badges import WATCHED, Badge, badges_flow

ROWS = [Badge(1), Badge(2)]


def due(*badges: Badge, only_urgent: bool = False, watched: bool = False) -> dict[str, str]:
    """The accounts that are due, with the small flow beside the others."""
    flow = badges_flow(badges, watches=WATCHED if watched else ())
    found = due_accounts(only_urgent=only_urgent, flows=[*FLOWS, flow])
    return {each.account_id: each.reason for each in found}


def read_badges(connection: Connection, account: str, *badges: Badge) -> None:
    """The account has read these rows of the small flow."""
    [source] = badges_flow(badges).sources
    *_, last = source.read(connection, None)
    advance(connection, account, "badges", last.position)


@pytest.fixture
def asked(pipeline: Engine) -> Iterator[list[Any]]:
    """The values of all statements that are sent to the databases."""
    due_accounts(only_urgent=False)
    sent: list[Any] = []

    def note(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        sent.append(values)

    for which in ("pipeline", "warehouse"):
        event.listen(engine(which), "before_cursor_execute", note)
    yield sent
    for which in ("pipeline", "warehouse"):
        event.remove(engine(which), "before_cursor_execute", note)


def test_a_flow_is_asked_for_by_its_own_reading(connection: Connection) -> None:
    an_idle_account(connection, "read")
    read_badges(connection, "read", *ROWS)
    an_idle_account(connection, "unread")
    an_idle_account(connection, "changed")
    read_badges(connection, "changed", Badge(1))
    connection.commit()
    assert due(*ROWS) == {"unread": "new rows", "changed": "new rows"}
    assert due(*ROWS, only_urgent=True) == {"unread": "new rows", "changed": "new rows"}


def test_a_flow_that_was_read_in_part_is_asked_for_again(connection: Connection) -> None:
    an_idle_account(connection, "a")
    [source] = badges_flow(ROWS).sources
    first, *_ = source.read(connection, None)
    advance(connection, "a", "badges", first.position)
    connection.commit()
    assert due(*ROWS) == {"a": "new rows"}


def test_a_source_that_was_never_read_is_news_only_to_those_with_rows_in_it(
    connection: Connection,
) -> None:
    for account in ("with", "without"):
        an_account(connection, account)
        a_state(connection, account)
    a_shipped_person(connection, "with", 1, LONG_AGO)
    connection.commit()
    assert due() == {"with": "new rows"}


def test_campaigns_are_asked_for_by_their_own_positions_where_they_are_on(
    connection: Connection,
) -> None:
    for account in ("on", "off"):
        an_account(connection, account)
        a_state(connection, account)
        a_shipped_person(connection, account, ord(account[1]), LONG_AGO)
        read_up_to(connection, account, LONG_AGO, rows=1, seconds=30 * 60)
    connection.execute(
        text("UPDATE crm.account SET settings = '{\"campaigns\": {}}' WHERE account_id = 'on'")
    )
    connection.commit()
    assert due() == {"on": "new rows"}
    for position in positions(connection, "on", "webinars").values():
        advance(connection, "on", "campaigns", position)
    connection.commit()
    assert due() == {}


def test_unreadable_settings_are_for_a_cycle_to_tell(connection: Connection) -> None:
    an_idle_account(connection, "a")
    connection.execute(text("UPDATE crm.account SET settings = '{\"nonsense\": 1}'"))
    connection.commit()
    assert due() == {"a": "settings changed"}


def test_an_org_that_is_watched_is_looked_at_in_its_pace(connection: Connection) -> None:
    for account in ("lately", "before", "never"):
        an_idle_account(connection, account)
        for each in WATCHED if account != "never" else WATCHED[:1]:
            connection.execute(
                text(
                    "INSERT INTO crm.org_position (account_id, sobject, covered, read_at)"
                    " VALUES (:account, :sobject, now(), now() - :ago)"
                ),
                {
                    "account": account,
                    "sobject": each.sobject,
                    "ago": timedelta(minutes=13) if account == "before" else timedelta(),
                },
            )
    connection.commit()
    asked = dict.fromkeys(("before", "never"), "changes to look for")
    assert due(watched=True) == asked
    assert due(watched=True, only_urgent=True) == {}
    assert due() == {}


def a_reading(connection: Connection, account: str, minutes_ago: int) -> None:
    for each in WATCHED:
        connection.execute(
            text(
                "INSERT INTO crm.org_position (account_id, sobject, covered, read_at)"
                " VALUES (:account, :sobject, now(), now() - make_interval(mins => :ago))"
            ),
            {"account": account, "sobject": each.sobject, "ago": minutes_ago},
        )


def test_each_account_has_its_own_pace(connection: Connection) -> None:
    for account, pace in (("slow", 60), ("quick", 5), ("always", 0)):
        an_idle_account(connection, account)
        update_settings(connection, account, {"read_back_minutes": pace})
        a_reading(connection, account, 10)
    connection.execute(text("UPDATE crm.sync_state SET started_at = clock_timestamp()"))
    connection.commit()
    assert set(due(watched=True)) == {"quick", "always"}


def test_a_hint_is_urgent_until_the_org_was_read(connection: Connection) -> None:
    for account in ("hinted", "other"):
        an_idle_account(connection, account)
        a_reading(connection, account, 1)
    hint(connection, "hinted")
    hint(connection, "of nobody")
    connection.commit()
    assert due(watched=True, only_urgent=True) == {"hinted": "told of changes"}
    connection.execute(text("UPDATE crm.org_position SET read_at = clock_timestamp()"))
    connection.commit()
    assert due(watched=True) == {}


def test_a_reading_that_did_not_come_to_its_end_goes_on(connection: Connection) -> None:
    an_idle_account(connection, "a")
    a_reading(connection, "a", 1)
    connection.execute(
        text(
            "UPDATE crm.org_position SET cursor_stamp = now(), cursor_id = '1', cursor_upto = now()"
        )
    )
    connection.commit()
    assert due(watched=True) == {"a": "changes to look for"}


def test_each_source_is_asked_once_for_all_accounts(
    connection: Connection, asked: list[Any]
) -> None:
    an_idle_account(connection, "first")
    connection.commit()
    # The first time a session looks at the warehouse's tables, too.
    due(watched=True)
    asked.clear()
    due(watched=True)
    alone = len(asked)
    for number in range(30):
        an_idle_account(connection, f"a{number}")
    connection.commit()
    asked.clear()
    due(watched=True)
    assert len(asked) == alone


def test_flows_that_have_read_equally_far_put_one_question(
    connection: Connection, asked: list[Any]
) -> None:
    an_idle_account(connection, "a")
    for position in positions(connection, "a", "webinars").values():
        advance(connection, "a", "campaigns", position)
    connection.execute(text("UPDATE crm.account SET settings = '{\"campaigns\": {}}'"))
    connection.commit()
    asked.clear()
    assert due() == {}
    assert [values["keys"] for values in asked if "keys" in values] == [["0"], ["0"]]
