"""PostgreSQL killed in the middle of a cycle, and its disk full."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import NamedTuple

import pytest
from sqlalchemy import Engine

from crm_pipeline_tests.chaos.ambush import Strike
from crm_pipeline_tests.chaos.installation import installed, org_named
from crm_pipeline_tests.chaos.postgres_in_trouble import FULL, TroubledPostgres
from crm_pipeline_tests.chaos.walk import Breakage, Place, Walk
from crm_pipeline_tests.databases import folder_of_a_server, fresh_pipeline

pytestmark = pytest.mark.deep


class Trouble(NamedTuple):
    """The small case over a server of its own."""

    postgres: TroubledPostgres
    engine: Engine
    walk: Walk


@pytest.fixture(scope="module")
def trouble() -> Iterator[Trouble]:
    with (
        folder_of_a_server() as folder,
        closing(TroubledPostgres(folder)) as postgres,
        fresh_pipeline(postgres.server, folder / "data") as engine,
        installed(engine, org_named("acme")) as installation,
    ):
        yield Trouble(postgres, engine, Walk(installation, "by composite calls"))
        postgres.moves_to_a_large_disk()


@pytest.mark.parametrize("place", [Place(0, 3), Place(0, 4), Place(1, 5)], ids=str)
def test_a_postgres_killed_in_the_middle_of_a_cycle_loses_and_doubles_nothing(
    trouble: Trouble, place: Place
) -> None:
    kill = Strike(meanwhile=trouble.postgres.is_killed_and_started)
    findings = trouble.walk.break_at(place, Breakage("PostgreSQL killed", call=kill))
    assert trouble.walk.ended[place.cycle].state == "NoDatabase", trouble.walk.ended
    assert not findings, str(findings)


@pytest.mark.parametrize("place", [Place(0, 1), Place(0, 4), Place(1, 4)], ids=str)
def test_a_full_disk_loses_and_doubles_nothing(trouble: Trouble, place: Place) -> None:
    fill = Strike(meanwhile=partial(trouble.postgres.disk_fills_up, trouble.engine))
    mend = partial(trouble.postgres.disk_has_room, trouble.engine)
    findings = trouble.walk.break_at(place, Breakage("disk full", call=fill), mended=mend)
    assert trouble.walk.ended[place.cycle].state == "NoDatabase", trouble.walk.ended
    assert not findings, str(findings)


def test_a_full_disk_is_told_in_one_line(trouble: Trouble) -> None:
    trouble.walk.installation.restore()
    trouble.postgres.disk_fills_up(trouble.engine)
    ended = trouble.walk.installation.cycle()
    trouble.postgres.disk_has_room(trouble.engine)
    assert ended.state == "NoDatabase"
    assert FULL in ended.reason
    assert len(ended.reason.splitlines()) == 1
