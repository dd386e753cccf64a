"""The reference of commands is made of the commands; `make reference` makes it anew."""

from pathlib import Path

from typer.cli import app as documenting
from typer.testing import CliRunner

_REFERENCE = Path(__file__).parents[2] / "docs" / "commands.md"


def test_the_reference_has_every_command_as_it_is():
    asked = ["crm_pipeline.cli.app", "utils", "docs", "--name", "crm-pipeline"]
    made = CliRunner().invoke(documenting, asked, catch_exceptions=False)
    written = _REFERENCE.read_text(encoding="utf-8")
    assert written.strip() == made.stdout.strip(), "run `make reference`"
