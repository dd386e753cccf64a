"""Some commands make tables; the others say so where there are none."""

import pytest
from sqlalchemy import Engine, text

from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.cli.test_process import ADD, crm_pipeline
from crm_pipeline_tests.databases import settings_of
from crm_pipeline_tests.flows.webinars.warehouse import add_sessions


@pytest.fixture
def no_tables(pipeline: Engine) -> Engine:
    drop_tables(pipeline)
    return pipeline


def drop_tables(database: Engine) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA crm, platform_inbox, daily, reporting CASCADE")


@pytest.mark.parametrize(
    "arguments",
    [
        "state",
        "state acme",
        "account list",
        "account show acme",
        "account set acme route=bulk",
        "account filter add acme @rival.example",
        "account session add acme 1",
        "account mapping list acme",
        "account test-login acme",
        "campaign list acme",
        "operations list",
        "operations show 1",
        "cycle --all",
        "erasure scan --erased",
        "listen --port 0",
    ],
)
def test_commands_make_no_tables_and_say_who_does(run: Run, no_tables: Engine, arguments: str):
    told = run(*arguments.split(), fails=1).stderr
    assert "is not set up: it has none of the pipeline's tables" in told
    assert "`crm-pipeline migrate` makes them there" in told
    with no_tables.connect() as connection:
        made = connection.scalars(text("SELECT nspname FROM pg_namespace")).all()
    assert not {"crm", "platform_inbox"} & set(made)


def test_clients_are_listed_before_there_is_an_account(run: Run, no_tables: Engine):
    with no_tables.begin() as connection:
        add_sessions(connection, 1)
    assert "client-1" in run("account", "clients").stdout


def test_migrate_and_the_first_account_make_the_tables(run: Run, no_tables: Engine):
    first = crm_pipeline("migrate")
    assert first.returncode == 0, first.stderr
    [line] = first.stderr.splitlines()
    assert line.endswith("has the pipeline's tables now."), "one line, whatever made them"
    again = run("migrate")
    assert "has the pipeline's tables of this version" in again.stdout
    assert again.stderr == ""
    drop_tables(no_tables)
    run(*ADD, typed="x\ns3cret\n")
    run("state")


def test_tables_of_an_older_version_are_told(run: Run, pipeline: Engine):
    with pipeline.begin() as connection:
        connection.exec_driver_sql("DELETE FROM crm.migration WHERE name = '0007_conversions'")
    told = run("state", fails=1).stderr
    assert "older version" in told
    assert "0007_conversions comes first" in told


def test_a_user_who_may_only_read_sees_the_state(run: Run, pipeline: Engine):
    with pipeline.begin() as connection:
        connection.exec_driver_sql(
            "CREATE ROLE only_reads LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA crm TO only_reads;"
            "GRANT SELECT ON ALL TABLES IN SCHEMA crm TO only_reads"
        )
    url = pipeline.url.set(username="only_reads", password="x")
    shown = url.render_as_string(hide_password=False)
    try:
        with settings_of(PIPELINE_DATABASE_URL=shown):
            run("state")
    finally:
        with pipeline.begin() as connection:
            connection.exec_driver_sql("DROP OWNED BY only_reads; DROP ROLE only_reads")
