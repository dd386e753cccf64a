"""What pages tell, and what is done by them."""

import csv
import io
import re
import time

import pytest
from sqlalchemy import create_engine, text

from crm_pipeline.accounts.store import remove_account
from crm_pipeline.cli.console_settings import CommandDesk
from crm_pipeline.console.databases import ConsoleDatabases
from crm_pipeline.console.roles import ConsoleRole
from crm_pipeline.console.server import Console
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline_tests.cadence.rows import an_account, an_operation
from crm_pipeline_tests.console.conftest import HOSTILE, PROXY, Stage, Visitor
from crm_pipeline_tests.databases import settings_of


def rows(text_of_csv: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text_of_csv)))


def test_an_account_stands_as_the_commands_say(stage: Stage) -> None:
    visitor = stage.visitor(ConsoleRole.viewer)
    [head, line] = rows(visitor.get("/?csv=accounts"))
    told = dict(zip(head, line, strict=True))
    assert (told["account"], told["state"], told["promise"]) == ("acme", "Held", "kept")
    assert (told["waiting"], told["exhausted"]) == ("5", "1")
    page = visitor.get("/accounts/acme")
    assert "2 people would be new (at most 1)" in page
    assert "Approve: send it" not in page
    assert "example.com" not in page
    assert "No account is like this." in visitor.get("/?name=nobody")
    assert "/accounts/acme" in visitor.get("/?name=ACM&state=Held")


def test_days_and_reasons_are_drawn_and_add_up(stage: Stage) -> None:
    visitor = stage.visitor(ConsoleRole.viewer)
    [head, line] = rows(visitor.get("/?csv=accounts"))
    # The first person and the registration.
    assert sum(map(int, line[head.index("delivered in 14 days")].split())) == 2
    days = rows(visitor.get("/accounts/acme?csv=days"))
    assert len(days) == 31
    assert days[-1][1:5] == ["2", "0", "0", "1"]
    year = visitor.get("/accounts/acme?days=365")
    assert "2 records in 365 days, at most 2 a day" in year
    assert year.count("<rect") == 5 * 365
    [_, reason] = rows(visitor.get("/accounts/acme?csv=reasons"))
    assert reason == ["refused", "Lead", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "1"]
    visitor.get("/accounts/acme?days=7", 400)
    with stage.pipeline.begin() as connection:
        connection.execute(text("UPDATE daily.delivery SET late = NULL WHERE kind = 'person'"))
    assert rows(visitor.get("/accounts/acme?csv=days"))[-1][1:3] == ["2", "not counted"]
    page = visitor.get("/accounts/acme")
    assert ": not counted</title>" in page
    assert "days not counted: 1" in page
    with stage.pipeline.begin() as connection:
        connection.execute(text("UPDATE daily.delivery SET late = 0 WHERE kind = 'person'"))


def test_an_analyst_sees_what_was_made_for_whom_in_a_period(stage: Stage) -> None:
    visitor = stage.visitor(ConsoleRole.viewer)
    [head, line] = rows(visitor.get("/numbers?period=today&csv=numbers"))
    told = dict(zip(head, line, strict=True))
    assert (told["account"], told["leads created"], told["activities created"]) == (
        "acme",
        "1",
        "1",
    )
    assert (told["cycles"], told["held cycles"], told["refused tries"]) == ("2", "1", "1")
    page = visitor.get("/numbers?period=today")
    assert "/accounts/acme" in page
    assert re.search(r"<dt>leads created</dt><dd><bdi>1</bdi>", page)
    assert "Nothing has happened." in visitor.get("/numbers")
    visitor.get("/numbers?period=ever", 400)


def test_what_strangers_wrote_is_neither_markup_nor_a_formula(stage: Stage) -> None:
    visitor = stage.visitor(ConsoleRole.support)
    operation = stage.refused
    page = visitor.get(f"/operations/{operation}")
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert HOSTILE.partition('"')[0] in page
    with stage.pipeline.begin() as connection:
        hostile = text("UPDATE crm.account SET name = :name")
        connection.execute(hostile, {"name": HOSTILE})
    [_, line] = rows(visitor.get("/?csv=accounts"))
    assert line[1] == f"'{HOSTILE}"
    assert "<script>" not in visitor.get("/")
    assert "<script>" not in visitor.get("/accounts/acme")


def test_a_person_is_found_and_their_address_is_in_no_address(stage: Stage) -> None:
    visitor = stage.visitor(ConsoleRole.support)
    csrf = re.findall(r'name="csrf" value="([^"]+)"', visitor.get("/find"))[0]
    fields = {"csrf": csrf, "account": "acme", "whom": "p1@example.com"}
    answer = visitor.web.post(f"{stage.url}/find", data=fields, timeout=30)
    assert "p1" not in answer.url
    assert "created Lead" in answer.text
    assert "First 1" not in answer.url
    story = rows(visitor.get(answer.url.removeprefix(stage.url) + "?csv=story"))
    assert story[0] == ["when", "about", "event", "detail"]
    assert any(line[1] == "person:p1@example.com" for line in story)
    for whom, told in (
        ("nobody@example.com", "knows nothing of that"),
        ("registration:4", "registration:4"),
    ):
        found = visitor.web.post(f"{stage.url}/find", data={**fields, "whom": whom}, timeout=30)
        assert (found.status_code, told in found.text) == (200, True)
    for whom, account, status in (("hello", "acme", 400), ("", "acme", 400), ("a@b.c", "no", 404)):
        odd = {**fields, "whom": whom, "account": account}
        assert visitor.web.post(f"{stage.url}/find", data=odd, timeout=30).status_code == status


def test_the_queue_is_filtered_paged_and_decided_about(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crm_pipeline.console import paging
    from crm_pipeline.console.pages import queue

    visitor = stage.visitor(ConsoleRole.support)
    refused = stage.refused
    assert f'value="{refused}"' in visitor.get("/queue?account=acme&kind=person")
    assert "No operation is like this." in visitor.get("/queue?kind=campaign")
    assert "No operation is like this." in visitor.get("/queue?code=OTHER")
    for module in (paging, queue):
        monkeypatch.setattr(module, "PAGE_ROWS", 2)
    seen: list[str] = []
    path: str | None = "/queue?state=pending"
    while path:
        page = visitor.get(path)
        seen += re.findall(r'<td class="number"><a href="/operations/(\d+)"', page) or re.findall(
            r'href="/operations/(\d+)"', page
        )
        onward = re.search(r'href="(/queue\?[^"]*after=\d+)"', page)
        path = onward[1].replace("&amp;", "&") if onward else None
    assert len(seen) == len(set(seen)) == 5
    assert len(rows(visitor.get("/queue?state=pending&csv=operations"))) == 6
    visitor.post("/queue", 400, do="drop", chosen=refused)
    visitor.post("/queue", 400, do="requeue")
    with account_lock(stage.pipeline, "acme") as cycle:
        assert cycle is not None
        assert "is running: try again" in visitor.post("/queue", 409, do="requeue", chosen=refused)
    done = visitor.post("/queue", do="requeue", chosen=[refused, 10**12])
    assert "1 of 2 operations are tried again from the next cycle." in done
    assert "are tried again" not in visitor.get("/queue")
    # Two who look at the same page: the second is told.
    with stage.pipeline.begin() as connection:
        sent = text("UPDATE crm.operation SET state = :state WHERE operation_id = :id")
        connection.execute(sent, {"state": "done", "id": refused})
    told = visitor.post("/queue", do="requeue", chosen=refused)
    assert "0 of 1 operations are tried again" in told
    assert "1 are no longer failed" in told
    with stage.pipeline.begin() as connection:
        connection.execute(sent, {"state": "failed", "id": refused})
    dropped = visitor.post("/queue", do="drop", chosen=refused, reason="=not theirs")
    assert "1 of 1 operations are dropped." in dropped
    told = visitor.get("/queue?state=dropped")
    assert "Requeue the chosen" in told
    assert "Drop the chosen" not in told
    assert "were dropped for good" in visitor.post("/queue", do="requeue", chosen=refused)
    with stage.pipeline.begin() as connection:
        reason = connection.scalar(
            text("SELECT reason FROM crm.operation WHERE operation_id = :id"), {"id": refused}
        )
        back = text("UPDATE crm.operation SET state = 'exhausted' WHERE operation_id = :id")
        connection.execute(back, {"id": refused})
    assert reason == "dropped by ann: =not theirs"


def test_few_among_many_operations_are_not_come_upon_one_by_one(stage: Stage) -> None:
    wanted = dict.fromkeys(("account_id", "error_code", "kind", "since", "until", "after"))
    asked = text(f"EXPLAIN {statement('operations/list_operations').text}")
    with stage.pipeline.connect() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            text(
                "INSERT INTO crm.operation (account_id, flow, kind, natural_key, version, as_of,"
                " content_hash, intent, state) SELECT 'acme', 'webinars', 'activity', 'r:' || n, 1,"
                " now(), '', '{}', CASE WHEN n > 9900 THEN 'pending' WHEN n > 9800 THEN 'rejected'"
                " ELSE 'done' END FROM generate_series(1, 10000) AS n"
            )
        )
        connection.execute(text("ANALYZE crm.operation"))
        for state in ("failed", "exhausted", "pending", "held", "dropped", "left_out", "rejected"):
            which = {**wanted, "states": [state], "limit": 101}
            plan = list(connection.execute(asked, which).scalars())
            [found] = [line for line in plan if "operation w" in line]
            assert "Index" in found, found
            assert "operation_pkey" not in found
        connection.execute(
            text(
                "UPDATE crm.operation SET error_code = 'A' WHERE natural_key LIKE 'r:%0';"
                " UPDATE crm.operation SET reason_code = 'B' WHERE natural_key LIKE 'r:%05'"
            )
        )
        connection.execute(text("ANALYZE crm.operation"))
        states = ["pending", "rejected", "done"]
        for code, number in (("A", 101), ("B", 99), ("C", 0)):
            which = {**wanted, "states": states, "error_code": code, "limit": 101}
            plan = list(connection.execute(asked, which).scalars())
            by = {line.partition("using ")[2].partition(" ")[0] for line in plan}
            assert {"operation_failed_with", "operation_rejected_with"} <= by, plan
            rows = connection.execute(statement("operations/list_operations"), which).all()
            assert [each.error_code for each in rows] == [code] * number
            numbers = [each.operation_id for each in rows]
            assert numbers == sorted(numbers)
        none = {**wanted, "states": ["done"], "kind": "undo", "limit": 101}
        plan = list(connection.execute(asked, none).scalars())
        assert any("operation_kinds" in line for line in plan), plan
        connection.rollback()


def test_what_is_done_of_one_account_is_told_whatever_becomes_of_another(stage: Stage) -> None:
    accounts = ("other-a", "other-b")
    with stage.pipeline.begin() as connection:
        for account in accounts:
            an_account(connection, account)
        chosen = [
            an_operation(connection, account, f"person:{person}", state="failed")
            for account in accounts
            for person in (1, 2)
        ]
    visitor = stage.visitor(ConsoleRole.support)
    with account_lock(stage.pipeline, "other-a") as cycle:
        assert cycle is not None
        told = visitor.post("/queue", do="requeue", chosen=[*chosen, 10**12])
    assert "2 of 5 operations are tried again from the next cycle." in told
    assert "2 not: A cycle of account other-a is running: try again when it has ended." in told
    assert "1 are no longer failed" in told
    with stage.pipeline.begin() as connection:
        connection.execute(
            text("UPDATE crm.operation SET state = 'failed' WHERE account_id <> 'acme'")
        )
        connection.execute(
            text(
                "CREATE FUNCTION cut_off() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                " PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;"
                " CREATE TRIGGER cut_off BEFORE UPDATE ON crm.operation FOR EACH ROW"
                " WHEN (new.account_id = 'other-b') EXECUTE FUNCTION cut_off()"
            )
        )
    told = visitor.post("/queue", 503, do="drop", reason="old", chosen=chosen)
    assert "2 of 4 operations are dropped. Then the database went away" in told
    visitor.post("/queue", 503, do="drop", reason="old", chosen=chosen[2:])
    with stage.pipeline.begin() as connection:
        connection.execute(text("DROP FUNCTION cut_off CASCADE"))
        for account in accounts:
            remove_account(connection, account)


def test_a_plan_s_numbers_are_for_all_and_its_records_for_support(stage: Stage) -> None:
    path = f"/accounts/acme/plans/{stage.plan_id}"
    assert "example.com" not in stage.visitor(ConsoleRole.viewer).get(path)
    page = stage.visitor(ConsoleRole.support).get(path)
    assert "person:p3@example.com" in page
    assert "Approve: send exactly this" not in page
    with stage.pipeline.begin() as connection:
        departed = text(
            "WITH c AS (UPDATE crm.plan SET as_planned = 4, explained = 0, unexplained = 1"
            " WHERE plan_id = :plan) INSERT INTO crm.plan_departure (plan_id, about, address,"
            " sobject, reason, salesforce_ids) VALUES (:plan, 'person:p1@example.com',"
            " 'p1@example.com', 'Lead', '', '{}')"
        )
        connection.execute(departed, {"plan": stage.plan_id})
        key = connection.scalar(
            text("SELECT person_key FROM crm.person WHERE address = 'p1@example.com'")
        )
    page = stage.visitor(ConsoleRole.support).get(path)
    assert f'/people/{key}"><bdi>person:p1@example.com' in page
    with stage.pipeline.begin() as connection:
        noted = text("SELECT people FROM crm.console_log ORDER BY log_id DESC LIMIT 1")
        assert key in connection.execute(noted).scalar_one(), "who came otherwise is seen, too"
        connection.execute(text("DELETE FROM crm.plan_departure"))
        connection.execute(text("UPDATE crm.plan SET as_planned = NULL"))
    assert "Approve: send exactly this" in stage.visitor(ConsoleRole.operator).get(path)


def test_a_standby_is_read_while_the_primary_is_away(stage: Stage) -> None:
    away = create_engine("postgresql+psycopg://nobody@127.0.0.1:9/nothing")
    with Console(PROXY, away, CommandDesk(), standby=stage.pipeline.url) as console:
        visitor = Visitor(console.url, ConsoleRole.support)
        page = visitor.get("/queue")
        assert "The primary database is away: this is from a standby" in page
        assert "/accounts/acme" in page
        told = visitor.post("/queue", 503, do="requeue", chosen=stage.refused)
        assert "nothing can be done now, only looked at" in told
    with Console(PROXY, stage.pipeline, CommandDesk(), standby=away.url) as console:
        assert "/accounts/acme" in Visitor(console.url, ConsoleRole.support).get("/")
    with Console(PROXY, away, CommandDesk()) as console:
        assert "The database is away" in Visitor(console.url, ConsoleRole.support).get("/", 503)


def test_a_page_can_write_nothing(stage: Stage) -> None:
    databases = ConsoleDatabases(stage.pipeline, None)
    with databases.reading() as connection, pytest.raises(Exception, match="read-only"):
        connection.execute(text("UPDATE crm.account SET name = 'x'"))
    databases.dispose()


def test_a_hold_is_decided_about_by_whoever_saw_it(stage: Stage) -> None:
    visitor = stage.visitor(ConsoleRole.operator)
    [hold] = re.findall(r'name="hold" value="(\d+)"', visitor.get("/accounts/acme"))
    path = "/accounts/acme/hold"
    visitor.post(path, 400, do="reject", hold=hold)
    visitor.post(path, 400, do="wait", hold=hold)
    assert "not held for that any more" in visitor.post(path, 409, do="approve", hold="0")
    assert "Approved: the next cycle sends it." in visitor.post(path, do="approve", hold=hold)
    for does in ("approve", "reject"):
        late = visitor.post(path, 409, do=does, hold=hold, why="no")
        assert "This hold has been approved by otto, at 20" in late
        assert '<a href="/accounts/acme"><bdi>Back to the page' in late
    # Whoever loads the address of a refused form once more is where it was.
    assert visitor.get(path) == visitor.get("/accounts/acme")
    log = visitor.get("/log?who=otto&csv=log")
    assert f"approve,acme,,hold {hold}" in log
    assert stage.bench.cycle().state == "Complete"


def test_a_cycle_is_taken_back_as_it_was_seen(stage: Stage) -> None:
    operator, support = (
        stage.visitor(each) for each in (ConsoleRole.operator, ConsoleRole.support)
    )
    [head, *cycles] = rows(operator.get("/accounts/acme?csv=cycles"))
    phases = cycles[-1][head.index("by phase")]
    assert re.search(r"\bread [\d.]+,.*\bsend people [\d.]+", phases)
    path = f"/accounts/acme/cycles/{cycles[-1][0]}"
    assert path in operator.get("/accounts/acme")
    assert "Take it back" not in support.get(path)
    assert phases in support.get(path)
    run_id = "0e0a1bfc-7a6d-4a9b-8f4e-2b7c6f2f0b11"
    stage.bench.connection.execute(text("UPDATE crm.cycle SET run_id = :run"), {"run": run_id})
    stage.bench.connection.commit()
    assert run_id not in support.get(path)
    with settings_of(DAGSTER_UI_URL="https://dagster.example"):
        assert f'href="https://dagster.example/runs/{run_id}"' in support.get(path)
    support.post(path, 403, do="look")
    operator.post(path, 400, do="wait")
    operator.get("/accounts/acme/cycles/99999", 404)
    unseen = operator.post(path, 409, do="undo", seen="")
    assert "look at it once more" in unseen
    stage.bench.connection.commit()
    operator.post(path, do="look", field="Website")
    ended(operator, path)
    alone = [line[:3] for line in rows(operator.get(f"{path}?csv=undo"))[1:]]
    assert ["delete", "Lead", "1"] not in alone
    operator.post(path, do="look")
    [seen] = re.findall(r'name="seen" value="([^"]+)"', ended(operator, path))
    foreseen = rows(operator.get(f"{path}?csv=undo"))
    assert ["delete", "Lead", "1"] in foreseen
    records = rows(operator.get(f"{path}?csv=records"))
    assert "p1@example.com" in {line[3] for line in records}
    operator.post(path, 409, do="undo", seen="another")
    operator.post(path, do="undo", seen=seen)
    done = ended(operator, path)
    assert "What became of it when it was taken back" in done
    assert rows(operator.get(f"{path}?csv=undo")) == foreseen
    again = operator.post(path, 409, do="undo", seen=seen)
    assert re.search(r"is done already: (\d+) of \1 records were taken back\.", again)
    log = operator.get("/log?who=otto&csv=log")
    assert re.search(r"undone,acme,,undo of cycle \d+: (\d+) of \1 records were taken back", log)
    operator.post("/accounts/acme/cycles/99999", 404, do="look")


def test_a_plan_is_sent_once_and_told_by_whom(stage: Stage) -> None:
    visitor = stage.visitor(ConsoleRole.operator)
    path = f"/accounts/acme/plans/{stage.plan_id}"
    visitor.post("/accounts/acme/enabled", do="disable")
    refused = visitor.post(path, 409)
    assert "Account acme is disabled" in refused
    assert f'<a href="{path}"><bdi>Back to the page' in refused
    visitor.post("/accounts/acme/enabled", do="enable")
    with account_lock(stage.pipeline, "acme") as cycle:
        assert cycle is not None
        told = visitor.post(path)
        assert "Sending it ended: Account acme: a cycle of it is running" in told
    sent = visitor.post(path)
    while "It is being sent" in sent:
        sent = visitor.get(path)
    assert "Sending it ended: Complete" in sent
    assert "Approve: send exactly this" not in sent
    facts = re.sub("<[^>]+>|\n", " ", sent.partition("<dl>")[2].partition("</dl>")[0])
    assert re.search(r"sent by cycle\s+\d+\s+sent at\s+20.+ UTC\s+sent for\s+otto", facts), facts
    late = visitor.post(path, 409)
    assert f"plan {stage.plan_id} was applied by cycle" in late
    assert "for otto at 20" in late
    visitor.post("/accounts/acme/plans/99999", 404)
    with stage.pipeline.begin() as connection:
        an_account(connection, "other")
    visitor.post(f"/accounts/other/plans/{stage.plan_id}", 404)
    with stage.pipeline.begin() as connection:
        remove_account(connection, "other")


def ended(visitor: Visitor, page: str) -> str:
    """A page once what was begun from it has ended."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        told = visitor.get(page)
        if "being looked at or taken back" not in told:
            return told
        time.sleep(0.05)
    raise AssertionError(page)
