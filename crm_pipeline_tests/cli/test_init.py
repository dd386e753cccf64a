"""`crm-pipeline init`: a new folder, one that is there, and one of an earlier version."""

import re
from pathlib import Path

import pytest
import typer
from dotenv import dotenv_values
from typer.testing import CliRunner, Result

from crm_pipeline.cli.app import app
from crm_pipeline.kept_elsewhere import FORMS
from crm_pipeline.settings import FILES, Settings, secret_settings


def init(folder: Path, *, fails: int = 0) -> Result:
    made = CliRunner().invoke(app, ["init", str(folder)], prog_name="crm-pipeline")
    assert made.exit_code == fails, made.output
    return made


def test_a_new_folder_has_all_and_says_what_comes_next(tmp_path: Path):
    folder = tmp_path / 'a "new" $one {x}'
    said = init(folder).stdout
    assert "dagster.yaml, .env" in said
    variables = dotenv_values(folder / ".env")
    assert variables == {
        "DAGSTER_HOME": str(folder),
        "CRM_PIPELINE_DATA_DIR": f"{folder}/.data",
    }
    assert (folder / ".env").stat().st_mode & 0o077 == 0
    assert (folder / "accounts").is_dir()
    known = {field.alias or name.upper() for name, field in Settings.model_fields.items()}
    known |= {f"{name}{form}" for name in secret_settings() for form in FORMS}
    suggested = re.findall(r"^# (\w+)=", (folder / ".env").read_text("utf-8"), re.MULTILINE)
    assert suggested
    assert set(suggested) <= known
    for words in re.findall(r"crm-pipeline ((?:[a-z-]+ ?)+)", said):
        command = typer.main.get_command(app)
        for word in words.split():
            command = command.commands[word]  # type: ignore[attr-defined]


def test_a_folder_that_is_there_is_kept_and_told_what_is_not_of_this_version(tmp_path: Path):
    init(tmp_path)
    (tmp_path / ".env").write_text("HISTORY_DAYS=30\n")
    assert init(tmp_path).stdout == f"{tmp_path}: all was there.\n"
    (tmp_path / "dagster.yaml").write_text("of another version\n")
    (tmp_path / "workspace.yaml").unlink()
    assert init(tmp_path).stdout.splitlines() == [
        f"{tmp_path}: workspace.yaml.",
        (
            "dagster.yaml stays, and is not this version's: "
            f"diff {FILES / 'dagster.yaml'} {tmp_path / 'dagster.yaml'}"
        ),
    ]
    assert (tmp_path / "dagster.yaml").read_text() == "of another version\n"
    assert (tmp_path / ".env").read_text() == "HISTORY_DAYS=30\n"


@pytest.mark.parametrize("name", ["", "below"])
def test_what_is_no_folder_is_told_in_one_line(name: str, tmp_path: Path):
    file = tmp_path / "file"
    file.touch()
    told = init(file / name, fails=1).stderr
    assert "cannot be written" in told
    assert len(told.splitlines()) == 1
