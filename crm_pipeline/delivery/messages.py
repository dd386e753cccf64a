"""Telling the source platform: what is due is sent, and each answer recorded."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection

from crm_pipeline.delivery.session import DeliverySession
from crm_pipeline.ledger.messages import DueMessage, due_messages
from crm_pipeline.ledger.outcomes import Done, Failed, record_done, record_failed
from crm_pipeline.settings import settings
from crm_pipeline.source_platform.messages import Answer, Message, Platform

WINDOW = 5_000
"""Messages read at a time."""


PlatformOf = Callable[[Connection], Platform]
"""The way to the platform, given the connection of the transaction that records the outcome."""


def tell(session: DeliverySession, platform_of: PlatformOf) -> None:
    """Sends every pending message of the account, and records what the platform answered.

    Commits after each batch of answers; with tables the messages and their outcomes commit
    together. Calls no org.

    Args:
        session: the account's delivery.
        platform_of: the way to the platform.

    Raises:
        PlatformStopped, PlatformUnavailable: the rest was not sent and is pending.
    """
    platform = platform_of(session.ledger)
    after = 0
    while due := due_messages(session.ledger, session.account_id, after=after, limit=WINDOW):
        after = due[-1].operation_id
        messages = [_message(session, each) for each in due]
        by_id = {m.message_id: each for m, each in zip(messages, due, strict=True)}
        for answers in platform.send(messages):
            _record(session, answers, by_id)
            session.ledger.commit()


def _message(session: DeliverySession, due: DueMessage) -> Message:
    return Message(
        session.account.account_id,
        session.account.client_id,
        due.topic,
        str(due.intent["about"]),
        due.version,
        due.as_of,
        due.intent["body"],
    )


def _record(
    session: DeliverySession, answers: Sequence[Answer], by_id: Mapping[str, DueMessage]
) -> None:
    taken = [each for each in answers if each.status == "taken"]
    record_done(
        session.ledger,
        session.cycle_id,
        [
            Done(
                by_id[each.message_id].operation_id,
                "message",
                "create",
                "",
                "told",
                sent={"message_id": each.message_id},
            )
            for each in taken
        ],
    )
    refused = [each for each in answers if each.status == "refused"]
    if refused:
        failed = [
            Failed(
                by_id[each.message_id].operation_id,
                each.code,
                each.reason,
                # A message that is refused is not taken later either; it waits for people.
                None,
                "message",
                "create",
            )
            for each in refused
        ]
        record_failed(
            session.ledger,
            session.cycle_id,
            failed,
            backoff_seconds=settings().retry_backoff_seconds,
        )
    for each in answers:
        session.tally[by_id[each.message_id].topic, _OUTCOMES[each.status]] += 1


_OUTCOMES = {"taken": "told", "refused": "failed"}
