"""Settings changed in the console: seen before they are stored, and by one at a time."""

import re

import pytest
from sqlalchemy import text

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.accounts.store import get_account, update_settings
from crm_pipeline.console.choosing import ChoiceSeen, ChoiceWanted
from crm_pipeline.console.roles import ConsoleRole
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline_tests.console.conftest import Stage, Visitor
from crm_pipeline_tests.console.test_pages import rows

PATH = "/accounts/acme/settings"


def stored(stage: Stage) -> AccountSettings:
    with stage.pipeline.connect() as connection:
        return get_account(connection, "acme").settings


def number_of(page: str) -> str:
    [seen] = re.findall(r'name="seen" value="([^"]+)"', page)
    return str(seen)


@pytest.fixture
def otto(stage: Stage) -> Visitor:
    return stage.visitor(ConsoleRole.operator)


def test_a_setting_is_seen_then_stored_then_told_by_whom(stage: Stage, otto: Visitor) -> None:
    assert f"{PATH}?setting=lead_source" in otto.get(PATH)
    form = otto.get(f"{PATH}?setting=limits")
    assert "&#34;new_people&#34;:1" in form.partition("<textarea")[2].partition("</textarea>")[0]
    seen = otto.post(PATH, do="look", setting="lead_source", value="Expo")
    assert stored(stage).lead_source != "Expo"
    [_, *told] = rows(otto.get(f"{PATH}?csv=effect"))
    assert "4 people would be otherwise" in told[0][0]
    done = otto.post(PATH, do="store", seen=number_of(seen))
    assert "lead_source is stored; the next cycle goes by it." in done
    assert stored(stage).lead_source == "Expo"
    changes = rows(otto.get(f"{PATH}?csv=changes"))
    assert changes[1][1:3] == ["otto", "lead_source"]
    assert changes[1][4] == "Expo"
    log = otto.get("/log?who=otto&csv=log")
    assert "set,acme,,setting lead_source" in log
    assert "Expo" not in log
    again = otto.post(PATH, 409, do="store", seen=number_of(seen))
    assert "is done already: lead_source is stored" in again
    otto.post(PATH, do="look", setting="lead_source", value="")
    otto.post(PATH, do="store", seen=number_of(otto.get(PATH)))
    assert "lead_source" not in stored(stage).model_fields_set


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("parallel_requests", "99", "setting parallel_requests = &#39;99&#39;"),
        ("campaigns", "{", "a JSON object is expected"),
        ("person_field_policies", '{"Nonsense__c": "never"}', "fills no field"),
        ("start_at", "yesterday", "a date as 2026-11-01"),
    ],
)
def test_what_the_command_refuses_is_refused_here(
    otto: Visitor, setting: str, value: str, told: str
) -> None:
    page = otto.post(PATH, do="look", setting=setting, value=value)
    assert told in page
    assert "Approve: store exactly this" not in page


def test_of_two_operators_the_second_is_told(stage: Stage, otto: Visitor) -> None:
    ann = stage.visitor(ConsoleRole.operator)
    theirs = number_of(otto.post(PATH, do="look", setting="retry_share", value="0.2"))
    number_of(ann.post(PATH, do="look", setting="retry_share", value="0.3"))
    told = otto.post(PATH, 409, do="store", seen=theirs)
    assert "was looked at again since" in told
    seen = number_of(otto.get(PATH))
    # A command may change them as well.
    with stage.pipeline.begin() as connection:
        update_settings(connection, "acme", {"retry_share": "0.4"})
    assert "comes to something else: look at it once more" in ann.post(PATH, do="store", seen=seen)
    assert stored(stage).retry_share == 0.4
    with stage.pipeline.begin() as connection:
        update_settings(connection, "acme", {"retry_share": None})


def test_only_operators_change_and_only_what_there_is(stage: Stage, otto: Visitor) -> None:
    for role in (ConsoleRole.viewer, ConsoleRole.support):
        stage.visitor(role).post(PATH, 403, do="look", setting="retry_share", value="0.2")
    otto.get(f"{PATH}?setting=odd", 404)
    otto.post(PATH, 400, do="look", setting="odd", value="1")
    otto.post("/accounts/nobody/settings", 404, do="look", setting="retry_share", value="0.2")


def test_an_account_is_disabled_and_enabled_once(stage: Stage, otto: Visitor) -> None:
    switch = "/accounts/acme/enabled"
    assert "no further cycle starts" in otto.post(switch, do="disable")
    assert "is disabled already" in otto.post(switch, 409, do="disable")
    assert "Enable: run its cycles again" in otto.get("/accounts/acme")
    assert "its cycles run again" in otto.post(switch, do="enable")
    assert "is enabled already" in otto.post(switch, 409, do="enable")
    otto.post("/accounts/nobody/enabled", 404, do="enable")
    with stage.pipeline.connect() as connection:
        assert connection.scalar(text("SELECT enabled FROM crm.account"))


MAPPING = """
Lead:
  website: {constant: https://x.example}
  Title: null
"""


def test_mapping_filters_and_sessions_are_seen_then_stored(stage: Stage, otto: Visitor) -> None:
    def change(name: str, value: str) -> tuple[list[list[str]], str]:
        seen = otto.post(PATH, do="look", setting=name, value=value)
        changes = rows(otto.get(f"{PATH}?csv=changes_seen"))[1:]
        said = " ".join(line for [line] in rows(otto.get(f"{PATH}?csv=effect"))[1:])
        assert "is stored; the next" in otto.post(PATH, do="store", seen=number_of(seen))
        return changes, said

    changes, said = change("filters", " @RIVAL.example\n\n@example.com")
    assert [each[1:] for each in changes] == [["none", "rejected"]] * 2
    assert "'@RIVAL.example' rejects 0." in said
    assert "'@example.com' rejects 4." in said
    assert "@RIVAL.example" in otto.get("/accounts/acme?csv=filters")
    assert "@RIVAL.example" not in otto.get("/log?who=otto&csv=log")
    changes, said = change("filters", "@RIVAL.example")
    assert changes == [["'@example.com", "rejected", "none"]]
    assert "Rows that were read before stay rejected" in said
    changes, said = change("mapping", MAPPING)
    # As Salesforce spells it.
    assert ["Lead.Website", "none", "constant https://x.example"] in changes
    assert "4 records of 4 would get another Lead.Website: about 1 API call" in said
    assert "  Website:\n    constant: https://x.example" in otto.get(f"{PATH}?setting=mapping")
    _, said = change("sessions", "1")
    assert "As the first one that account acme lists it stops all others" in said
    _, said = change("sessions", "")
    assert "all of its sessions go to Salesforce" in said
    change("mapping", "")
    change("filters", "")
    kept = [each[1:3] for each in rows(otto.get(f"{PATH}?csv=changes"))[1:]]
    assert {("otto", c) for c in ("filter @example.com", "session 1", "mapping Lead.Title")} <= {
        (who, choice) for who, choice in kept
    }
    for name, value, told in (
        ("filters", "", "that is how it is already"),
        ("sessions", "one", "is no id of a session"),
        ("sessions", "9" * 30, "is no id of a session"),
        ("mapping", "Lead: {", "neither YAML nor JSON"),
        ("mapping", "hello", "is objects and their fields"),
        ("mapping", "Leed: {Title: null}", "did you mean Lead?"),
        ("mapping", "Lead: {Title: {source: nothing}}", "gives no column"),
        ("mapping", "Lead: {Title: {}}", "one of source and constant is expected"),
        ("mapping", "Lead: {Title: null, title: null}", "is there twice"),
    ):
        page = otto.post(PATH, do="look", setting=name, value=value)
        assert told in page, value
        assert "Approve: store exactly this" not in page
    with account_lock(stage.pipeline, "acme") as cycle:
        assert cycle is not None
        otto.post(PATH, do="look", setting="sessions", value="1")
        otto.post(PATH, do="store", seen=number_of(otto.get(PATH)))
        # All rows would be read again, which a cycle that runs would not do.
        assert "is running" in otto.post(PATH, do="look", setting="sessions", value="")
    change("sessions", "")


def test_what_a_choice_comes_to_may_grow_by_rows_that_come_and_by_no_more() -> None:
    def seen(said: str, before: str = "{}") -> ChoiceSeen:
        return ChoiceSeen(ChoiceWanted("acme", "filters", "@a"), (("@a", "", ""),), (said,), before)

    then = seen("Of the 1,000 people it rejects 100.")
    assert then.holds(seen("Of the 1,090 people it rejects 118."))
    assert then.holds(seen("Of the 900 people it rejects 0."))
    for now in (
        "Of the 1,000 people it rejects 121.",
        "Of the 1,000 people it rejects 100. And 1.",
    ):
        assert not then.holds(seen(now))
    assert not then.holds(seen("Of the 1,000 people it rejects 100.", '{"x": 1}'))
