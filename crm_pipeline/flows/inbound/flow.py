"""Requests from Salesforce, declared: what is done about what was asked."""

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from crm_pipeline.accounts.inbound import InboundSettings
from crm_pipeline.declaration import Batch, Flow, Outside, Promise, Reading, Topic
from crm_pipeline.flows.inbound import NAME
from crm_pipeline.inbound.queue import RequestKind

if TYPE_CHECKING:
    from crm_pipeline.delivery.desk import Desk


# What acts is loaded by cycles only: it speaks to orgs.
def _remove(desk: "Desk", choices: InboundSettings) -> None:
    from crm_pipeline.flows.inbound.removals import remove

    remove(desk, choices)


def _tell(kind: RequestKind, topic: str) -> "Callable[[Desk, InboundSettings], None]":
    def told(desk: "Desk", choices: InboundSettings) -> None:
        from crm_pipeline.flows.inbound.telling import tell

        tell(kind, topic)(desk, choices)

    return told


_TOPICS = (
    Topic(
        "removals",
        "People whose removal was asked for: nothing more is sent of them, their records in the "
        "org are treated as the account chose, and they are erased from the pipeline's own tables. "
        "Each request ends with a receipt.",
        group=NAME,
        technology="postgres",
        after=("crm/request",),
        counts=("removed", "suppressed", "waiting"),
        sends=("message",),
        acts=_remove,
        answers=True,
    ),
    Topic(
        "feedback",
        "Feedback that Salesforce handed in: each becomes a ticket of the source platform, at the "
        "point of its workflow that the external source names.",
        group=NAME,
        technology="python",
        after=("crm/request",),
        counts=("accepted",),
        sends=("message",),
        acts=_tell("feedback", "feedback"),
        answers=True,
    ),
    Topic(
        "user_data",
        "Data that Salesforce sent to be stored with a user of the source platform, by the fields "
        "that the account has mapped.",
        group=NAME,
        technology="python",
        after=("crm/request",),
        counts=("accepted",),
        sends=("message",),
        acts=_tell("user_data", "user_data"),
        answers=True,
    ),
    Topic(
        "macros",
        "Macros of the source platform that Salesforce wants started for a user, such as an email "
        "that is to be sent; the platform itself does it.",
        group=NAME,
        technology="python",
        after=("crm/request",),
        counts=("accepted",),
        sends=("message",),
        acts=_tell("macro", "macros"),
        answers=True,
    ),
)

_OUTSIDE = (
    Outside(
        "crm/request",
        "What Salesforce, or an operator, asked of the account: the queue that the listener fills.",
        "postgres",
    ),
)

_PROMISES = (
    Promise(
        "requests_are_answered",
        "removals",
        "What was asked is done within the promised hour: nobody's removal waits.",
        numbers={
            "waiting": "Requests that are not answered yet.",
            "failed": "Requests that could not be done.",
            "hours_since_the_oldest": "How long the oldest waits.",
        },
    ),
    Promise(
        "nobody_erased_is_left",
        "removals",
        "The nightly scan of both databases finds nobody who was erased.",
        numbers={
            "places": "Columns in which somebody was found who was erased.",
            "found_in": "These columns.",
            "hours_since_the_scan": "How long ago both databases were scanned.",
        },
    ),
)


def _read(_: Reading[InboundSettings]) -> Generator[Batch]:
    """Reads nothing: what is asked comes by the queue."""
    yield from ()


_NOT_CHOSEN = InboundSettings()

INBOUND = Flow(
    NAME,
    # Operators may ask for a removal of any account.
    settings=lambda account: account.inbound or _NOT_CHOSEN,
    topics=_TOPICS,
    sources=(),
    outside=_OUTSIDE,
    promises=_PROMISES,
    read=_read,
)
