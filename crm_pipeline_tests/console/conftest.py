"""A console before an account whose cycles have done all sorts of things."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

import pytest
import requests
from sqlalchemy import Engine, text

from crm_pipeline.cli.console_settings import CommandDesk
from crm_pipeline.console.logins import ProxyLogin
from crm_pipeline.console.roles import ConsoleRole
from crm_pipeline.console.server import Console
from crm_pipeline.cycle.plan import planned
from crm_pipeline.cycle.planning import Planning
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

HOSTILE = '=1+1"><script>alert(1)</script>'
"""A name that a page must not carry out, nor a spreadsheet."""

PROXY = ProxyLogin(
    [ip_network("127.0.0.0/8")],
    "X-Forwarded-User",
    "X-Forwarded-Groups",
    {
        ConsoleRole.viewer: ["group:sales"],
        ConsoleRole.support: ["Ann"],
        ConsoleRole.operator: ["group:ops"],
    },
)

USERS = {
    ConsoleRole.viewer: {"X-Forwarded-User": "val", "X-Forwarded-Groups": "staff, sales"},
    ConsoleRole.support: {"X-Forwarded-User": "ann"},
    ConsoleRole.operator: {"X-Forwarded-User": "otto", "X-Forwarded-Groups": "ops"},
}


@dataclass
class Visitor:
    """A browser without a screen, of somebody with a role."""

    url: str
    role: ConsoleRole
    web: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.web.headers.update(USERS[self.role])

    def get(self, path: str, status: int = 200) -> str:
        answer = self.web.get(f"{self.url}{path}", timeout=30)
        assert answer.status_code == status, answer.text
        return answer.text

    def post(self, path: str, status: int = 200, **fields: object) -> str:
        csrf = self.get("/").partition('name="csrf" value="')[2].partition('"')[0]
        said = {"csrf": csrf, **fields}
        answer = self.web.post(f"{self.url}{path}", data=said, timeout=30)
        assert answer.status_code == status, answer.text
        return answer.text


@dataclass
class Stage:
    """An account with one person refused by the org, three who are held, and a plan of them."""

    bench: Bench
    pipeline: Engine
    url: str
    plan_id: int

    def visitor(self, role: ConsoleRole) -> Visitor:
        return Visitor(self.url, role)

    @property
    def cycle_id(self) -> int:
        """The account's first cycle."""
        with self.pipeline.connect() as connection:
            return int(connection.execute(text("SELECT min(cycle_id) FROM crm.cycle")).scalar_one())

    @property
    def refused(self) -> int:
        """The operation that the org has refused."""
        with self.pipeline.connect() as connection:
            found = connection.scalar(
                text(
                    "SELECT operation_id FROM crm.operation"
                    " WHERE kind = 'person' AND error_code IS NOT NULL"
                )
            )
        assert found is not None
        return int(found)


@pytest.fixture(scope="module")
def stage(module_pipeline: Engine) -> Iterator[Stage]:
    with (
        pytest.MonkeyPatch.context() as patched,
        bench_of({"name": ACCOUNT, **ORG}, module_pipeline, patched) as bench,
    ):
        come(bench, 1)
        come(bench, 2, surname=HOSTILE, country_code="Atlantis")
        assert bench.cycle().state == "Complete"
        bench.settings(limits={"new_people": 1, "times_usual": 0.1})
        come(bench, 3, 4)
        assert bench.cycle().state == "Held"
        with planned(ACCOUNT, Planning(), run_id="plan") as plan:
            plan_id = plan.keep(bench.connection)
        bench.connection.commit()
        with Console(PROXY, module_pipeline, CommandDesk()) as console:
            yield Stage(bench, module_pipeline, console.url, plan_id)


def come(bench: Bench, *people: int, **columns: Any) -> None:
    """People register."""
    for person in people:
        add_person(bench.connection, person, **columns)
        register(bench.connection, person, person, minute=person)
