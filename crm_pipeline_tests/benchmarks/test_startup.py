import json

import pytest
from rich.console import Console

from benchmarks import startup
from benchmarks.processes import ProgramError


@pytest.mark.deep
def test_the_definitions_and_commands_are_started(tmp_path):
    started = startup.measure(1, ["", "plan"])
    startup.report(started, Console(), tmp_path / "startup.json")
    said = [each["what"] for each in json.loads((tmp_path / "startup.json").read_text())["starts"]]
    assert said == ["Dagster", "definitions", "crm-pipeline --help", "crm-pipeline plan --help"]
    assert all(each.seconds > 0 for each in started)


def test_a_program_that_does_not_start_is_told(monkeypatch):
    monkeypatch.setattr(startup, "_DAGSTER", "raise SystemExit(3)")
    with pytest.raises(ProgramError, match="Dagster failed"):
        startup.measure(1, [])


def test_the_commands_are_those_of_the_command_line():
    assert {"", "account", "plan", "cycle"} <= set(startup.commands())
