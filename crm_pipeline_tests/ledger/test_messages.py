"""Messages to the source platform, as the ledger has them."""

from datetime import timedelta

from sqlalchemy import Connection, text

from crm_pipeline.ledger.intents import record_intents
from crm_pipeline.ledger.messages import MessageWant, settle_told, write_to_inbox
from crm_pipeline_tests.ledger.conftest import ACCOUNT, NOON


def want(connection: Connection, minute: int, part: str, noticed_by: int | None = None) -> None:
    body = {"part": part}
    said = MessageWant("values", "lead:1", NOON + timedelta(minutes=minute), body, noticed_by)
    record_intents(connection, ACCOUNT, flow="attribution", cycle_id=1, intents=[said.intent])
    connection.commit()


def tell(connection: Connection) -> int:
    """How many messages the platform is told."""
    settle_told(connection, ACCOUNT)
    return sum(write_to_inbox(connection, ACCOUNT, 1, limit=10).values())


def test_what_was_told_last_is_not_told_again_for_a_word_that_never_went_out(
    ledger: Connection,
) -> None:
    want(ledger, 0, "1/2")
    assert tell(ledger) == 1
    want(ledger, 1, "1/1")
    want(ledger, 2, "1/2")
    assert tell(ledger) == 0
    assert ledger.scalars(text("SELECT state FROM crm.operation ORDER BY version")).all() == [
        "done",
        "superseded",
        "done",
    ]
    want(ledger, 3, "1/1")
    assert tell(ledger) == 1
    want(ledger, 4, "1/2")
    assert tell(ledger) == 1
    # A change that people made is told also where it leads back.
    want(ledger, 5, "1/2", noticed_by=7)
    assert tell(ledger) == 1


def test_a_message_has_the_same_id_in_all_releases(ledger: Connection) -> None:
    made = ledger.scalar(text("SELECT crm.message_id('acme', 'lead_values', 'lead 4711', 2)"))
    assert str(made) == "e6ebd1af-a8f3-88a2-a7f4-8d55adc2ce95"
