"""Mappings as people type them, and fields that the org does not show."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts import store
from crm_pipeline.flows.campaigns.rules import CAMPAIGN, MEMBER
from crm_pipeline.local_org.store import Org
from crm_pipeline.sources.mapping import DEFAULT_MAPPING
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, bench_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

ABSENT = "not in the org, or hidden"


def one_cycle(run: Run, pipeline: Engine) -> str:
    with pipeline.begin() as connection:
        add_person(connection, 1)
        register(connection, 1, 1)
    return run("cycle", "acme").stdout


def test_the_objects_that_can_be_mapped_are_those_that_a_mapping_fills():
    assert {*DEFAULT_MAPPING, CAMPAIGN, MEMBER} == set(store.DECIDED_FIELDS)


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("Leed.City", "'Leed' is not mapped; did you mean Lead?"),
        ("Account.Name", "'Account' is not mapped"),
        ("Lead.Email", "Lead.Email is not to be mapped"),
        ("contact.email", "Contact.Email is not to be mapped"),
        ("Lead.isconverted", "not to be mapped"),
        ("Event.WhoId", "not to be mapped"),
        ("Event.Subject", "not to be mapped"),
        ("CampaignMember.Status", "not to be mapped"),
        ("Lead.", "not an API name"),
    ],
)
@pytest.mark.parametrize("how", ["--constant=x", "--nothing", "--source=county"])
def test_a_mapping_that_would_do_nothing_or_harm_is_refused(
    run: Run, acme: str, field: str, told: str, how: str
):
    assert told in run("account", "mapping", "set", acme, field, how, fails=1).stderr
    assert "overrides no field" in run("account", "mapping", "list", acme).stdout


def test_a_constant_is_some_text(run: Run, acme: str):
    told = run("account", "mapping", "set", acme, "Lead.Rating", "--constant= ", fails=1)
    assert "--nothing" in told.stderr
    told = run("account", "mapping", "set", acme, "Lead.Rating", "--source=answers.", fails=1)
    assert "needs the key of a question" in told.stderr


def test_names_are_stored_as_salesforce_spells_them(run: Run, org: Org, pipeline: Engine):
    one_cycle(run, pipeline)
    run("account", "mapping", "set", "acme", "lead.phone", "--nothing")
    run("account", "mapping", "set", "acme", "LEAD.numberofemployees", "--constant=5")
    with pipeline.connect() as connection:
        stored = [(m.sobject, m.field) for m in store.field_mappings(connection, "acme")]
    assert stored == [("Lead", "NumberOfEmployees"), ("Lead", "Phone")]
    run("account", "mapping", "remove", "acme", "lead.PHONE")
    assert "Phone" not in run("account", "mapping", "list", "acme").stdout


@pytest.mark.parametrize(
    ("typed", "spelt"),
    [
        ("lead.leadsource", "Lead.LeadSource"),
        ("contact.LEADSOURCE", "Contact.LeadSource"),
        ("lead.hasoptedoutofemail", "Lead.HasOptedOutOfEmail"),
    ],
)
def test_fields_with_rules_of_their_own_are_known_before_the_first_login(
    run: Run, acme: str, typed: str, spelt: str
):
    run("account", "mapping", "set", acme, typed, "--nothing")
    assert spelt in run("account", "mapping", "list", acme).stdout


def test_a_field_that_the_org_lacks_is_told_wherever_one_looks(
    run: Run, org: Org, pipeline: Engine
):
    run("account", "mapping", "set", "acme", "Lead.Region__c", "--constant=EMEA")
    told = run("account", "test-login", "acme", fails=1).stderr
    assert f"Lead.Region__c: {ABSENT}" in told
    assert ABSENT in run("account", "mapping", "list", "acme").stdout
    cycle = one_cycle(run, pipeline)
    assert "Not in the org, or hidden, so not sent: Region__c (1)" in cycle
    assert "changed to fit" not in cycle
    assert "Not in the org, or hidden, so not sent: Region__c (1)" in run("state", "acme").stdout
    again = run("account", "mapping", "set", "acme", "Lead.Zone__c", "--constant=EMEA").stdout
    assert ABSENT in again
    described = "SELECT max(described_at) > now() - interval '1 day' FROM crm.sobject_schema"
    with pipeline.connect() as connection:
        assert connection.scalar(text(described)) is False, "the next cycle looks again"
    run("account", "mapping", "set", "acme", "Lead.Rating", "--constant=Hot")
    rating = next(
        line
        for line in run("account", "mapping", "list", "acme").stdout.splitlines()
        if "Lead.Rating" in line
    )
    assert ABSENT not in rating
    for field in ("Region__c", "Zone__c"):
        run("account", "mapping", "remove", "acme", f"Lead.{field}")
    run("account", "test-login", "acme")


@pytest.mark.deep
@pytest.mark.parametrize(
    ("field", "how", "why"),
    [
        ("Lead.CreatedDate", "--source=registered_at", "the field cannot be written"),
        ("Lead.Name", "--constant=Ann", "the field cannot be written"),
        ("Lead.NumberOfEmployees", "--constant=many", "not of the field's type"),
        ("Lead.OwnerId", "--constant=Ann", "not of the field's type"),
        ("Lead.City", f"--constant={'x' * 41}", "too long for the field"),
    ],
)
def test_a_mapping_that_the_org_never_takes_is_told_wherever_one_looks(
    run: Run, org: Org, pipeline: Engine, field: str, how: str, why: str
):
    run("account", "test-login", "acme")
    told = run("account", "mapping", "set", "acme", field, how).stdout
    assert f"As the org was last seen, though: {why}. `crm-pipeline account test-login" in told
    assert why in run("account", "mapping", "list", "acme").stdout
    shown = f"{field}: {why}".lower()
    assert shown in run("account", "test-login", "acme", fails=1).stderr.lower()
    assert f"mapped in vain\t{shown}" in run("state", "acme").stdout.lower()
    cycle = one_cycle(run, pipeline)
    read_only = "Not to be written by the user, so not sent: " in cycle
    assert read_only is (why == "the field cannot be written")


def test_a_constant_that_the_picklist_spells_otherwise_is_no_mistake(run: Run, org: Org):
    run("account", "mapping", "set", "acme", "Lead.Rating", "--constant=hot")
    run("account", "test-login", "acme")


def test_external_ids_that_the_org_lacks_are_told(run: Run, org: Org):
    run("account", "set", "acme", "activity_external_id_field=Webinar_Key__c")
    told = run("account", "test-login", "acme", fails=1).stderr
    assert f"Event.Webinar_Key__c: {ABSENT}" in told


def test_a_mapping_says_first_what_it_changes_and_asks_where_that_is_much(
    run: Run, org: Org, pipeline: Engine
):
    """Before anything was read nothing is said; what a cycle would be held for is asked."""
    sets = ("account", "mapping", "set", "acme", "Lead.Rating", "--constant=Hot")
    assert "would get another" not in run(*sets).stdout
    run("account", "mapping", "remove", "acme", "Lead.Rating")
    one_cycle(run, pipeline)
    with pipeline.begin() as connection:
        email = connection.scalar(text("SELECT email FROM warehouse.person"))
        add_person(connection, 99, email.upper())
        register(connection, 99, 99)
    told = run("account", "mapping", "set", "acme", "Lead.Phone", "--nothing").stdout
    assert "0 records of 1 would get another Lead.Phone" in told
    run("account", "set", "acme", 'limits={"changed_people": 0, "changed_share": 0.5}')
    assert "1 record of 1 would get another Lead.Rating" in run(*sets, fails=1).stderr
    assert "Rating" not in run("account", "mapping", "list", "acme").stdout
    assert "Store it?" in run(*sets, typed="y\n").stdout
    assert "Lead.Rating\twith 'Hot'" in run("account", "mapping", "list", "acme").stdout
    told = run("account", "mapping", "remove", "acme", "Lead.Rating").stdout
    assert "0 records of 1 would get another Lead.Rating" in told


def test_a_filter_says_how_many_it_rejects_when_it_comes_and_when_it_goes(
    run: Run, org: Org, pipeline: Engine
):
    one_cycle(run, pipeline)
    adds = ("account", "filter", "add", "acme", "@example.com")
    told = "Of the 1 people that client client-1 has so far, '@example.com' rejects 1."
    assert told in run(*adds, fails=1).stderr
    run(*adds, "--yes")
    removes = ("account", "filter", "remove", "acme", "@example.com")
    assert told in run(*removes).stdout
    run(*adds, "--yes")
    run("account", "set", "acme", 'limits={"changed_people": 0}')
    assert "--yes agrees" in run(*removes, fails=1).stderr
    assert "@example.com" in run("account", "filter", "list", "acme").stdout
    assert "no more?" in run(*removes, typed="y\n").stdout


def test_fields_are_suggested_by_the_names_of_columns(
    run: Run, pipeline: Engine, monkeypatch: pytest.MonkeyPatch
):
    texts = {"type": "string", "length": 80}
    fields = {"Job_Title__c": texts, "Region__c": texts, "Colour__c": texts}
    described = {"name": ACCOUNT, **ORG, "objects": {"Lead": {"fields": fields}}}
    with bench_of(described, pipeline, monkeypatch):
        unseen = run("account", "mapping", "suggest", ACCOUNT, fails=1).stderr
        assert "test-login acme` looks at them" in unseen
        run("account", "test-login", ACCOUNT)
        suggested = run("account", "mapping", "suggest", ACCOUNT).stdout.splitlines()[1:]
        commands = [line.split("\t")[3].split() for line in suggested]
        assert [each[4] for each in commands] == ["Lead.Job_Title__c", "Lead.Region__c"]
        for command in commands:
            run(*command)
        assert "No free field" in run("account", "mapping", "suggest", ACCOUNT).stdout
    listed = run("account", "mapping", "list", ACCOUNT).stdout
    assert "Lead.Job_Title__c\tfrom column job_title" in listed


@pytest.mark.deep
def test_a_template_is_typed_shown_told_and_its_table_mended(
    run: Run, org: Org, pipeline: Engine, tmp_path: Path
):
    sets = ("account", "mapping", "set", "acme")
    table = tmp_path / "regions.csv"
    table.write_text("BY,Bavaria\nNW,Rhineland\n", encoding="utf-8")
    region = ("Lead.City", "--source=county", f"--lookup-file={table}", "--default=elsewhere")
    told = run(*sets, *region).stdout
    made = "from column county by a table of 2 rows ("
    assert f"Account acme fills Lead.City {made}" in told
    run(*sets, "Lead.Title", "--source=surname", "--source=first_name", "--separator=, ")
    with pipeline.begin() as connection:
        add_person(connection, 2, county="Atlantis")
        register(connection, 2, 2)
    one_cycle(run, pipeline)
    listed = run("account", "mapping", "list", "acme").stdout
    assert made in listed
    assert "Lead.Title\tfrom columns surname + first_name with ', ' between them" in listed
    assert run("account", "mapping", "missed", "acme").stdout.splitlines()[1:] == [
        "Lead.City\tAtlantis\t1"
    ]
    assert "Lead.City (1); `crm-pipeline account mapping missed" in run("state", "acme").stdout
    found = run("find", "acme", "p2@example.com").stdout
    assert "City\telsewhere\tdefault, as nothing came of county by a table of 2 rows (" in found
    assert "Title\tLast 2, First 2\tsurname + first_name with" in found
    mended = (*region, "--lookup=Atlantis=the sea")
    told = run("account", "mapping", "what-if", "acme", *mended).stdout
    assert "gets another value\t1\taaa aaa" in told
    told = run(*sets, *mended, "--yes").stdout
    assert "1 record of 2 would get another Lead.City" in told
    assert "make something of whatever" in run("account", "mapping", "missed", "acme").stdout
    history = run("account", "history", "acme").stdout
    assert "template county by a table of 3 rows (" in history
    exported = run("account", "export", "acme").stdout
    (file := tmp_path / "acme.yaml").write_text(exported, encoding="utf-8")
    assert "as the files say" in run("account", "apply", str(file), "--dry-run").stdout
    file.write_text(exported.replace("the sea", "the deep sea"), encoding="utf-8")
    changed = run("account", "apply", str(file), "--dry-run", fails=1, silent=True).stdout
    assert "mapping\tLead.City\ttemplate county by a table of 3 rows" in changed
    run("account", "apply", str(file), "--yes")
    run("cycle", "acme")
    run("account", "send-again", "acme", "--yes")
    run("cycle", "acme")
    assert "City\tthe deep sea\tcounty by" in run("find", "acme", "p2@example.com").stdout
    checked = run("account", "check", str(file)).stdout
    assert "Lead.Title\t" in checked


@pytest.mark.deep
@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["--source=county", "--lookup=BY"], "is not VALUE=BECOMES"),
        (["--source=county", "--lookup=BY=a", "--lookup=BY=b"], "two rows for 'BY'"),
        (["--source=county", "--lookup=BY=a", "--lookup=by=b"], "two rows for one value"),
        (["--source=county", "--lookup-file=none.csv"], "none.csv cannot be read"),
        (["--source=county", "--date-format=day"], "writes no part of a day or time"),
        (["--source=county", "--source=conty"], "sql/extract/ gives no column 'conty'"),
        (["--constant=x", "--default=y"], "--default belongs to --source"),
        (["--source=county", "--source=webinars_attended"], "is made of all rows"),
    ],
)
def test_a_template_that_would_do_nothing_is_refused(
    run: Run, acme: str, typed: list[str], told: str
):
    assert told in run("account", "mapping", "set", acme, "Lead.City", *typed, fails=1).stderr
    assert "overrides no field" in run("account", "mapping", "list", acme).stdout
