"""Telling the source platform: what is due is sent, and each answer recorded."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import orjson
from sqlalchemy import Connection

from crm_pipeline.accounts.account import Account
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.windows import windows
from crm_pipeline.ledger.account_ledger import AccountLedger
from crm_pipeline.ledger.messages import DueMessage, due_messages
from crm_pipeline.ledger.outcomes import Done, Failed, record_done, record_failed
from crm_pipeline.settings import settings
from crm_pipeline.source_platform.messages import Message, Platform, Reply

WINDOW = 5_000
"""Messages read at a time."""


PlatformOf = Callable[[Connection], Platform]
"""The way to the platform, given the connection of the transaction that records the outcome."""


def tell(desk: Desk, platform_of: PlatformOf) -> None:
    """Sends every pending message of the account, and records what the platform answered.

    Commits after each batch of answers; with tables the messages and their outcomes commit
    together. Calls no org.

    Args:
        desk: the account's delivery.
        platform_of: the way to the platform.

    Raises:
        PlatformStopped, PlatformUnavailable: the rest was not sent and is pending.
    """
    ledger = desk.ledger
    platform = platform_of(ledger.connection)
    for due in windows(ledger, due_messages, limit=WINDOW):
        messages = [_message(desk.account, each) for each in due]
        by_id = {m.message_id: each for m, each in zip(messages, due, strict=True)}
        for answers in platform.send(messages):
            with ledger.step():
                _record(ledger, desk.tally, answers, by_id)


def _message(account: Account, due: DueMessage) -> Message:
    return Message(
        account.account_id,
        account.client_id,
        due.topic,
        due.about,
        due.version,
        due.as_of,
        orjson.Fragment(due.body),
    )


def _record(
    ledger: AccountLedger,
    tally: Counter[tuple[str, str]],
    answers: Sequence[Reply],
    by_id: Mapping[str, DueMessage],
) -> None:
    taken = [each for each in answers if each.status == "taken"]
    record_done(
        ledger.connection,
        ledger.cycle_id,
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
            ledger.connection,
            ledger.cycle_id,
            failed,
            backoff_seconds=settings().retry_backoff_seconds,
        )
    for each in answers:
        tally[by_id[each.message_id].topic, _OUTCOMES[each.status]] += 1


_OUTCOMES = {"taken": "told", "refused": "failed"}
