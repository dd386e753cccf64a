"""After compacting, nothing of an erased person is in the server's files either."""

import os
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from crm_pipeline.database.embedded import EmbeddedPostgres
from crm_pipeline.database.migrations import migrate
from crm_pipeline.inbound.compacting import compact
from crm_pipeline.inbound.scanning import places_of

CANARY = "canary-5e1f@example.com"


def files_with(folder: Path, said: str) -> list[str]:
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and said.encode() in path.read_bytes()
    ]


def test_files_of_the_server_hold_nothing_any_more(server_folder: Path):
    assert os.access(server_folder, os.W_OK)
    server = EmbeddedPostgres(server_folder, {"fsync": "off"})
    try:
        database = create_engine(server.url("crm_pipeline"), poolclass=NullPool)
        migrate(database, "crm")
        with database.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO crm.person (account_id, address, as_of)"
                    " SELECT 'acme', n || :address, now() FROM generate_series(1, 100) AS n"
                ),
                {"address": CANARY},
            )
        with database.begin() as connection:
            connection.execute(text("DELETE FROM crm.person"))
        assert list(places_of(database, CANARY)) == []
        assert files_with(server_folder, CANARY)
        done = list(compact(database))
        assert any("write-ahead log" in line for line in done), done
        assert files_with(server_folder, CANARY) == []
        with database.connect() as connection:
            assert connection.scalar(text("SHOW wal_recycle")) == "on"
    finally:
        server.leave()
