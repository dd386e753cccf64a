"""Fixtures of the org's HTTP side: an org that serves, and a logged-in caller."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from crm_pipeline.local_org import dml
from crm_pipeline.local_org.logins import open_session
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.transaction import WriteContext, committed

VERSION = "66.0"


@dataclass(slots=True)
class Caller:
    """Calls one org over HTTP, as its first user."""

    org: Org
    url: str
    http: requests.Session

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """`path` is below `/services/data/vXX.0/`, or whole if it starts with a slash."""
        if not path.startswith("/"):
            path = f"/services/data/v{VERSION}/{path}"
        return self.http.request(method, self.url + path, timeout=30, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.call("POST", path, **options)

    def query(self, soql: str) -> list[dict[str, Any]]:
        """The records of a query that works, without their attributes."""
        answer = self.get("query", params={"q": soql})
        assert answer.status_code == 200, answer.text
        return [
            {key: value for key, value in record.items() if key != "attributes"}
            for record in answer.json()["records"]
        ]

    def values(self, soql: str) -> list[Any]:
        """The first field of each record of a query."""
        return [next(iter(record.values())) for record in self.query(soql)]

    def refused(self, soql: str) -> dict[str, str]:
        """The error of a query that is refused."""
        answer = self.get("query", params={"q": soql})
        assert answer.status_code == 400, answer.text
        errors: list[dict[str, str]] = answer.json()
        assert len(errors) == 1
        return errors[0]


@contextmanager
def serving(**config: Any) -> Iterator[Caller]:
    """An org that serves on a free port for as long as the block runs."""
    with serving_afresh(**config) as fresh:
        yield fresh()


@contextmanager
def serving_afresh(**config: Any) -> Iterator[Callable[[], Caller]]:
    """A server whose org is as new for each test: calling what this yields resets it."""
    with LocalOrgServer({"name": "acme", **config}) as server, requests.Session() as http:

        def fresh() -> Caller:
            http.post(f"{server.url_of('acme')}/_admin/reset", timeout=30).raise_for_status()
            org = server.org("acme")
            session = open_session(org, next(iter(org.users.values())))
            http.headers["Authorization"] = f"Bearer {session.token}"
            return Caller(org, server.url_of("acme"), http)

        yield fresh


def add(org: Org, sobject: str, **fields: Any) -> str:
    """Creates a record. Returns its id."""
    return add_all(org, sobject, [fields])[0]


def add_all(org: Org, sobject: str, records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Creates records. Returns their ids."""
    user = next(iter(org.users.values()))
    ids = []
    with committed(WriteContext(org, user.id)) as context:
        for fields in records:
            result = dml.create(org, context, sobject, fields)
            assert result.id, result.errors
            ids.append(result.id)
    return ids
