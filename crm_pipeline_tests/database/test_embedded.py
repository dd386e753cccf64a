"""The embedded PostgreSQL, started for real in awkward places and killed in awkward moments."""

import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from crm_pipeline.database import embedded
from crm_pipeline.database.embedded import EmbeddedPostgres
from crm_pipeline.database.embedded_installation import EmbeddedPostgresError
from crm_pipeline.settings import PROJECT, settings
from crm_pipeline_tests.databases import folder_of_a_server

SMALL = {"shared_buffers": "16MB", "fsync": "off"}

JOIN = """
import encodings.idna, os, resource, sys
from pathlib import Path
from sqlalchemy import create_engine, text
from crm_pipeline.database.embedded import EmbeddedPostgres
create_engine("postgresql+psycopg://")
exec(sys.argv[3])
server = EmbeddedPostgres(Path(sys.argv[1]), {"shared_buffers": "16MB", "fsync": "off"})
url = server.url(sys.argv[2])
with create_engine(url).connect() as connection:
    print(url.port, connection.scalar(text("SELECT current_database()")), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(server_folder: Path) -> Iterator[Path]:
    folder = server_folder / "postgres"
    yield folder
    EmbeddedPostgres(folder).stop()


@pytest.fixture(scope="module")
def initialized() -> Iterator[Path]:
    """A server's folder after its first start: the second one costs a third."""
    with folder_of_a_server() as folder:
        server = EmbeddedPostgres(folder / "postgres", SMALL)
        server.url("crm")
        server.stop()
        yield folder / "postgres"


@pytest.fixture
def started_before(initialized: Path, folder: Path) -> Path:
    """A folder of a server that was started before, for tests of what comes after that."""
    subprocess.run(["cp", "-a", initialized, folder], check=True)
    return folder


def ask(url: URL, question: str, driver: str = "psycopg") -> object:
    engine = create_engine(url.set(drivername=f"postgresql+{driver}"))
    try:
        with engine.connect() as connection:
            return connection.scalar(text(question))
    finally:
        engine.dispose()


def servers_of(folder: Path) -> list[int]:
    return [
        process.info["pid"]
        for process in psutil.process_iter(["pid", "cmdline"])
        if str(folder.resolve() / "server") in " ".join(process.info["cmdline"] or [])
    ]


def another_process(
    folder: Path, database: str = "crm", before: str = ""
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", JOIN, str(folder), database, before],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
    )


def test_the_address_works_with_both_drivers_and_speaks_utf8(folder: Path):
    url = EmbeddedPostgres(folder, SMALL).url("crm_pipeline")

    assert ask(url, "SELECT current_database()", "psycopg2") == "crm_pipeline"
    assert ask(url, "SELECT upper('straße łódź ελλάδα')") == "STRAßE ŁÓDŹ ΕΛΛΆΔΑ"
    assert ask(url, "SHOW timezone") == "UTC"
    assert ask(url, "SHOW synchronous_commit") == "on"


def test_a_database_is_made_once_and_keeps_its_rows_over_a_restart(folder: Path):
    server = EmbeddedPostgres(folder, SMALL)
    with create_engine(server.url("kept")).begin() as connection:
        connection.execute(text("CREATE TABLE kept AS SELECT 42 AS answer"))
    port = server.url("kept").port
    server.stop()
    assert not servers_of(folder)

    again = EmbeddedPostgres(folder, SMALL).url("kept")

    assert ask(again, "SELECT answer FROM kept") == 42
    assert again.port == port


@pytest.mark.deep
@pytest.mark.parametrize(
    "name", ["a blank and 'quotes\"", "$HOME `id` ü", "long/" + "/".join(["deep" * 20] * 5)]
)
def test_it_starts_in_a_folder_of_any_name(server_folder: Path, name: str):
    server = EmbeddedPostgres(server_folder / name / "postgres", SMALL)
    try:
        assert ask(server.url("crm"), "SELECT 1") == 1
    finally:
        server.stop()


@pytest.mark.deep
def test_several_processes_that_start_at_once_share_one_server(folder: Path):
    started = [another_process(folder, f"database_{number}") for number in range(3)]
    answers = [process.stdout.readline().split() for process in started if process.stdout]

    assert len({port for port, _ in answers}) == 1
    assert [name for _, name in answers] == ["database_0", "database_1", "database_2"]
    for process in started:
        assert servers_of(folder)
        process.communicate()
    assert not servers_of(folder)


def test_a_killed_user_of_the_server_leaves_nothing_that_blocks_the_next(started_before: Path):
    process = another_process(started_before)
    assert process.stdout
    process.stdout.readline()
    process.kill()
    process.communicate()
    assert servers_of(started_before)

    server = EmbeddedPostgres(started_before, SMALL)
    assert ask(server.url("crm"), "SELECT 1") == 1
    server.leave()

    assert not servers_of(started_before)


@pytest.mark.deep
def test_a_stopped_server_is_not_waited_for_until_its_starter_takes_note(started_before: Path):
    starter = another_process(started_before)
    assert starter.stdout
    starter.stdout.readline()

    began = time.monotonic()
    EmbeddedPostgres(started_before, SMALL).stop()

    assert time.monotonic() - began < 30
    assert not servers_of(started_before)
    starter.communicate()


def test_a_killed_server_is_started_again_whoever_has_its_number_now(started_before: Path):
    server = EmbeddedPostgres(started_before, SMALL)
    server.url("crm")
    killed = servers_of(started_before)[0]
    os.kill(killed, signal.SIGKILL)
    psutil.Process(killed).wait(10)
    pid_file = started_before / "server/data/postmaster.pid"
    stale = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *stale[1:]]) + "\n")

    assert ask(server.url("crm"), "SELECT 1") == 1
    assert psutil.pid_exists(os.getpid())


def test_who_uses_a_server_that_is_killed_finds_it_again_where_it_was(started_before: Path):
    server = EmbeddedPostgres(started_before, SMALL)
    url = server.url("crm")
    killed = servers_of(started_before)[0]
    os.kill(killed, signal.SIGKILL)
    psutil.Process(killed).wait(10)
    server.revive()
    assert ask(url, "SELECT 1") == 1
    before = servers_of(started_before)
    server.revive()
    assert servers_of(started_before) == before
    server.leave()


@pytest.mark.deep
def test_what_an_interrupted_first_start_left_is_removed(folder: Path):
    left = folder / "initdb-killed/data"
    left.mkdir(parents=True)

    EmbeddedPostgres(folder, SMALL).url("crm")

    assert not left.parent.exists()


def test_another_program_on_its_last_port_makes_it_choose_another(started_before: Path):
    server = EmbeddedPostgres(started_before, SMALL)
    port = server.url("crm").port
    assert port
    server.stop()
    with socket.socket() as other:
        # The server's own connections may still hold the port for a minute (TIME_WAIT).
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()

        url = server.url("crm")

        assert url.port != port
        assert ask(url, "SELECT 1") == 1


def test_nobody_enters_without_the_password_which_only_its_owner_reads(folder: Path):
    url = EmbeddedPostgres(folder, SMALL).url("crm")

    with pytest.raises(Exception, match="password authentication failed"):
        ask(url.set(password="guessed"), "SELECT 1")
    assert stat.S_IMODE((folder / "server/password").stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "server").stat().st_mode) == 0o700


def test_its_log_which_quotes_rows_is_read_by_its_owner_only(folder: Path):
    folder.mkdir(parents=True)
    earlier = folder / "postgres.log"
    earlier.write_text("of an earlier version")
    earlier.chmod(0o644)
    url = EmbeddedPostgres(folder, SMALL).url("crm")
    with pytest.raises(DBAPIError):
        ask(url, "SELECT 'ada@example.com'::int")
    assert "ada@example.com" in earlier.read_text()
    assert stat.S_IMODE(earlier.stat().st_mode) == 0o600


def test_settings_of_another_postgresql_in_the_environment_do_no_harm(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGSSLMODE", "require")

    assert ask(EmbeddedPostgres(folder, SMALL).url("crm"), "SELECT 1") == 1


def test_a_failed_start_says_in_one_line_what_is_wrong_and_what_to_do(started_before: Path):
    broken = EmbeddedPostgres(started_before, {"max_connections": "-1"})

    with pytest.raises(EmbeddedPostgresError) as failure:
        broken.url("crm")

    message = str(failure.value)
    assert "-1 is outside the valid range" in message
    assert "WAREHOUSE_URL" in message
    assert "\n" not in message


def test_a_disk_that_takes_no_more_is_named_and_leaves_no_half_made_server(folder: Path):
    process = another_process(
        folder, before="resource.setrlimit(resource.RLIMIT_FSIZE, (99999, 99999))"
    )
    _, complaint = process.communicate()

    assert "does not work: could not" in complaint
    assert "File too large" in complaint
    assert not (folder / "server").exists()


@pytest.mark.deep
def test_an_ordinary_user_starts_it_as_well():
    home = Path(tempfile.mkdtemp(prefix="ordinary user "))
    somebody = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    os.chown(home, somebody.pw_uid, somebody.pw_gid)
    become = f"os.setgroups([]); os.setgid({somebody.pw_gid}); os.setuid({somebody.pw_uid})"
    try:
        process = another_process(home / "data", before=become if os.geteuid() == 0 else "")
        answer, complaint = process.communicate()
        owner = (home / "data/server").stat().st_uid
    finally:
        shutil.rmtree(home)

    assert answer.split()[1:] == ["crm"], complaint
    assert owner == somebody.pw_uid


def test_stopping_where_none_was_ever_started_does_nothing(tmp_path: Path):
    EmbeddedPostgres(tmp_path / "none").stop()

    assert not (tmp_path / "none").exists()


@pytest.mark.deep
def test_the_installations_server_lives_in_its_data_folder(
    pipeline: object, server_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CRM_PIPELINE_DATA_DIR", str(server_folder))
    settings.cache_clear()

    url = embedded.embedded_url("crm_pipeline")
    try:
        assert Path(str(ask(url, "SHOW data_directory"))).is_relative_to(server_folder)
    finally:
        embedded.stop_embedded()
    assert not servers_of(server_folder / "postgres")
