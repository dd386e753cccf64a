"""Requests from Salesforce, declared: what is done about what was asked."""

from collections.abc import Generator
from typing import TYPE_CHECKING

from crm_pipeline.accounts.inbound import InboundSettings
from crm_pipeline.declaration import Batch, Flow, Outside, Promise, Reading, Topic
from crm_pipeline.flows.inbound import NAME

if TYPE_CHECKING:
    from crm_pipeline.delivery.desk import Desk


def _remove(desk: "Desk", choices: InboundSettings) -> None:
    """Removes people; loaded by cycles only, as it speaks to orgs."""
    from crm_pipeline.flows.inbound.removals import remove

    remove(desk, choices)


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
    ),
)


def _read(_: Reading[InboundSettings]) -> Generator[Batch]:
    """Reads nothing: what is asked comes by the queue."""
    yield from ()


INBOUND = Flow(
    NAME,
    # Operators may ask for a removal of any account.
    settings=lambda account: account.inbound or InboundSettings(),
    topics=_TOPICS,
    sources=(),
    outside=_OUTSIDE,
    promises=_PROMISES,
    read=_read,
)
