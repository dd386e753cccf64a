"""Sessions with PostgreSQL, straight and through poolers."""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL

from crm_pipeline.database import sessions
from crm_pipeline.database.embedded import free_port
from crm_pipeline.database.engines import engine, engine_at
from crm_pipeline.database.sessions import Look, PoolerError, keeps_sessions
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.settings import settings
from crm_pipeline_tests.dagster_instances import instance_at

PGBOUNCER = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")


@pytest.mark.parametrize(
    ("looks", "kept"),
    [
        ([Look(1, 2, 1), Look(1, 3, 1)], True),
        ([Look(1, 1, None)], False),
        ([Look(1, 2, 2)], False),
        ([Look(1, 2, 3)], False),
        ([Look(1, 2, 1), Look(1, 1, 2)], False),
    ],
)
def test_a_session_is_kept_where_its_server_process_serves_nobody_else(
    looks: list[Look], kept: bool
):
    assert keeps_sessions(looks) is kept


def test_a_session_speaks_its_zone(pipeline: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WAREHOUSE_TIMEZONE", "Asia/Kolkata")
    settings.cache_clear()
    engine.cache_clear()
    for which, zone in (("pipeline", "UTC"), ("warehouse", "Asia/Kolkata")):
        with engine(which).connect() as connection:
            assert connection.scalar(text("SHOW timezone")) == zone
        engine(which).dispose()


def test_no_plan_of_a_session_is_compiled_whatever_the_server_says(pipeline: Engine):
    """PostgreSQL compiles large plans by default, which took as long as the rest of a cycle."""
    compiling = pipeline.url.update_query_dict({"options": "-c jit=on"})
    for which in ("pipeline", "warehouse"):
        made = engine_at(which, compiling, 1, "UTC")
        with made.connect() as connection:
            assert connection.scalar(text("SHOW jit")) == "off"
        made.dispose()


ThroughPgbouncer = Callable[..., None]

if PGBOUNCER:

    @pytest.fixture
    def through_pgbouncer(
        pipeline: Engine, server_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[ThroughPgbouncer]:
        """Lets all connections go through a PgBouncer with this pool mode, set up as it comes."""
        running: list[subprocess.Popen[bytes]] = []

        def start(pool_mode: str, *settings_of_pooler: str) -> None:
            port = free_port()
            lines = (f"pool_mode = {pool_mode}", *settings_of_pooler)
            running.append(pgbouncer(server_folder, pipeline.url, port, *lines))
            url = pipeline.url.set(drivername="postgres", host="127.0.0.1", port=port)
            for name in ("WAREHOUSE_URL", "PIPELINE_DATABASE_URL", "DAGSTER_DATABASE_URL"):
                monkeypatch.setenv(name, url.render_as_string(hide_password=False))
            settings.cache_clear()
            engine.cache_clear()
            # Of a pooler that an engine has looked at once it is sure; this may be another one.
            engine_at.cache_clear()

        yield start
        for which in ("pipeline", "warehouse"):
            engine(which).dispose()
        for process in running:
            process.send_signal(signal.SIGINT)
            process.wait(20)

    @pytest.mark.parametrize("lines", [(), ("server_reset_query =",)])
    def test_through_pgbouncers_session_mode_locks_hold(
        through_pgbouncer: ThroughPgbouncer, lines: tuple[str, ...]
    ):
        """Uncleared, a session had the statements that an earlier process had prepared in it."""
        through_pgbouncer("session", *lines)
        for _ in range(2):
            with engine("pipeline").connect() as connection:
                for number in range(9):
                    assert connection.scalar(text("SELECT :n + 1"), {"n": number}) == number + 1
            engine("pipeline").dispose()
        with account_lock(engine("pipeline"), "acme") as first:
            assert first
            with account_lock(engine("pipeline"), "acme") as second:
                assert second is None
            assert first.scalar(text("SHOW timezone")) == "UTC"
        with account_lock(engine("pipeline"), "acme") as again:
            assert again

    @pytest.mark.parametrize(
        ("pool_mode", "which"),
        [("transaction", "pipeline"), ("transaction", "warehouse"), ("statement", "pipeline")],
    )
    def test_a_pgbouncer_that_lends_connections_is_refused_by_the_settings_name(
        through_pgbouncer: ThroughPgbouncer, pool_mode: str, which: str
    ):
        through_pgbouncer(pool_mode)
        with pytest.raises(PoolerError, match="pool_mode = session") as refused:
            engine("pipeline" if which == "pipeline" else "warehouse").connect()
        name = "PIPELINE_DATABASE_URL" if which == "pipeline" else "WAREHOUSE_URL"
        assert str(refused.value).startswith(name)

    @pytest.mark.parametrize(
        ("pool_mode", "advice"),
        [("session", "default_pool_size"), ("transaction", "pool_mode = session")],
    )
    def test_a_pgbouncer_without_a_second_connection_is_told_in_time(
        through_pgbouncer: ThroughPgbouncer,
        pool_mode: str,
        advice: str,
        monkeypatch: pytest.MonkeyPatch,
    ):
        """Every command stood still for two minutes, without a word."""
        monkeypatch.setattr(sessions, "_PATIENCE_SECONDS", 0.5)
        through_pgbouncer(pool_mode, "default_pool_size = 1")
        with pytest.raises(PoolerError, match=f"^PIPELINE_DATABASE_URL .* {advice}"):
            engine("pipeline").connect()

    def test_a_pooler_before_dagster_s_database_is_refused_by_that_setting_s_name(
        through_pgbouncer: ThroughPgbouncer, tmp_path: Path
    ):
        through_pgbouncer("transaction")
        told = pytest.raises(PoolerError, match=r"^DAGSTER_DATABASE_URL leads to a pooler")
        with told, instance_at(tmp_path / "home"):
            pass


def pgbouncer(folder: Path, url: URL, port: int, *lines: str) -> "subprocess.Popen[bytes]":
    users = folder / "users.txt"
    users.write_text(f'"{url.username}" "{url.password}"\n')
    config = folder / "pgbouncer.ini"
    config.write_text(
        f"[databases]\n* = host={url.host} port={url.port}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = scram-sha-256\nauth_file = {users}\n" + "".join(f"{each}\n" for each in lines)
    )
    for file in (folder, users, config):
        file.chmod(0o755)
    log = folder / "pgbouncer.log"
    with log.open("w") as errors:
        process = subprocess.Popen([str(PGBOUNCER), *_as_nobody(), str(config)], stderr=errors)
    # By its own word: another program may have taken the port just before it.
    while f"listening on 127.0.0.1:{port}" not in (said := log.read_text()):
        assert process.poll() is None, said
        time.sleep(0.05)
    return process


def _as_nobody() -> list[str]:
    """PgBouncer does not run as root."""
    import os

    return ["-u", "nobody"] if os.geteuid() == 0 else []
