"""The listener or PostgreSQL killed: none is lost, none doubled, the answer is the same."""

import os
import signal
import subprocess
import sysconfig
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import Engine, event

from crm_pipeline.database.embedded import free_port
from crm_pipeline_tests.chaos.postgres_in_trouble import TroubledPostgres
from crm_pipeline_tests.databases import folder_of_a_server, fresh_pipeline
from crm_pipeline_tests.depth import deep_but_first
from crm_pipeline_tests.listener.conftest import Desk, desk_over

COMMAND = Path(sysconfig.get_path("scripts")) / "crm-pipeline"
ASKING, EACH = 6, 25


@contextmanager
def listening(port: int, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            [COMMAND, "listen", "--port", str(port)], stdout=output, stderr=output
        )
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                try:
                    if requests.get(f"http://127.0.0.1:{port}/health", timeout=30).ok:
                        break
                except requests.RequestException:
                    time.sleep(0.05)
            yield process
        finally:
            process.kill()
            process.wait()


@pytest.mark.waits
@pytest.mark.parametrize("kills", deep_but_first(1, [1, 3]))
def test_whoever_asks_until_there_is_an_answer_is_heard_once(
    desk: Desk, tmp_path: Path, kills: int
) -> None:
    port, log = free_port(8450), tmp_path / "listener.log"
    away = Desk(f"http://127.0.0.1:{port}", desk.key, desk.database)
    answers: dict[str, set[str]] = {}
    statuses: set[int] = set()

    def ask(asker: int) -> None:
        for number in range(EACH):
            title = f"{asker}:{number} canary@example.com"
            heard: set[str] = set()
            while not heard:
                try:
                    answer = away.post("/api/v1/externalSources/bugs", json={"Subject": title})
                except requests.RequestException:
                    time.sleep(0.05)
                    continue
                statuses.add(answer.status_code)
                if answer.status_code == 202:
                    heard.add(answer.json()["id"])
            again = desk.post("/api/v1/externalSources/bugs", json={"Subject": title})
            answers[title] = heard | {again.json()["id"]}

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(ASKING)]
    for _ in range(kills):
        with listening(port, log) as process:
            for thread in threads:
                if not thread.is_alive() and thread.ident is None:
                    thread.start()
            time.sleep(0.7)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
    with listening(port, log):
        for thread in threads:
            thread.join(90)
    assert len(answers) == ASKING * EACH
    assert {len(ids) for ids in answers.values()} == {1}, "the repetition has the same answer"
    rows = desk.rows("SELECT body -> 'fields' ->> 'title' FROM crm.request")
    assert sorted(row[0] for row in rows) == sorted(answers)
    assert statuses <= {202, 429, 503}
    said = log.read_text(encoding="utf-8")
    assert "/api/v1/externalSources/{name} acme 202" in said
    assert "canary" not in said
    assert desk.key not in said


@pytest.mark.deep
def test_postgres_killed_at_any_statement_of_a_removal_makes_one_of_it() -> None:
    with (
        folder_of_a_server() as folder,
        closing(TroubledPostgres(folder)) as postgres,
        fresh_pipeline(postgres.server, folder / "data") as engine,
        desk_over(engine) as desk,
        ExitStack() as listening_to,
    ):
        left = 0

        def strike(*_: Any) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                postgres.is_killed_and_started()

        for place in ("before_cursor_execute", "commit"):
            event.listen(Engine, place, strike)
            listening_to.callback(event.remove, Engine, place, strike)
        for person in count(1):
            desk.user(str(person), address := f"p{person}@example.com")
            left = person
            first = desk.remove(address)
            was_struck, left = left <= 0, 0
            # Where PostgreSQL is back at once, it is asked once more.
            assert first.status_code in ({202, 503} if was_struck else {202}), first.text
            answers = [first, *(desk.remove(address) for _ in range(3))]
            accepted = {each.json()["id"] for each in answers if each.status_code == 202}
            assert len(accepted) == 1, "the repetition has the same answer"
            if not was_struck:
                break
        assert person > 6, "a removal has so many statements"
        rows = desk.rows("SELECT address FROM crm.request ORDER BY seq")
        assert sorted(row.address for row in rows) == sorted(
            f"p{each}@example.com" for each in range(1, person + 1)
        )
        assert desk.rows("SELECT count(*) FROM crm.erased") == [(person,)]
