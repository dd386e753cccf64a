"""Policies say when a field of an existing person is written."""

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from sqlalchemy import Connection, text

from crm_pipeline.accounts.account import Account, AccountError, AccountSettings
from crm_pipeline.accounts.people import is_written
from crm_pipeline.accounts.store import get_account

MIGRATION = Path("sql/crm/0021_settings_of_people.sql")


@pytest.mark.parametrize(
    ("policy", "there", "ours", "written"),
    [
        ("never", None, None, False),
        ("when_empty", None, None, True),
        ("when_empty", "", "x", True),
        ("when_empty", False, None, True),
        ("when_empty", 0, None, False),
        ("when_empty", "there", "there", False),
        ("source", "there", None, True),
        ("unless_edited", None, "x", True),
        ("unless_edited", "ours", "ours", True),
        ("unless_edited", "theirs", "ours", False),
        ("unless_edited", "theirs", None, False),
    ],
)
def test_each_policy_means_what_it_says(
    policy: str, there: object, ours: object, written: bool
) -> None:
    assert is_written(policy, "Title", "new", there, [ours]) is written


def test_either_value_is_ours_where_an_answer_was_lost() -> None:
    assert is_written("unless_edited", "Title", "new", "before", ["before", "lost"])
    assert is_written("unless_edited", "Title", "new", "lost", ["before", "lost"])
    assert not is_written("unless_edited", "Title", "new", "theirs", ["before", "lost"])


@pytest.mark.parametrize("policy", ["source", "when_empty", "unless_edited"])
def test_an_opt_out_is_set_and_never_cleared(policy: str) -> None:
    assert is_written(policy, "HasOptedOutOfEmail", True, False, ())
    assert not is_written(policy, "HasOptedOutOfEmail", False, True, [True])
    assert not is_written(policy, "HasOptedOutOfEmail", None, True, [True])
    assert not is_written("never", "HasOptedOutOfEmail", True, False, ())


@pytest.mark.parametrize(
    ("chosen", "of_source", "of_title"),
    [
        ({}, "when_empty", "source"),
        ({"person_fields": "never"}, "never", "never"),
        ({"person_fields": "unless_edited"}, "when_empty", "unless_edited"),
        ({"person_field_policies": {"LeadSource": "source"}}, "source", "source"),
        ({"person_field_policies": '{"Title": "never"}'}, "when_empty", "never"),
        ({"person_field_policies": {"title": "never", "LEADSOURCE": "source"}}, "source", "never"),
    ],
)
def test_where_people_came_from_stays_unless_the_account_names_it(
    chosen: dict[str, object], of_source: str, of_title: str
) -> None:
    settings = AccountSettings.parse("acme", chosen)
    assert (settings.policy("LeadSource"), settings.policy("Title")) == (of_source, of_title)


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ("always", "called source now"),
        ("sometimes", "never"),
    ],
)
@pytest.mark.parametrize("by_field", [False, True])
def test_a_policy_that_cannot_be_kept_is_refused_with_the_reason(
    policy: str, why: str, by_field: bool
) -> None:
    chosen = {"person_field_policies": {"Title": policy}} if by_field else {"person_fields": policy}
    with pytest.raises(AccountError, match=why):
        AccountSettings.parse("acme", chosen)


@pytest.mark.parametrize(
    ("stored", "carried"),
    [
        ({"route": "bulk"}, {"route": "bulk"}),
        ({"campaigns": None}, {"campaigns": None}),
        ({"campaigns": {}}, {"campaigns": {}}),
        (
            {"campaigns": {"unknown_email": "neither", "campaign_type": "x"}},
            {"campaigns": {"campaign_type": "x"}, "unknown_email": "neither"},
        ),
        ({"campaigns": {"person_fields": None}}, {"campaigns": {}}),
        (
            {
                "campaigns": {
                    "person_fields": "always",
                    "person_field_policies": {"Title": "never", "City": "always"},
                }
            },
            {
                "campaigns": {},
                "person_fields": "source",
                "person_field_policies": {"Title": "never", "City": "source"},
            },
        ),
    ],
)
def test_what_was_chosen_with_the_campaigns_is_carried_over(
    connection: Connection,
    add: Callable[..., Account],
    stored: dict[str, object],
    carried: dict[str, object],
) -> None:
    add("acme")
    connection.execute(
        text("UPDATE crm.account SET settings = CAST(:settings AS jsonb)"),
        {"settings": orjson.dumps(stored).decode()},
    )
    moving, _, _ = MIGRATION.read_text(encoding="utf-8").partition(";")
    connection.execute(text(moving))
    assert connection.scalar(text("SELECT settings FROM crm.account")) == carried
    get_account(connection, "acme")
