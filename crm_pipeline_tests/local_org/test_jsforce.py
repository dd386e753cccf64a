"""jsforce 3, a client that is not ours, uses the org; wherever node is there."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from crm_pipeline_tests.local_org.wire import serving

SCRIPT = Path(__file__).with_name("jsforce_session.mjs")
REPOSITORY = Path(__file__).parents[2]
APP = {"client_id": "3MVG9", "client_secret": "shhh", "run_as": "ada@acme.test"}

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or shutil.which("npm") is None, reason="node is not installed"
)


@pytest.fixture(scope="module")
def jsforce_folder() -> Path:
    """The folder where jsforce is installed; kept from run to run."""
    folder = REPOSITORY / ".data" / "jsforce"
    if not (folder / "node_modules" / "jsforce").exists():
        folder.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder)]
        subprocess.run([*install, "jsforce@3"], check=True, timeout=300, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def told(jsforce_folder: Path) -> dict[str, Any]:
    """The org's answers to jsforce, step by step of the script."""
    config: dict[str, Any] = {
        "users": [{"username": "ada@acme.test", "password": "pw", "security_token": "TOKEN"}],
        "connected_apps": [APP],
        "limits": {"query_batch_size": 200},
        "objects": {
            "Webinar__c": {
                "fields": {"Key__c": {"type": "string", "external_id": True, "unique": True}}
            }
        },
    }
    with serving(**config) as caller:
        arguments = [caller.url, "ada@acme.test", "pwTOKEN", "3MVG9", "shhh"]
        ran = subprocess.run(
            ["node", str(SCRIPT), *arguments],
            env={**os.environ, "JSFORCE_FOLDER": str(jsforce_folder)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    answers: dict[str, Any] = json.loads(ran.stdout)
    return answers


@pytest.mark.deep
def test_it_logs_in_by_soap_and_by_client_credentials(told):
    assert told["user"]["id"].startswith("005")
    assert told["user"]["organizationId"].startswith("00D")
    assert told["identity"] == "ada@acme.test"
    assert told["byApp"] == 450
    assert told["wrongPassword"]["message"] == (
        "INVALID_LOGIN: Invalid username, password, security token; or user locked out."
    )
    assert told["loggedOut"]["code"] == "INVALID_SESSION_ID"


def test_it_describes(told):
    assert {"Lead", "Contact", "Campaign", "Webinar__c"} <= set(told["objects"])
    assert told["leadFields"] > 40


def test_it_creates_reads_updates_and_finds_single_records(told):
    lead_id = told["created"]["id"]
    assert told["created"] == {"id": lead_id, "success": True, "errors": []}
    assert told["updated"] == {"id": lead_id, "success": True, "errors": []}
    assert told["read"]["Title"] == "Countess"
    assert told["found"] == [lead_id]
    assert told["refused"]["code"] == "REQUIRED_FIELD_MISSING"
    assert told["refused"]["message"] == "Required fields are missing: [Company]"


def test_it_upserts_by_external_id(told):
    first, second = told["upserted"]
    assert (first["success"], first["created"]) == (True, True)
    assert (second["id"], second["created"]) == (first["id"], False)
    assert [one["created"] for one in told["upsertedCollection"]] == [False, True]


def test_it_writes_collections(told):
    assert [one["success"] for one in told["collection"]] == [True, False, True]
    assert told["collection"][1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    codes = [one["errors"][0]["statusCode"] for one in told["allOrNone"]]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert told["names"] == ["A", "C"]
    assert told["destroyed"][0]["success"]


def test_it_loads_by_bulk_2(told):
    assert told["bulk"]["successful"] == 449
    assert told["bulk"]["unprocessed"] == 0
    assert told["bulk"]["company"] == 'Quoted "Company", Inc\nSecond line'
    assert told["bulk"]["failed"] == [
        "REQUIRED_FIELD_MISSING:Required fields are missing: [Company]:Company --"
    ]
    assert told["bulkUpsert"] == {"Fourth": "false", "New": "true"}


def test_it_queries_by_cursor_and_by_bulk_2(told):
    assert told["pages"] == [False, 450]
    assert told["all"] == 450
    assert told["bulkQuery"] == 449
    assert told["wrongQuery"]["code"] == "INVALID_FIELD"
    assert "ERROR at Row:1:Column:8" in told["wrongQuery"]["message"]
    assert told["usage"]["limit"] == 15_000
