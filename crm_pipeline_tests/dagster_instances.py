"""A real Dagster instance for tests: this repository's dagster.yaml over the test's database."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dagster import DagsterInstance

from crm_pipeline.settings import PROJECT


def make_home(home: Path) -> Path:
    """A DAGSTER_HOME with this repository's dagster.yaml."""
    home.mkdir()
    shutil.copy(PROJECT / "dagster.yaml", home)
    return home


@contextmanager
def instance_at(home: Path) -> Iterator[DagsterInstance]:
    """The instance whose home is the folder, which is made; the settings name its database."""
    with DagsterInstance.from_config(str(make_home(home))) as instance:
        yield instance
