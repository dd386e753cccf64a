"""CumulusCI: `cci task run load_dataset`, Leads upserted by email, then an Event for each.

Runs in CumulusCI's own environment; `comparison.py` writes its project.
"""

import json
import os
from typing import Any
from urllib.parse import urlsplit

import requests
from cumulusci.cli import cci  # type: ignore[import-not-found]
from cumulusci.tasks.bulkdata import load as _  # type: ignore[import-not-found]  # noqa: F401
from requests.adapters import HTTPAdapter

from benchmarks.task import Task, perform


def load() -> None:
    """Logs in, as `cci org connect` did once, and loads the project's data set."""
    task = Task.given()
    netloc = urlsplit(task.org_url).netloc
    _send_to(netloc)
    login = {
        "grant_type": "client_credentials",
        "client_id": task.client_id,
        "client_secret": task.client_secret,
    }
    answer = requests.post(f"{task.org_url}/services/oauth2/token", data=login, timeout=60)
    answer.raise_for_status()
    granted = answer.json()
    org = {
        "access_token": granted["access_token"],
        "instance_url": f"https://{netloc}",
        "id": granted["id"],
        "username": task.username,
    }
    os.environ["CUMULUSCI_ORG_BENCHMARK"] = json.dumps(org)
    options = {
        "database_url": "sqlite:///dataset.db",
        "mapping": "mapping.yml",
        "set_recently_viewed": "False",
    }
    chosen = [part for name, value in options.items() for part in ("-o", name, value)]
    cci.main(["cci", "task", "run", "load_dataset", "--org", "benchmark", *chosen])


def _send_to(netloc: str) -> None:
    """Takes the https away from requests to the local org, which speaks http."""
    send = HTTPAdapter.send

    def plainly(adapter: HTTPAdapter, request: Any, *args: Any, **kwargs: Any) -> Any:
        request.url = request.url.replace(f"https://{netloc}", f"http://{netloc}")
        return send(adapter, request, *args, **kwargs)

    HTTPAdapter.send = plainly  # type: ignore[assignment,method-assign]


if __name__ == "__main__":
    perform(load)
