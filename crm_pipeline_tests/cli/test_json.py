"""`--json`, anywhere in a command: what it shows is one document on stdout."""

import json
from typing import Any

from crm_pipeline.cli import json_form
from crm_pipeline_tests.cli.conftest import Run


def shown(run: Run, *arguments: str, fails: int = 0) -> Any:
    result = run(*arguments, fails=fails)
    assert json_form.document() is None
    return json.loads(result.stdout)


def test_a_table_is_a_list_of_objects(run: Run, acme: str):
    [listed] = shown(run, "account", "list", "--json")["rows"]
    assert (listed["account"], listed["login_url"]) == (acme, "https://acme.my.salesforce.com")
    assert shown(run, "--json", "account", "list")["rows"] == [listed]


def test_an_empty_table_is_an_empty_list(run: Run):
    assert shown(run, "account", "--json", "list") == {"rows": []}


def test_facts_and_tables_with_titles_have_names(run: Run, acme: str):
    told = shown(run, "account", "show", acme, "--json")
    assert told["facts"]["client"] == "client-1"
    by_name = {each["setting"]: each for each in told["settings"]}
    assert by_name["parallel_requests"]["chosen"] is False
    assert by_name["parallel_requests"]["value"] == 5


def test_lines_are_in_the_document_and_on_stderr(run: Run, acme: str):
    result = run("account", "set", acme, "parallel_requests=2", "--json")
    line = "Account acme is changed; its next cycle goes by it."
    assert json.loads(result.stdout) == {"said": [line]}
    assert result.stderr == f"{line}\n"


def test_a_mistake_is_a_line_on_stderr_and_an_exit_status(run: Run):
    refused = run("state", "nobody", "--json", fails=1)
    assert json.loads(refused.stdout) == {}
    assert "There is no account 'nobody'" in refused.stderr


def test_nobody_is_asked(run: Run, acme: str):
    beta = ("--client=c", "--name=n", "--login-url=https://b.my.salesforce.com", "--yes")
    run("account", "add", "beta", *beta, typed="a\nb\n")
    refused = run("account", "activate", "beta", "--json", typed="y\n", fails=1)
    assert "as nobody can be asked here; --yes agrees" in refused.stderr


def test_words_behind_two_dashes_are_taken_as_they_are(run: Run, acme: str):
    refused = run("account", "filter", "add", "--yes", "--", acme, "--json")
    assert "--json" in refused.stdout + run("account", "filter", "list", acme).stdout
