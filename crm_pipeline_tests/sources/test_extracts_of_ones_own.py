"""Extracts of a folder of one's own (EXTRACT_DIR) stand for those that are shipped."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine

from crm_pipeline.database.statements import SQL
from crm_pipeline.settings import settings
from crm_pipeline.sources.clients import clients
from crm_pipeline.sources.errors import ExtractError
from crm_pipeline.sources.participations import columns


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "extracts"
    folder.mkdir()
    monkeypatch.setenv("EXTRACT_DIR", str(folder))
    settings.cache_clear()
    yield folder
    monkeypatch.undo()
    settings.cache_clear()


def test_a_file_stands_for_that_of_the_same_name(own: Path, pipeline: Engine):
    shipped = (SQL / "extract/registrations.sql").read_text(encoding="utf-8")
    (own / "registrations.sql").write_text(f"SELECT r.*, 'gold' AS tier FROM ({shipped}) AS r")

    assert "tier" in columns(pipeline)


def test_one_that_does_not_fit_is_named_by_its_path(own: Path, pipeline: Engine):
    file = own / "clients.sql"
    file.write_text("SELECT nothing FROM nowhere WHERE :client_ids IS NULL")

    with pytest.raises(ExtractError) as raised:
        clients(pipeline)

    assert str(file) in str(raised.value)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("registration.sql", "registration.sql, which is no file of sql/extract/; did you mean"),
        ("engagement/people.sql", "engagement/people.sql, which is no file of sql/extract/"),
    ],
)
def test_a_file_that_would_never_be_read_is_refused(own: Path, file: str, said: str):
    (own / file).parent.mkdir(exist_ok=True)
    (own / file).touch()

    with pytest.raises(ValidationError, match=said):
        settings()


def test_a_folder_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, own: Path):
    monkeypatch.setenv("EXTRACT_DIR", str(own / "missing"))

    with pytest.raises(ValidationError, match="missing is no folder"):
        settings()
