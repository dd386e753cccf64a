"""The programs beside ours read the warehouse as the pipeline does."""

from pathlib import Path

from sqlalchemy import Engine

from benchmarks import job
from benchmarks.programs.plainly import registrations
from benchmarks.task import Task
from crm_pipeline_tests.flows.webinars.warehouse import add_person, add_sessions, register


def test_a_program_reads_the_registrations(pipeline: Engine, tmp_path: Path) -> None:
    """The statement of the pipeline had got a parameter that it did not give."""
    with pipeline.begin() as connection:
        add_sessions(connection, 1, client=job.CLIENT)
        add_person(connection, 1, client=job.CLIENT)
        register(connection, 1, 1, client=job.CLIENT)
    url = pipeline.url.render_as_string(hide_password=False)
    task = Task(1, url, "", "", "", "", "", "", str(tmp_path))
    assert [row["email"] for row in registrations(task)] == ["p1@example.com"]
