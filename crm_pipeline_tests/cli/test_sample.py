"""`crm-pipeline sample ...`, called as a user calls it."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from typer import Typer
from typer.testing import CliRunner, Result

from crm_pipeline.cli.mistakes import OneLineMistakes
from crm_pipeline.cli.sample import app
from crm_pipeline.settings import settings

root = Typer(cls=OneLineMistakes, pretty_exceptions_enable=False)
root.add_typer(app, name="sample")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(root, ["sample", *arguments])


def test_the_warehouse_is_filled_goes_on_and_gets_orgs(pipeline: Engine):
    created = run("create", "--registrations", "120", "--clients", "9", "--seed", "4")
    later = run("more", "--minutes", "15", "--registrations", "7")
    orgs = run("orgs")

    assert created.exit_code == 0, created.output
    assert "120 registrations of 9 clients" in created.output
    assert "registrations: 7\n" in later.output
    assert (settings().data_dir / "demo/orgs.yaml").exists()
    assert orgs.exit_code == 0
    with pipeline.connect() as connection:
        rows = connection.scalar(text("SELECT count(*) FROM warehouse.registration"))
        clients = connection.scalar(text("SELECT count(*) FROM warehouse.client"))
    assert (rows, clients) == (127, 9)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("create", "--registrations", "3", "--clients", "4"), "too few for 4 clients"),
        (("more",), "`crm-pipeline sample create`"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(
    pipeline: Engine, arguments: tuple[str, ...], line: str
):
    result = run(*arguments)

    assert result.exit_code == 1
    assert line in result.output
    assert "Traceback" not in result.output


def test_another_schema_named_warehouse_is_left_alone(pipeline: Engine, tmp_path: Path):
    with pipeline.begin() as connection:
        connection.execute(text("DROP SCHEMA warehouse CASCADE"))
        connection.execute(text("DELETE FROM crm.migration WHERE folder = 'warehouse'"))
        connection.execute(text("CREATE SCHEMA warehouse"))
        connection.execute(text("CREATE TABLE warehouse.precious AS SELECT 1 AS stone"))

    result = run("create", "--replace")

    assert result.exit_code == 1
    assert "not the sample's" in result.output
    with pipeline.connect() as connection:
        assert connection.scalar(text("SELECT stone FROM warehouse.precious")) == 1
