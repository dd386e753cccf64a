"""The reference is made of the code; `make reference` makes it anew."""

import re
from pathlib import Path

import pytest
from typer.cli import app as documenting
from typer.testing import CliRunner

from crm_pipeline.ledger.codes import OwnCode
from crm_pipeline.reference import PIECES, piece_of
from crm_pipeline.settings import PROJECT

_REFERENCE = Path(__file__).parents[2] / "docs" / "commands.md"


def test_the_reference_has_every_command_as_it_is():
    asked = ["crm_pipeline.cli.app", "utils", "docs", "--name", "crm-pipeline"]
    made = CliRunner().invoke(documenting, asked, catch_exceptions=False)
    written = _REFERENCE.read_text(encoding="utf-8")
    assert written.strip() == made.stdout.strip(), "run `make reference`"


@pytest.mark.parametrize(("document", "mark"), PIECES)
def test_each_table_is_that_of_the_code(document: str, mark: str):
    page = (PROJECT / document).read_text(encoding="utf-8")
    assert piece_of(page, mark) == PIECES[document, mark](), "run `make reference`"


def test_the_ledger_has_no_code_of_ours_that_is_not_declared():
    coded = re.compile(
        r"(?:reason|error)_code = (?:CASE .*?THEN )?'([A-Z_]+)'|ELSE '([A-Z_]+)' END"
    )
    found = {
        next(filter(None, each))
        for folder in ("ledger", "records", "operations", "holds")
        for path in (PROJECT / "sql" / folder).glob("*.sql")
        for each in coded.findall(path.read_text(encoding="utf-8"))
    }
    assert {"UNKNOWN_PERSON", "REFERENCE_LEFT_OUT"} <= found <= set(OwnCode)
