"""Settings changed in the console: seen before they are stored, and by one at a time."""

import re

import pytest
from sqlalchemy import text

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.accounts.store import get_account, update_settings
from crm_pipeline.console.roles import ConsoleRole
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
