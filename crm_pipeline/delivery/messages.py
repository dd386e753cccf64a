"""Telling the source platform: what is due is sent, and each answer recorded."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import orjson

from crm_pipeline.accounts.account import Account
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.windows import windows
from crm_pipeline.ledger.account_ledger import AccountLedger
from crm_pipeline.ledger.messages import (
    DueMessage,
    any_wait,
    due_messages,
    settle_told,
    write_to_inbox,
)
from crm_pipeline.ledger.outcomes import Done, Failed, record_done, record_failed
from crm_pipeline.settings import settings
from crm_pipeline.source_platform.messages import Message, Platform, Reply

WINDOW = 5_000
"""Messages read at a time."""


PlatformOf = Callable[[], Platform | None]
"""The way to the platform; None: its own jobs take messages from tables of the pipeline's."""


def tell(desk: Desk, platform_of: PlatformOf) -> None:
    """Sends every pending message of the account, and records what the platform answered.

    Commits after each batch of answers; with tables messages and outcomes are one. Calls no org.

    Args:
        desk: the account's delivery.
        platform_of: the way to the platform.

    Raises:
        PlatformStopped, PlatformUnavailable: the rest was not sent and is pending.
    """
    ledger = desk.ledger
    platform = platform_of()
    if platform is None:
        _write_to_inbox(desk)
        return
    unanswered = 0
    for due in windows(ledger, due_messages, limit=WINDOW):
        messages = [_message(desk.account, each) for each in due]
        by_id = {m.message_id: each for m, each in zip(messages, due, strict=True)}
        unanswered += len(due)
        for answers in platform.send(messages):
            unanswered -= len(answers)
            with ledger.step():
                _record(ledger, desk.tally, answers, by_id)
    if unanswered:
        desk.notes.lines.append(
            f"The source platform took requests and gave no answer for {unanswered} of their "
            "messages; the next cycle sends these again"
        )


def _write_to_inbox(desk: Desk) -> None:
    ledger, told = desk.ledger, True
    if not any_wait(ledger.connection, ledger.account_id):
        return
    with ledger.step() as connection:
        settle_told(connection, ledger.account_id)
    while told:
        with ledger.step() as connection:
            numbers = write_to_inbox(connection, ledger.account_id, ledger.cycle_id, limit=WINDOW)
        desk.tally.update({(topic, "told"): number for topic, number in numbers.items()})
        told = bool(numbers)


def _message(account: Account, due: DueMessage) -> Message:
    return Message(
        due.message_id,
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
