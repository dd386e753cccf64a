from dataclasses import replace

from sqlalchemy import Engine, text

from crm_pipeline.source_platform.messages import Message
from crm_pipeline.source_platform.tables import TablesPlatform
from crm_pipeline_tests.source_platform.conftest import message


def tell(engine: Engine, *messages: Message) -> None:
    with engine.begin() as connection:
        for _ in TablesPlatform(connection).send(messages):
            pass


def rows(engine: Engine, table: str) -> list[tuple[str, int, object]]:
    with engine.connect() as connection:
        found = connection.execute(
            text(f"SELECT about, version, body FROM platform_inbox.{table} ORDER BY about, version")
        )
        return [(row.about, row.version, row.body) for row in found]


def test_messages_stand_in_the_table_once(pipeline: Engine) -> None:
    tell(pipeline, message(1), message(2))
    tell(pipeline, message(1), message(1, version=2))
    assert [row[:2] for row in rows(pipeline, "message")] == [
        ("lead:1", 1),
        ("lead:1", 2),
        ("lead:2", 1),
    ]


def test_the_highest_version_is_the_current_one(pipeline: Engine) -> None:
    tell(pipeline, message(1, version=2, value="new"), message(1, version=1, value="old"))
    assert rows(pipeline, "current") == [("lead:1", 2, {"value": "new"})]


def test_two_accounts_tell_their_own(pipeline: Engine) -> None:
    tell(pipeline, message(1), replace(message(1), account_id="other"))
    assert len(rows(pipeline, "current")) == 2


def test_what_was_not_committed_was_not_told(pipeline: Engine) -> None:
    with pipeline.connect() as connection:
        [answers] = TablesPlatform(connection).send([message(1)])
        assert [answer.status for answer in answers] == ["taken"]
    assert not rows(pipeline, "message")


def test_nothing_to_tell_asks_nothing(pipeline: Engine) -> None:
    with pipeline.connect() as connection:
        assert not list(TablesPlatform(connection).send([]))
