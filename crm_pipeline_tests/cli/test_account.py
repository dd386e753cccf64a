import getpass

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts import store
from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.accounts.credentials import mark_refused, read_credentials
from crm_pipeline.salesforce.credentials import ClientCredentials
from crm_pipeline.sources.participations import columns
from crm_pipeline_tests.cli.conftest import Run


def test_an_account_is_added_with_what_was_typed_and_listed(run: Run, acme: str, pipeline: Engine):
    with pipeline.connect() as connection:
        account = store.get_account(connection, acme)
        credentials = read_credentials(connection, acme)
    assert (account.client_id, account.name, account.enabled) == ("client-1", "Acme Ltd", True)
    assert credentials == ClientCredentials(client_id="3MVG9", client_secret="s3cret")
    listed = run("account", "list").stdout
    assert "acme" in listed
    assert "Acme Ltd" in listed
    assert "set" in listed


def test_an_account_that_cannot_be_added_leaves_nothing_behind(run: Run, pipeline: Engine):
    add = ("account", "add", "acme", "--client=c", "--name=n", "--yes")
    refused = run(*add, "--login-url=http://acme.example", typed="a\nb\n", fails=1)
    assert "use https" in refused.stderr
    run(*add, "--login-url=https://acme.my.salesforce.com", typed="3MVG9\n", fails=1)
    assert "There is no account yet" in run("account", "list").stdout


def test_an_account_is_not_added_twice(run: Run, acme: str):
    again = run(
        "account",
        "add",
        acme,
        "--client=c",
        "--name=n",
        "--login-url=https://x.my.salesforce.com",
        fails=1,
    )
    assert "acme exists already; change it with `crm-pipeline account set`" in again.stderr


def test_show_tells_each_setting_with_its_value_and_what_it_does(run: Run, acme: str):
    run("account", "set", acme, "parallel_requests=2")
    shown = run("account", "show", acme).stdout
    for name, field in AccountSettings.model_fields.items():
        assert name in shown
        assert str(field.description)[:40] in shown
    line = next(line for line in shown.splitlines() if line.strip().startswith("parallel_requests"))
    assert line.split()[1:3] == ["2", "yes"]


def test_show_says_why_credentials_are_refused_and_never_what_they_are(
    run: Run, acme: str, pipeline: Engine
):
    assert "s3cret" not in run("account", "show", acme).output
    with pipeline.begin() as connection:
        mark_refused(connection, acme, "invalid_client")
    assert "refused: invalid_client" in run("account", "show", acme).stdout


def test_settings_names_and_addresses_change_together_or_not_at_all(
    run: Run, acme: str, pipeline: Engine
):
    run(
        "account",
        "set",
        acme,
        "route=bulk",
        "--name=Acme Limited",
        "--login-url=https://b.my.salesforce.com",
    )
    refused = run("account", "set", acme, "route=auto", "retry_share=2", "--name=Zzz", fails=1)
    assert "retry_share" in refused.stderr
    with pipeline.connect() as connection:
        account = store.get_account(connection, acme)
    assert (account.settings.route, account.name) == ("bulk", "Acme Limited")
    assert account.login_url == "https://b.my.salesforce.com"


def test_a_setting_without_a_value_goes_back_to_its_default(run: Run, acme: str, pipeline: Engine):
    run("account", "set", acme, "route=bulk")
    run("account", "set", acme, "route=")
    with pipeline.connect() as connection:
        assert store.get_account(connection, acme).settings == AccountSettings()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["set", "acme"], "Nothing to change"),
        (["set", "acme", "route"], "is not SETTING=VALUE"),
        (["set", "acme", "rout=bulk"], "no setting 'rout'"),
        (["set", "nobody", "route=bulk"], "no account 'nobody'"),
        (["set", "acme", 'person_field_policies={"Fone": "never"}'], "did you mean Phone?"),
        (["show", "nobody"], "no account 'nobody'"),
        (["disable", "nobody"], "no account 'nobody'"),
        (["credentials", "nobody"], "no account 'nobody'"),
        (["test-login", "nobody"], "no account 'nobody'"),
        (["filter", "list", "nobody"], "no account 'nobody'"),
        (["filter", "add", "acme", " "], "would reject every address"),
        (["filter", "remove", "acme", "x"], "has no filter 'x'"),
        (["session", "remove", "acme", "7"], "does not list session 7"),
        (["session", "list", "nobody"], "no account 'nobody'"),
        (["mapping", "set", "acme", "Lead.Phone"], "one of --source"),
        (["mapping", "set", "acme", "Lead.Phone", "--source=a", "--nothing"], "one of --source"),
        (["mapping", "set", "acme", "Phone", "--nothing"], "is not OBJECT.FIELD"),
        (["mapping", "set", "acme", "Lead.Pho ne", "--nothing"], "is not an API name"),
        (["mapping", "remove", "acme", "Lead.Phone"], "does not override Lead.Phone"),
        (["mapping", "list", "nobody"], "no account 'nobody'"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(
    run: Run, acme: str, arguments: list[str], told: str
):
    assert told in run("account", *arguments, fails=1).stderr


def test_an_account_is_disabled_and_enabled(run: Run, acme: str, pipeline: Engine):
    for command, enabled in (("disable", False), ("enable", True)):
        run("account", command, acme)
        with pipeline.connect() as connection:
            assert store.get_account(connection, acme).enabled is enabled


def test_filters_are_added_listed_and_removed(run: Run, acme: str):
    assert "has no filter" in run("account", "filter", "list", acme).stdout
    run("account", "filter", "add", acme, " @rival.example ")
    assert "@rival.example" in run("account", "filter", "list", acme).stdout
    run("account", "filter", "remove", acme, "@rival.example")
    assert "has no filter" in run("account", "filter", "list", acme).stdout


def test_sessions_are_listed_and_the_last_one_goes_only_on_purpose(run: Run, acme: str):
    assert "all of its sessions go" in run("account", "session", "list", acme).stdout
    run("account", "session", "add", acme, "4711", "--yes")
    assert "4711" in run("account", "session", "list", acme).stdout
    refused = run("account", "session", "remove", acme, "4711", fails=1)
    assert "--push-all" in refused.stderr
    assert "4711" in run("account", "session", "list", acme).stdout
    run("account", "session", "remove", acme, "4711", "--push-all")
    assert "all of its sessions go" in run("account", "session", "list", acme).stdout


def test_mappings_are_overridden_listed_and_removed(run: Run, acme: str):
    run("account", "mapping", "set", acme, "Lead.Region__c", "--source=county")
    run("account", "mapping", "set", acme, "Lead.Rating", "--constant=Hot")
    run("account", "mapping", "set", acme, "Lead.Phone", "--nothing")
    listed = run("account", "mapping", "list", acme).stdout
    assert "from column county" in listed
    assert "with 'Hot'" in listed
    assert "not at all" in listed
    for field in ("Region__c", "Rating", "Phone"):
        run("account", "mapping", "remove", acme, f"Lead.{field}")
    assert "overrides no field" in run("account", "mapping", "list", acme).stdout


def test_a_column_that_the_extracts_lack_is_told_with_those_that_they_have(run: Run, acme: str):
    told = run("account", "mapping", "set", acme, "Lead.Region__c", "--source=conty", fails=1)
    assert "no column 'conty'" in told.stderr
    assert "county" in told.stderr
    for column in ("street", "minutes_attended", "session_title"):
        run("account", "mapping", "set", acme, "Lead.Region__c", f"--source={column}")


def test_a_mapping_is_kept_when_the_warehouse_cannot_be_asked(
    run: Run, acme: str, pipeline: Engine
):
    with pipeline.begin() as connection:
        connection.execute(text("DROP SCHEMA warehouse CASCADE"))
    # A command is a process of its own, which knows no columns yet.
    columns.cache_clear()
    told = run("account", "mapping", "set", acme, "Lead.Region__c", "--source=county")
    assert "cannot be checked whether there is a column county" in told.stderr
    assert "county" in run("account", "mapping", "list", acme).stdout


def test_impossible_settings_in_the_table_are_told_and_can_be_mended(
    run: Run, acme: str, pipeline: Engine
):
    with pipeline.begin() as connection:
        connection.execute(text("""UPDATE crm.account SET settings = '{"colour": "red"}'"""))
    assert "colour" in run("account", "show", acme, fails=1).stderr
    assert acme in run("account", "list").stdout
    run("account", "set", acme, "colour=")
    run("account", "show", acme)


def test_the_list_names_what_each_account_lacks(run: Run, acme: str, pipeline: Engine):
    with pipeline.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO crm.account (account_id, client_id, name, login_url)"
                " VALUES ('beta', 'c', 'Beta', 'https://beta.my.salesforce.com')"
            )
        )
        mark_refused(connection, acme, "invalid_client")
    rows = [line.split() for line in run("account", "list").stdout.splitlines()]
    ends = {row[0]: row[-1] for row in rows if row}
    assert (ends["acme"], ends["beta"]) == ("refused", "missing")


def test_who_changed_what_is_told(run: Run, acme: str, pipeline: Engine):
    run("account", "set", acme, "parallel_requests=2", "name=Acme")
    run("account", "set", acme, "parallel_requests=")
    run("account", "mapping", "set", acme, "Lead.City", "--constant=Bath")
    run("account", "filter", "add", acme, "@rival.example", "--yes")
    run("account", "filter", "remove", acme, "@rival.example")
    with pipeline.begin() as connection:
        connection.execute(text("UPDATE crm.account SET enabled = false"))
    listed = run("account", "history", acme).stdout.splitlines()[1:]
    [last, *changes] = [tuple(line.split("\t")[1:]) for line in listed]
    assert (last[0] != getpass.getuser(), last[1:]) == (True, ("enabled", "true", "false"))
    assert changes[:7] == [
        (getpass.getuser(), *each)
        for each in (
            ("filter @rival.example", "there", ""),
            ("filter @rival.example", "", "there"),
            ("mapping Lead.City", "", "constant Bath"),
            ("parallel_requests", "2", ""),
            ("name", "Acme Ltd", "Acme"),
            ("parallel_requests", "", "2"),
            ("enabled", "false", "true"),
        )
    ]
    assert ("client_id", "", "client-1") in [change[1:] for change in changes]
    assert "s3cret" not in str(listed)
    assert len(run("account", "history", acme, "--limit=1").stdout.splitlines()) == 2
