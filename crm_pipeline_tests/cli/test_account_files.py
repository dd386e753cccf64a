"""Accounts as files: exported, compared, applied."""

import json
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Engine, text

from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.flows.webinars.warehouse import add_sessions

LOGIN_URL = "https://acme.my.salesforce.com"


@pytest.fixture
def client(pipeline: Engine) -> None:
    with pipeline.begin() as connection:
        add_sessions(connection, 1, 2)


def chosen(run: Run, account: str) -> None:
    """One choice of each sort."""
    run("account", "set", account, "parallel_requests=2", 'roles=["attendee", "sponsor"]')
    run("account", "set", account, 'campaigns={"create_campaigns": false}', "--yes")
    run("account", "mapping", "set", account, "Lead.Region__c", "--source=county")
    run("account", "mapping", "set", account, "Lead.Rating", "--constant=123")
    run("account", "mapping", "set", account, "Lead.Phone", "--nothing")
    run("account", "filter", "add", account, "@rival.example", "--yes")
    run("account", "session", "add", account, "1", "--yes")


def test_an_account_that_is_exported_is_as_its_file_says(
    run: Run, client: None, acme: str, tmp_path: Path
):
    chosen(run, acme)
    printed = run("account", "export", acme).stdout
    run("account", "export", f"--to={tmp_path / 'accounts'}")
    file = tmp_path / "accounts" / "acme.yaml"
    assert printed == f"---\n{file.read_text()}"
    assert "s3cret" not in printed
    assert yaml.safe_load(printed) == {
        "account": "acme",
        "client": "client-1",
        "name": "Acme Ltd",
        "login_url": LOGIN_URL,
        "settings": {
            "parallel_requests": 2,
            "roles": ["attendee", "sponsor"],
            "campaigns": {"create_campaigns": False},
        },
        "mapping": {
            "Lead": {
                "Phone": None,
                "Rating": {"constant": "123"},
                "Region__c": {"source": "county"},
            }
        },
        "filters": ["@rival.example"],
        "sessions": [1],
    }
    assert "1 account as the files say" in run("account", "apply", file, "--dry-run").stdout


def test_files_make_accounts_and_change_them(
    run: Run, client: None, acme: str, tmp_path: Path, pipeline: Engine
):
    """The other account, from the file of the first, is the same; then each choice is another."""
    chosen(run, acme)
    file = tmp_path / "beta.yaml"
    known = yaml.safe_load(run("account", "export", acme).stdout)
    file.write_text(yaml.safe_dump({**known, "account": "beta"}))
    would = run("account", "apply", file, "--dry-run", fails=1, silent=True).stdout
    assert "beta\tmapping\tLead.Region__c\t\tcolumn county" in would
    assert "beta" not in run("account", "list").stdout, "nothing is changed yet"
    made = run("account", "apply", file, "--yes").stdout
    assert "Added account beta as a draft" in made
    assert run("account", "apply", file, "--dry-run").stdout.startswith("1 account as")
    other = {
        **known,
        "account": "beta",
        "name": "Beta",
        "settings": {"parallel_requests": 3},
        "mapping": {"Lead": {"Region__c": {"constant": 7}, "Phone": {"source": "phone_1"}}},
        "filters": ["@other.example"],
        "sessions": [2],
    }
    file.write_text(json.dumps(other))
    run("account", "apply", file, "--yes")
    assert run("account", "apply", file, "--dry-run").stdout.startswith("1 account as")
    stored = yaml.safe_load(run("account", "export", "beta").stdout)
    mapping = {"Phone": {"source": "phone_1"}, "Region__c": {"constant": "7"}}
    assert stored == {**other, "mapping": {"Lead": mapping}}
    del other["sessions"]
    file.write_text(json.dumps(other))
    asked = run("account", "apply", file, fails=1).stderr
    assert "all of its sessions go to Salesforce" in asked
    run("account", "apply", file, "--yes")
    with pipeline.connect() as connection:
        draft = connection.scalar(
            text("SELECT activated_at IS NULL FROM crm.account WHERE account_id = 'beta'")
        )
    assert draft
    assert "parallel_requests\t2\t3" in run("account", "history", "beta").stdout


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("account: [", "is neither YAML nor JSON (line "),
        ("- acme", "holds no account"),
        ("account: b\nclient: c\nname: n", "login_url: is missing"),
        ("colour: red", "colour: is nothing that a file has"),
        ("settings: {paralel_requests: 2}", "there is no setting 'paralel_requests'"),
        ("settings: {parallel_requests: 0}", "setting parallel_requests = 0"),
        ("mapping: {Leed: {City: null}}", "did you mean Lead?"),
        ("mapping: {Lead: {City: {source: a, constant: b}}}", "one of source and constant"),
        ("mapping: {Lead: {Email: null}}", "is not to be mapped"),
        ("filters: ['@']", "would reject every address"),
        ("? [account]\n: b", "is neither YAML nor JSON (line "),
        ("sessions: [one]", "sessions.0"),
        ("login_url: http://acme.example", "use https"),
        ("account: Big Corp", "use letters, digits"),
        ("filters: [a.example]\nfilters: [b.example]", "filters is there twice (line 6)"),
    ],
)
def test_a_file_that_cannot_be_is_refused_with_the_place(
    run: Run, tmp_path: Path, said: str, problem: str
):
    file = tmp_path / "account.yaml"
    whole = f"account: b\nclient: c\nname: n\nlogin_url: {LOGIN_URL}\n"
    names = {line.partition(":")[0] for line in said.splitlines()}
    kept = [line for line in whole.splitlines() if line.partition(":")[0] not in names]
    is_part = said.partition(":")[0] in ("colour", "settings", "mapping", "filters", "sessions")
    alone = not is_part and len(names) > 1
    file.write_text(said if alone or said[0] == "-" else "\n".join((*kept, said)))
    assert problem in run("account", "apply", file, "--dry-run", fails=1).stderr


def test_files_that_are_none_or_of_one_account_are_refused(run: Run, tmp_path: Path):
    assert "cannot be read" in run("account", "apply", tmp_path / "none.yaml", fails=1).stderr
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(f"account: b\nclient: c\nname: n\nlogin_url: {LOGIN_URL}\n")
    both = run("account", "apply", tmp_path / "a.yaml", tmp_path / "b.yaml", fails=1)
    assert "account b stands there or in another file already" in both.stderr


def test_text_that_looks_like_a_number_stays_as_it_is_written(
    run: Run, client: None, tmp_path: Path
):
    """Also where YAML of old would read an octal number, minutes, or a truth value."""
    said = {"Rating": "010", "Title": "yes", "Fax": "12:30", "Region__c": "true", "City": "1_000"}
    lines = [f"    {field}: {{constant: {each}}}" for field, each in said.items()]
    head = ["account: '8'", "client: 010", "name: 007", f"login_url: {LOGIN_URL}"]
    settings = ["settings: {parallel_requests: 2, degrade_fields: yes}"]
    file = tmp_path / "numbers.yaml"
    file.write_text("\n".join((*head, *settings, "mapping:", "  Lead:", *lines)))
    run("account", "apply", file, "--yes")
    stored = yaml.safe_load(run("account", "export", "8").stdout)
    assert (stored["client"], stored["name"]) == ("010", "007")
    assert {name: each["constant"] for name, each in stored["mapping"]["Lead"].items()} == said
    assert stored["settings"] == {"parallel_requests": 2, "degrade_fields": True}


def test_who_does_not_agree_to_a_part_of_an_account_changes_nothing_of_it(
    run: Run, client: None, acme: str, tmp_path: Path
):
    """Nor is anything said to be done, and what differs is shown once."""
    known = yaml.safe_load(run("account", "export", acme).stdout)
    file = tmp_path / "acme.yaml"
    changed = {**known, "settings": {"parallel_requests": 2}, "sessions": [1]}
    file.write_text(json.dumps(changed))
    for typed in (None, "n\n"):
        said = run("account", "apply", file, typed=typed, fails=1)
        assert "Nothing of account acme is changed" in said.stderr
        assert "its next cycle goes by it" not in said.stdout
        assert yaml.safe_load(run("account", "export", acme).stdout) == known
    said = run("account", "apply", file, typed="y\n")
    assert said.stdout.count("parallel_requests") == 1
    assert "Account acme pushes session 1" in said.stdout
    assert "its next cycle goes by it" in said.stdout
    assert yaml.safe_load(run("account", "export", acme).stdout) == changed


def test_what_fails_at_the_end_leaves_nothing_of_the_account(
    run: Run, client: None, acme: str, tmp_path: Path, pipeline: Engine
):
    """The last session goes off the list under the account's lock, which a cycle has."""
    run("account", "session", "add", acme, "1", "--yes")
    before = yaml.safe_load(run("account", "export", acme).stdout)
    beta = {**before, "account": "beta", "sessions": []}
    changed = {
        **before,
        "client": "client-2",
        "name": "Other",
        "settings": {"parallel_requests": 2},
        "mapping": {"Lead": {"Rating": {"constant": "Hot"}}},
        "filters": ["@rival.example"],
        "sessions": [],
    }
    file = tmp_path / "both.yaml"
    file.write_text("---\n".join(map(yaml.safe_dump, (beta, changed))))
    with account_lock(pipeline, acme):
        said = run("account", "apply", file, "--yes", fails=1)
    assert "A cycle of account acme is running" in said.stderr
    assert "Added account beta" in said.stdout
    assert "Rating" not in said.stdout.partition("Added")[2]
    assert yaml.safe_load(run("account", "export", acme).stdout) == before
    run("account", "apply", file, "--yes")
    assert "2 accounts as the files say" in run("account", "apply", file, "--dry-run").stdout


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"mapping": {"Lead": {"City": {"source": "cty"}}}}, "Lead.City: sql/extract/ gives no"),
        (
            {"mapping": {"Lead": {"City": {"source": ["city", "webinars_registered"]}}}},
            "Lead.City: webinars_registered is made of all rows",
        ),
        ({"mapping": {"Campaign": {"X__c": {"source": "city"}}}}, "Campaign.X__c: "),
        ({"settings": {"person_field_policies": {"Citty": "never"}}}, "'Citty' of people"),
        ({"settings": {"campaigns": {"series_parent": "serie"}}}, "series_parent: "),
        ({"settings": {"start_at": "now"}}, "now is another time"),
        ({"mapping": {"Lead": {"Fax": None, "fax": None}}}, "Lead.fax is there twice"),
    ],
)
def test_the_last_file_is_checked_before_the_first_is_stored(
    run: Run, client: None, tmp_path: Path, said: dict[str, object], problem: str
):
    """With its columns, and with what settings say of them; a look alone says it, too."""
    good = {"account": "a", "client": "client-1", "name": "A", "login_url": LOGIN_URL}
    files = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    files[0].write_text(yaml.safe_dump(good))
    files[1].write_text(yaml.safe_dump({**good, "account": "b", **said}))
    for how in ("--dry-run", "--yes"):
        assert problem in run("account", "apply", *files, how, fails=1).stderr
    assert "There is no account yet" in run("account", "list").stdout


def test_a_file_may_say_at_once_what_belongs_together(
    run: Run, client: None, acme: str, tmp_path: Path
):
    """A policy of a field that it maps; and the field's name in other letters than Salesforce's."""
    known = yaml.safe_load(run("account", "export", acme).stdout)
    file = tmp_path / "acme.yaml"
    settings = {"person_field_policies": {"Rating": "never"}}
    mapping = {"Lead": {"Rating": {"constant": "Hot"}, "phone": None}}
    file.write_text(json.dumps({**known, "settings": settings, "mapping": mapping}))
    run("account", "apply", file, "--yes")
    stored = yaml.safe_load(run("account", "export", acme).stdout)
    assert stored["mapping"] == {"Lead": {"Phone": None, "Rating": {"constant": "Hot"}}}
    assert stored["settings"] == settings
    assert "1 account as the files say" in run("account", "apply", file, "--yes").stdout


def test_what_is_exported_in_one_piece_is_applied_as_it_is(run: Run, acme: str, tmp_path: Path):
    run(
        "account",
        "add",
        "beta",
        "--client=2",
        "--name=B",
        f"--login-url={LOGIN_URL}",
        "--yes",
        typed="3MVG9\ns3cret\n",
    )
    file = tmp_path / "all.yaml"
    file.write_text(run("account", "export").stdout)
    assert "2 accounts as the files say" in run("account", "apply", file, "--dry-run").stdout
    file.write_text("---\n---\n")
    assert "holds no account" in run("account", "apply", file, "--dry-run", fails=1).stderr


def test_the_schema_describes_files(run: Run):
    schema = json.loads(run("account", "schema").stdout)
    assert set(schema["required"]) == {"account", "client", "name", "login_url"}
    assert "parallel_requests" in schema["$defs"]["AccountSettings"]["properties"]
    assert json.loads(run("account", "schema", "--json").stdout) == schema


def test_files_are_checked_without_a_database(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PIPELINE_DATABASE_URL", "postgresql://127.0.0.1:1/none")
    file = tmp_path / "b.yaml"
    known = f"account: b\nclient: c\nname: n\nlogin_url: {LOGIN_URL}\nfilters: ['@rival.example']\n"
    file.write_text(f"{known}mapping: {{Lead: {{Region__c: {{source: county}}}}}}\n")
    checked = run("account", "check", file).stdout
    assert "Lead.Region__c\t3\t" in checked
    assert "b: 1 row rejected: filtered by '@rival.example'." in checked
    assert "b: 1 row rejected: invalid email." in checked
    rows = tmp_path / "rows.csv"
    rows.write_text("email,surname\na@example.com,A\n")
    assert "no column county" in run("account", "check", file, f"--rows={rows}", fails=1).stdout
    rows.write_text("nothing\n")
    assert "has no rows" in run("account", "check", file, f"--rows={rows}", fails=1).stderr


def test_mapped_fields_have_to_be_those_of_the_org(run: Run, org: Org, tmp_path: Path):
    run("account", "test-login", "acme")
    run("account", "mapping", "set", "acme", "Lead.Region__c", "--source=county")
    run("account", "mapping", "set", "acme", "Lead.Rating", "--constant=Hot")
    run("account", "export", f"--to={tmp_path}")
    checked = run("account", "check", tmp_path / "acme.yaml", fails=1)
    assert "Lead.Region__c\t3\tnot in the org, or hidden" in checked.stdout
    assert "1 field cannot be filled so" in checked.stderr
    (tmp_path / "acme.fields.json").write_text("[1]")
    told = run("account", "check", tmp_path / "acme.yaml", fails=1).stderr
    assert "is none that `crm-pipeline account export --to` wrote" in told
