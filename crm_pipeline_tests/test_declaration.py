"""Declarations that do not fit are refused before anything runs."""

from collections.abc import Generator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.declaration import (
    Batch,
    DeclarationError,
    Flow,
    Outside,
    Promise,
    Reading,
    Topic,
    declared,
)
from crm_pipeline.flows.registry import ALL_TOPICS, FLOWS
from crm_pipeline.sources.participations import REGISTRATIONS


def _read(reading: Reading[AccountSettings]) -> Generator[Batch]:
    yield from ()


def topic(name: str, *after: str, **more: Any) -> Topic:
    return Topic(name, "A topic.", "group", "python", after, **more)


def flow(name: str, *topics: Topic, **more: Any) -> Flow[AccountSettings]:
    declaration = Flow(name, lambda account: account, topics, (), (), (), _read)
    return replace(declaration, **more)


def test_what_fits_is_taken_in_its_order() -> None:
    outside = (Outside("warehouse/t", "A table.", "postgres"),)
    one = flow("one", topic("a", "warehouse/t"), outside=outside)
    two = flow("two", topic("b", "a"), promises=(Promise("nothing_unread", "b", "It holds.", {}),))
    assert declared([one, two]) == (one, two)


@pytest.mark.parametrize(
    ("flows", "said"),
    [
        ([flow("one"), flow("one")], "more than once: one"),
        ([flow("one", topic("a")), flow("two", topic("a"))], "more than once: a"),
        ([flow("one", topic("a", "b"))], "one names what nobody declares: b"),
        ([flow("one", promises=(Promise("p", "b", "", {}),))], "nobody declares: b"),
        (
            [flow("one", topic("a", sends=("campaign",), counts=("campaigns_linked",)))],
            "a does not count all outcomes of what it sends: campaigns_created",
        ),
        (
            [flow(name, topic(f"of_{name}", sends=("member",))) for name in ("one", "two")],
            "more than once: member",
        ),
        ([flow("one", outside=(Outside("x/y", "", "", ("b",)),))], "nobody declares: b"),
        ([flow("one", replace(topic("a"), sends=("thing",)))], "does not know: thing"),
        ([flow("one", replace(topic("a"), sends=("record",)))], "when_deleted"),
        ([flow("one", replace(topic("a"), when_deleted="leave"))], "when_deleted"),
        ([flow("one", replace(topic("a"), publishes=True))], "publishes, and sends no records"),
        (
            [flow("one", topic("a"), promises=(Promise("p", "a", "", {}),))],
            "promises p, and there is no sql/checks/p.sql",
        ),
        ([flow("one", topic("a", reads=("b",)))], "reads undeclared sources: b"),
        (
            [flow("one", topic("a", reads=("registrations",)), sources=(REGISTRATIONS,))],
            "sources of which no topic records anything: registrations",
        ),
        ([flow("one", sources=(REGISTRATIONS, REGISTRATIONS))], "source more than once"),
        (
            [flow("one", sources=(SimpleNamespace(name="rows"),))],
            "do not say what an account's start means .start.: rows",
        ),
    ],
)
def test_what_does_not_fit_is_named(flows: list[Flow[AccountSettings]], said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        declared(flows)


def test_the_flows_of_the_product_have_all_topics_of_a_cycle() -> None:
    names = {topic.name for flow in FLOWS for topic in flow.topics}
    assert names | {"sync_state"} == ALL_TOPICS
