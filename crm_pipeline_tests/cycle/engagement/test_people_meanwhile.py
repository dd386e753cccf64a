"""People merge, delete, edit and convert people of the org while bulk jobs are under way."""

from collections.abc import Callable, Sequence

import pytest

from crm_pipeline.local_org import dml
from crm_pipeline.local_org.lifecycle import convert, merge
from crm_pipeline.local_org.transaction import WriteContext, committed
from crm_pipeline.local_org.weather import ActiveFault, Weather
from crm_pipeline_tests.chaos.prospect_examiner import Model, Source, examine
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.cycle.engagement.conftest import complete
from crm_pipeline_tests.cycle.engagement.test_matching import contact, lead
from crm_pipeline_tests.depth import deep_but_first
from crm_pipeline_tests.flows.engagement.warehouse import define_tag, prospect, tag
from crm_pipeline_tests.flows.webinars.warehouse import CLIENT

NAMES = ("ada", "bob", "eve", "joe", "kim")


class Meanwhile(Weather):
    """Has people do one deed after the other, each just before a call of a kind."""

    def __init__(self, kind: str, deeds: Sequence[Callable[[], object]]) -> None:
        super().__init__()
        self.kind = kind
        self.deeds = list(deeds)

    def take(self, kind: str) -> ActiveFault | None:
        if kind == self.kind and self.deeds:
            self.deeds.pop(0)()
        return super().take(kind)


def deeds(bench: Bench) -> list[Callable[[], object]]:
    """Each is about people of its own."""
    leads = {name: [lead(bench, f"{name}@x.example") for _ in range(3)] for name in NAMES}
    contacts = {name: contact(bench, f"{name}@x.example") for name in NAMES}

    org = bench.org

    def edit(sobject: str, record_id: str, email: str) -> None:
        with committed(WriteContext(org, next(iter(org.users.values())).id)) as context:
            dml.saved_id(dml.update(org, context, sobject, record_id, {"Email": email}))

    def delete(sobject: str, record_id: str) -> None:
        with committed(WriteContext(org, next(iter(org.users.values())).id)) as context:
            dml.saved_id(dml.delete(org, context, sobject, record_id))

    return [
        lambda: merge(org, "Lead", leads["ada"][0], [leads["ada"][1]]),
        lambda: merge(org, "Lead", leads["bob"][0], [leads["eve"][0]]),
        lambda: merge(org, "Contact", contacts["ada"], [contacts["bob"]]),
        lambda: edit("Lead", leads["joe"][0], "nobody@x.example"),
        lambda: edit("Contact", contacts["joe"], "kim@x.example"),
        lambda: convert(org, leads["kim"][0]),
        lambda: convert(org, leads["kim"][1], contact_id=contacts["kim"]),
        lambda: delete("Lead", leads["eve"][1]),
        lambda: delete("Contact", contacts["eve"]),
    ]


@pytest.mark.deep
@pytest.mark.parametrize("first", deep_but_first(2, [0, 6, 1, 2, 3, 4, 5, 7, 8]))
def test_the_org_is_right_when_the_jobs_are_done(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    """Whichever deed is done first, nothing is sent any more in the end."""
    monkeypatch.setattr("crm_pipeline.salesforce.bulk._SHORTEST_WAIT_SECONDS", 0.02)
    bench.settings(route="bulk")
    define_tag(bench.connection, "hot")
    for name in NAMES:
        prospect(bench.connection, name, temperature=1)
        tag(bench.connection, name, "hot")
    some = deeds(bench)
    complete(bench)
    for number, name in enumerate(NAMES):
        prospect(bench.connection, name, temperature=10 + number)
        tag(bench.connection, name, "hot", times=2 + number)
    weather = Meanwhile("bulk2.close", [*some[first:], *some[:first]])
    bench.org.weather = weather
    for _ in range(3):
        bench.cycle()
    assert not weather.deeds
    for _ in range(4):
        report = complete(bench)
    assert report.api_calls_by_kind.keys() <= {"changes", "changes+updated"}
    source = Source.read(bench.connection, CLIENT, NAMES)
    found = examine(bench.connection, Model(source, bench.org, has_all=False, status="Processed"))
    assert not found, str(found)
